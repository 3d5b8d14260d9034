"""HTTP of the stateless work: read a document, cut a text, make vectors, tell what a document is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal

import msgspec

from app.compute.spool import spooled
from app.http.endpoints import Call, Endpoint, Reply
from app.http.multipart import Multipart
from handlers.refusals import Invalid, Refusal, TooLarge, Unavailable, Unsupported
from infra.chunking import BadChunking, chunking_name
from infra.chunking.document import STRATEGIES
from infra.chunking.spans import OVERLAP
from infra.compute import Compute, ComputeUnavailable
from infra.compute.wire import (
    LARGEST_BODY,
    LARGEST_DOCUMENT,
    MOST_CHUNKS,
    ChunkBody,
    ChunkShape,
    ChunksShape,
    EmbedBody,
    PageShape,
    ParsedShape,
    VectorsShape,
)
from infra.documents import Description, Parsed, ParserUnavailable, UnusableDocument, described, kinds
from infra.documents.ocr import installed
from infra.embedding import EmbeddingUnavailable

Work = Literal["parse", "chunk", "embed", "extract-metadata"]
AT_ONCE = 16
"""Requests at work or waiting in one process; more are sent away, to come again or to another server."""
AWAY = {ParserUnavailable: "PARSER_UNAVAILABLE", EmbeddingUnavailable: "EMBEDDER_UNAVAILABLE"}


class NoFields(msgspec.Struct, frozen=True):
    """Nothing needs to be said of the file."""


class HealthView(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """That the work can be done here, shown by doing a little of it; and what can be asked for."""

    status: Literal["healthy"]
    work: Work
    at_work: int
    """Requests."""
    media_types: tuple[str, ...] = ()
    ocr: bool | None = None
    """Whether pictures of text can be read."""
    strategies: tuple[str, ...] = ()
    embedder: str | None = None
    dimensions: int | None = None


class Bench:
    """Counts what is at work, and says in HTTP's words what went wrong with it."""

    def __init__(self) -> None:
        self.at_work = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Raises `Unavailable` when there is too much to do."""
        if self.at_work >= AT_ONCE:
            raise Unavailable(
                "COMPUTE_BUSY", "Too much is being worked on; ask again in a moment.", retry_after=2
            )
        self.at_work += 1
        try:
            yield
        except UnusableDocument as fault:
            raise refusal_of(fault) from None
        except BadChunking as wrong:
            raise Invalid("INVALID_CHUNKING", str(wrong)) from None
        except (ParserUnavailable, EmbeddingUnavailable, ComputeUnavailable) as away:
            raise Unavailable(AWAY.get(type(away), "COMPUTE_UNAVAILABLE"), str(away)) from None
        finally:
            self.at_work -= 1


def refusal_of(fault: UnusableDocument) -> Refusal:
    """What a bad file becomes on the wire."""
    kind = {"DOCUMENT_UNSUPPORTED": Unsupported, "DOCUMENT_TOO_LARGE": TooLarge}.get(fault.code, Invalid)
    return kind(fault.code, fault.detail, field="file")


def endpoints(compute: Compute) -> tuple[Endpoint, ...]:
    """The work itself, and for each kind of it whether it can be done."""
    bench = Bench()

    async def read(call: Call[None, None]) -> Parsed:
        async with bench.place(), spooled(call) as file:
            return await compute.parse(file.path, name=file.name, declared=file.declared)

    async def parse(call: Call[None, None]) -> Reply:
        return Reply(body=_shape(await read(call)))

    async def describe(call: Call[None, None]) -> Reply:
        return Reply(body=described(await read(call)))

    async def chunk(call: Call[None, ChunkBody]) -> Reply:
        body = call.body
        pages = [(page.start_char, page.end_char, page.number) for page in body.pages]
        _check_pages(body, pages)
        overlap = min(OVERLAP, body.size // 6) if body.overlap is None else body.overlap
        async with bench.place():
            chunks = await compute.chunk(
                body.text, pages, strategy=body.strategy, size=body.size, overlap=overlap,
                most=body.most or MOST_CHUNKS,
            )  # fmt: skip
        if body.most is None and len(chunks) > MOST_CHUNKS:
            raise Invalid(
                "TOO_MANY_CHUNKS",
                f"The text makes more than {MOST_CHUNKS:,} chunks. Choose a larger size, or say how many are wanted.",
                field="size",
            )
        name = chunking_name(body.strategy, body.size, overlap)
        return Reply(body=ChunksShape(chunking=name, chunks=tuple(map(ChunkShape.of, chunks))))

    async def embed(call: Call[None, EmbedBody]) -> Reply:
        async with bench.place():
            vectors = await compute.embed(call.body.texts)
        answer = VectorsShape(
            embedder=compute.name, dimensions=compute.dimensions, vectors=vectors.round(7).tolist()
        )
        return Reply(body=answer)

    async def health(work: Work, call: Call[None, None]) -> Reply:
        async with bench.place():
            view = await _health(compute, work)
        found = msgspec.structs.replace(view, at_work=bench.at_work)
        return Reply(body=found, headers={"Cache-Control": "no-store"})

    file = Multipart(fields=NoFields, limit=LARGEST_DOCUMENT, description="The document.")
    made = (
        _post("parse", parse, "Read a document: its text and its pages", ParsedShape, multipart=file),
        _post("chunk", chunk, "Cut a text into chunks", ChunksShape, body=ChunkBody, body_limit=LARGEST_BODY),
        _post("embed", embed, "Make vectors of texts", VectorsShape, body=EmbedBody, body_limit=LARGEST_BODY),
        _post("extract-metadata", describe, "Tell what a document is", Description, multipart=file),
    )
    works: tuple[Work, ...] = ("parse", "chunk", "embed", "extract-metadata")
    return (*made, *(_get(work, partial(health, work)) for work in works))


async def _health(compute: Compute, work: Work) -> HealthView:
    match work:
        case "chunk":
            await compute.chunk("It works.")
            return HealthView(status="healthy", work=work, at_work=0, strategies=STRATEGIES)
        case "embed":
            await compute.embed(["It works."])
            return HealthView(
                status="healthy", work=work, at_work=0, embedder=compute.name, dimensions=compute.dimensions
            )
    await compute.parse(b"It works.", name="health.txt")
    taken = tuple(kind.media_type for kind in kinds.KINDS)
    return HealthView(status="healthy", work=work, at_work=0, media_types=taken, ocr=installed() is not None)


def _check_pages(body: ChunkBody, pages: list[tuple[int, int, int]]) -> None:
    at = 0
    for first, last, _ in pages:
        if not at <= first <= last <= len(body.text):
            raise Invalid(
                "INVALID_PAGES", "Pages must be ascending, apart, and within the text.", field="pages"
            )
        at = last


def _shape(parsed: Parsed) -> ParsedShape:
    return ParsedShape(
        text=parsed.text,
        pages=tuple(
            PageShape(number=page.number, start_char=page.start_char, end_char=page.end_char)
            for page in parsed.pages
        ),
        media_type=parsed.media_type,
        title=parsed.title,
        language=parsed.language,
        metadata=dict(parsed.metadata),
    )


def _post(
    work: Work, handle: Callable[[Call[Any, Any]], Awaitable[Reply]], summary: str, answer: Any, **takes: Any
) -> Endpoint:
    refusals = (TooLarge, Unsupported, Invalid, Unavailable)
    return Endpoint(
        method="POST", path=f"/v1/compute/{work}", handle=handle, summary=summary, tag="compute",
        scope="compute:write", answer=answer, refusals=refusals, **takes,
    )  # fmt: skip


def _get(work: Work, handle: Callable[[Call[Any, Any]], Awaitable[Reply]]) -> Endpoint:
    return Endpoint(
        method="GET", path=f"/v1/compute/{work}/health", handle=handle, tag="compute", scope="compute:read",
        summary=f"Whether {work} can be done here", answer=HealthView, refusals=(Unavailable,),
    )  # fmt: skip
