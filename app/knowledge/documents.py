"""HTTP of documents: what they are, what they say, and the end of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec
from aiohttp import web

from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.http.forms import SHA256
from app.intents import created_id, intent
from app.knowledge import queries, runs
from app.knowledge.cutting import Cut, chunking_of
from app.knowledge.finding import Finding
from app.knowledge.uploads import MetadataBody
from app.knowledge.views import (
    Changed,
    ChunkView,
    DocumentSummary,
    DocumentView,
    KnownDocuments,
    ManyDeleted,
    Status,
)
from events.envelope import Intent, Key
from events.ids import derived_id
from handlers.commands import Commands, asking_the_log
from handlers.knowledge.document.commands import ChangeMetadata, DeleteDocument, Reingest
from handlers.knowledge.document.decide import DOCUMENTS
from handlers.knowledge.document.state import Document
from handlers.refusals import Invalid, NotFound
from infra.retrieval import Index
from infra.signals import Signals

Link = Callable[[Call[Any, Any], str, str, str], Awaitable[str]]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]


class DocumentsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which documents to list, newest first."""

    collection: str | None = None
    status: Status | None = None
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    """A part of the file's name or of the title."""
    limit: Limit = 50
    cursor: str | None = None


class ChunksQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Chunks, in their order."""

    limit: Limit = 50
    cursor: str | None = None


class ChangeBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    metadata: MetadataBody


class ReingestBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How the document is cut this time; what is not given stays."""

    strategy: str | None = None
    size: int | None = None
    overlap: int | None = None


class KnownBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Contents, by which a document is known."""

    collection: str
    sha256: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern=SHA256)], ...],
        msgspec.Meta(min_length=1, max_length=1000),
    ]


class DeleteBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    ids: Annotated[tuple[UUID, ...], msgspec.Meta(min_length=1, max_length=200)]


def reading(
    *,
    db: asyncpg.Pool,
    signals: Signals,
    finding: Finding,
    indexes: Mapping[tuple[str, int], Index],
    link: Link,
) -> tuple[Endpoint, ...]:
    """What can be asked of documents."""

    async def listing(call: Call[DocumentsQuery, None]) -> Reply:
        q = call.query
        before = from_cursor(q.cursor, tuple[Place])[0] if q.cursor else None
        collection_id = await finding.readable(q.collection) if q.collection else None
        found = await queries.documents(
            db, collection_id=collection_id, status=q.status, text=q.text, before=before, limit=q.limit + 1
        )
        more = to_cursor(found[q.limit - 1][1]) if len(found) > q.limit else None
        return Reply(body=Page([summary for summary, _ in found[: q.limit]], more))

    async def show(call: Call[None, None]) -> Reply:
        row = await finding.document(call.ids["documentId"])
        stages, busy = await runs.stages(db, signals, row["id"], row["ingestion_id"])
        fields = {**queries.fields(row), "status": runs.now(row["status"], busy)}
        url = await link(call, row["blob"], row["media_type"], row["file_name"])
        return Reply(
            body=DocumentView(**fields, stages=tuple(stages), original_url=url),
            headers={"Cache-Control": "no-store"},
        )

    async def chunks(call: Call[ChunksQuery, None]) -> Reply:
        row, q = await finding.document(call.ids["documentId"]), call.query
        after = from_cursor(q.cursor, tuple[Place])[0] if q.cursor else -1
        answers = await queries.answering(db, row["collection_id"])
        index = indexes.get((answers[0], answers[1] % 2)) if answers else None
        if index is None or after >= 1 << 31:
            return Reply(body=Page[ChunkView]([]))
        found = await queries.chunks(db, index.table, row["id"], after=after, limit=q.limit + 1)
        more = to_cursor(found[q.limit - 1].n) if len(found) > q.limit else None
        return Reply(body=Page(found[: q.limit], more))

    async def original(call: Call[None, None]) -> Reply | web.StreamResponse:
        row = await finding.document(call.ids["documentId"])
        url = await link(call, row["blob"], row["media_type"], row["file_name"])
        return Reply(status=302, headers={"Location": url, "Cache-Control": "no-store"})

    async def known(call: Call[None, KnownBody]) -> Reply:
        collection_id = await finding.readable(call.body.collection)
        found = await queries.known(db, collection_id, call.body.sha256)
        return Reply(body=KnownDocuments(known=tuple(found)))

    return (
        Endpoint(
            method="POST", path="/v1/documents/known", handle=known,
            summary="Which contents a collection has already, by their hashes", tag="documents",
            scope="knowledge:read", body=KnownBody, answer=KnownDocuments, refusals=(NotFound,),
        ),
        Endpoint(
            method="GET", path="/v1/documents", handle=listing, summary="List documents, newest first",
            tag="documents", scope="knowledge:read", query=DocumentsQuery, answer=Page[DocumentSummary],
            refusals=(NotFound,),
        ),
        Endpoint(
            method="GET", path="/v1/documents/{documentId}", handle=show, summary="A document, and how far it is",
            tag="documents", scope="knowledge:read", answer=DocumentView, refusals=(NotFound,),
        ),
        Endpoint(
            method="GET", path="/v1/documents/{documentId}/chunks", handle=chunks,
            summary="What is searched of a document, with offsets and pages", tag="documents",
            scope="knowledge:read", query=ChunksQuery, answer=Page[ChunkView], refusals=(NotFound,),
        ),
        Endpoint(
            method="GET", path="/v1/documents/{documentId}/original", handle=original,
            summary="The original, by a link that serves ranges for a while", tag="documents",
            scope="knowledge:read", status=302, refusals=(NotFound,),
        ),
    )  # fmt: skip


def changing(*, commands: Commands, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """What can be done to documents."""

    async def live(document_id: UUID) -> Document:
        state = await commands.look(DOCUMENTS, document_id)
        if not isinstance(state, Document):
            raise NotFound("DOCUMENT_NOT_FOUND", f"There is no document {document_id}.")
        return state

    async def change(call: Call[None, ChangeBody]) -> Reply:
        id = call.ids["documentId"]
        command = ChangeMetadata(document_id=id, metadata=call.body.metadata)
        outcome = await commands.execute(command, intent(call, clock, call.body))
        return Reply(body=Changed(id=id, position=outcome.cursor), position=outcome.cursor)

    async def again(call: Call[None, ReingestBody]) -> Reply:
        id, body = call.ids["documentId"], call.body
        now = await live(id)
        cut = Cut(strategy=body.strategy, size=body.size, overlap=body.overlap)
        made = intent(call, clock, id, body)
        command = Reingest(
            document_id=id,
            ingestion_id=created_id(made, "ingestion"),
            chunking=chunking_of(cut, now.chunking) if cut.given else None,
        )
        outcome = await commands.execute(command, made)
        return Reply(body=Changed(id=command.ingestion_id, position=outcome.cursor), position=outcome.cursor)

    async def delete(call: Call[None, None]) -> Reply:
        id = call.ids["documentId"]
        await live(id)
        outcome = await commands.execute(DeleteDocument(document_id=id), intent(call, clock, id))
        return Reply(body=Changed(id=id, position=outcome.cursor), position=outcome.cursor)

    async def here(id: UUID, made: Intent) -> bool:
        """Whether there is such a document, or this same request has deleted it."""
        state = await commands.look(DOCUMENTS, id)
        if isinstance(state, Document):
            return True
        with asking_the_log():
            return await commands.done(Key("knowledge", "document", id), made.command_id)

    async def delete_many(call: Call[None, DeleteBody]) -> Reply:
        ids = tuple(dict.fromkeys(call.body.ids))
        made, position = intent(call, clock, call.body), 0
        intents = {
            id: msgspec.structs.replace(made, command_id=derived_id(made.command_id, str(id))) for id in ids
        }
        found = await asyncio.gather(*(here(id, intents[id]) for id in ids))
        known = [id for id, there in zip(ids, found, strict=True) if there]
        for id in known:
            outcome = await commands.execute(DeleteDocument(document_id=id), intents[id])
            position = max(position, outcome.position)
        cursor = f"KNOWLEDGE@{position}"
        unknown = tuple(id for id in ids if id not in known)
        return Reply(
            body=ManyDeleted(deleted=tuple(known), unknown=unknown, position=cursor), position=cursor
        )

    return (
        Endpoint(
            method="PATCH", path="/v1/documents/{documentId}", handle=change,
            summary="Change what is said of a document", tag="documents", scope="knowledge:write",
            body=ChangeBody, answer=Changed, refusals=(NotFound,),
        ),
        Endpoint(
            method="POST", path="/v1/documents/{documentId}/reingest", handle=again,
            summary="Ingest a document once more, perhaps cut otherwise; the answer's id is the ingestion's",
            tag="documents", scope="knowledge:write", body=ReingestBody, answer=Changed, status=202,
            refusals=(NotFound, Invalid),
        ),
        Endpoint(
            method="DELETE", path="/v1/documents/{documentId}", handle=delete,
            summary="Delete a document",
            tag="documents", scope="knowledge:write", answer=Changed, status=202, refusals=(NotFound,),
        ),
        Endpoint(
            method="POST", path="/v1/documents/delete", handle=delete_many,
            summary="Delete many documents",
            tag="documents", scope="knowledge:write", body=DeleteBody, answer=ManyDeleted, status=202,
        ),
    )  # fmt: skip
