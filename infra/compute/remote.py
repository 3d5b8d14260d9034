"""The work done by compute servers: each in turn, the next when one does not answer."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec
import numpy as np
from numpy.typing import NDArray

from infra.chunking import BadChunking, Chunk, Strategy
from infra.chunking.document import Place
from infra.chunking.spans import LONGEST, OVERLAP
from infra.compute import ComputeUnavailable
from infra.compute.wire import ChunkBody, ChunksShape, EmbedBody, PageShape, ParsedShape, VectorsShape
from infra.documents import Page, Parsed, UnusableDocument
from infra.embedding import EmbeddingUnavailable
from infra.telemetry.logs import logger

log = logger(__name__)

Shape = TypeVar("Shape")

TIMEOUT = aiohttp.ClientTimeout(total=900, connect=5, sock_connect=5)
REST = 10.0
"""Seconds for which a server that failed is asked last."""
PATIENCE = 120.0
"""Seconds for which busy servers are asked again."""
LONGEST_PAUSE = 5.0
BATCH = 128
"""Texts of one request."""


class _Refused(Exception):
    """The server understood and will not: another would not either."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class _Busy(Exception):
    """The server has too much to do, and says when to come again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


class RemoteCompute:
    """Compute servers at some addresses. Its vectors are of the embedder `name`: servers with another are refused."""

    def __init__(self, urls: Sequence[str], *, key: str, name: str, dimensions: int) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._key = key
        self._turn = 0
        self._failed: dict[str, float] = {}
        self._http: aiohttp.ClientSession | None = None
        self.name = name
        self.dimensions = dimensions

    async def parse(self, content: bytes | Path, *, name: str = "", declared: str = "") -> Parsed:
        @asynccontextmanager
        async def form() -> AsyncIterator[dict[str, Any]]:
            file = await asyncio.to_thread(content.open, "rb") if isinstance(content, Path) else content
            try:
                data = aiohttp.FormData(quote_fields=False)
                plain = name.replace('"', "'") or "document"
                data.add_field(
                    "file", file, filename=plain, content_type=declared or "application/octet-stream"
                )
                yield {"data": data}
            finally:
                if not isinstance(file, bytes):
                    file.close()

        try:
            found = await self._ask("parse", form, ParsedShape)
        except _Refused as refused:
            raise UnusableDocument(refused.code, refused.detail) from None
        return Parsed(
            text=found.text,
            pages=tuple(Page(each.start_char, each.end_char, each.number) for each in found.pages),
            media_type=found.media_type,
            title=found.title,
            language=found.language,
            metadata=found.metadata,
        )

    async def chunk(
        self,
        text: str,
        pages: Sequence[Place] = (),
        *,
        strategy: Strategy = "sentences",
        size: int = LONGEST,
        overlap: int = OVERLAP,
        most: int | None = None,
    ) -> tuple[Chunk, ...]:
        shapes = tuple(
            PageShape(number=number, start_char=first, end_char=last) for first, last, number in pages
        )
        body = ChunkBody(text=text, pages=shapes, strategy=strategy, size=size, overlap=overlap, most=most)
        try:
            found = await self._ask("chunk", _json(body), ChunksShape)
        except _Refused as refused:
            raise BadChunking(refused.detail) from None
        return tuple(
            Chunk(each.n, each.text, each.start_char, each.end_char, page=each.page) for each in found.chunks
        )

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for n in range(0, len(texts), BATCH):
            batch = tuple(texts[n : n + BATCH])
            try:
                found = await self._ask("embed", _json(EmbedBody(texts=batch)), VectorsShape)
            except (_Refused, ComputeUnavailable) as away:
                raise EmbeddingUnavailable(str(away)) from None
            if (found.embedder, found.dimensions) != (self.name, self.dimensions):
                raise EmbeddingUnavailable(
                    f"A server of COMPUTE_URL embeds with {found.embedder}, and we with {self.name}: set both alike."
                )
            vectors[n : n + len(batch)] = np.asarray(found.vectors, np.float32)
        return vectors

    async def close(self) -> None:
        if self._http:
            await self._http.close()
            self._http = None

    async def _ask(self, what: str, content: "Content", shape: type[Shape]) -> Shape:
        """Each server, beginning with the next in turn; again while one is only busy.

        Raises _Refused, ComputeUnavailable.
        """
        until = time.monotonic() + PATIENCE
        while True:
            trouble, pause = "none is set", None
            for url in self._in_turn():
                try:
                    answer = await self._post(f"{url}/v1/compute/{what}", content)
                    self._failed.pop(url, None)
                    return msgspec.json.decode(answer, type=shape)
                except _Busy as busy:
                    trouble, pause = "it is busy", busy.seconds
                except (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError) as failure:
                    trouble = f"{type(failure).__name__}: {failure}"
                    self._failed[url] = time.monotonic()
                    log.warning("a compute server failed", url=url, work=what, cause=trouble)
            if pause is None or time.monotonic() > until:
                raise ComputeUnavailable(f"No server of COMPUTE_URL does {what}: {trouble}")
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    def _in_turn(self) -> list[str]:
        self._turn += 1
        start = self._turn % max(1, len(self._urls))
        now = time.monotonic()
        resting = {url for url, at in self._failed.items() if now - at < REST}
        return sorted(self._urls[start:] + self._urls[:start], key=resting.__contains__)

    async def _post(self, url: str, content: "Content") -> bytes:
        if self._http is None:
            self._http = aiohttp.ClientSession(headers={"X-Api-Key": self._key}, timeout=TIMEOUT)
        async with content() as options, self._http.post(url, **options) as answer:
            body = await answer.read()
            if answer.status in {413, 415, 422}:
                problem = msgspec.json.decode(body, type=dict[str, Any])
                raise _Refused(str(problem.get("code")), str(problem.get("detail")))
            if answer.status in {429, 503} and (seconds := answer.headers.get("Retry-After", "")).isdecimal():
                raise _Busy(min(float(seconds), LONGEST_PAUSE))
            if answer.status != 200:
                raise aiohttp.ClientError(f"it answers {answer.status}")
            return body


Content = Callable[[], Any]
"""Makes the body of a request anew for each server that is asked."""


def _json(body: msgspec.Struct) -> Content:
    @asynccontextmanager
    async def made() -> AsyncIterator[dict[str, Any]]:
        yield {"data": msgspec.json.encode(body), "headers": {"Content-Type": "application/json"}}

    return made
