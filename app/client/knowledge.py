"""Collections and documents, as methods of the client."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

import msgspec

from app.client.files import Progress, no_progress, upload_of
from app.client.transport import Transport, json_body, no_body
from app.knowledge.collections import ChangeBody, CreateBody
from app.knowledge.comparing import ReindexView
from app.knowledge.documents import ChangeBody as MetadataBody
from app.knowledge.documents import DeleteBody, KnownBody, ReingestBody
from app.knowledge.reindexing import PromoteBody, ReindexBody
from app.knowledge.views import (
    AcceptedDocuments,
    Changed,
    ChunkView,
    CollectionView,
    DocumentSummary,
    DocumentView,
    IngestionStatistics,
    IngestionSummary,
    IngestionView,
    KnownDocuments,
    ManyDeleted,
    Value,
)

T = TypeVar("T")

NOTHING: Mapping[str, Value] = {}


class Knowledge:
    """Every method raises `Refused` or `Unreachable`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create_collection(
        self, name: str, *, description: str = "", embedder: str | None = None, key: str | None = None
    ) -> Changed:
        """Make a collection; `Refused` with `NAME_TAKEN` when there is one of that name."""
        body = CreateBody(name=name, description=description, embedder=embedder)
        return await self._send("POST", "/v1/collections", Changed, body, key=key)

    async def collection(self, name: str) -> CollectionView:
        return await self._transport.get(_collection(name), CollectionView)

    async def collections(self) -> AsyncIterator[CollectionView]:
        """Newest first, page after page."""
        async for each in self._transport.pages("/v1/collections", CollectionView):
            yield each

    async def change_collection(
        self, name: str, *, new_name: str | None = None, description: str | None = None
    ) -> Changed:
        """Rename or describe it; `Refused` with `NAME_TAKEN` when there is another one of that name."""
        body = ChangeBody(name=new_name, description=description)
        return await self._send("PATCH", _collection(name), Changed, body)

    async def delete_collection(self, name: str) -> Changed:
        """Delete it with all its documents."""
        return await self._transport.send("DELETE", _collection(name), Changed, key=None)

    async def upload(
        self,
        path: Path | str,
        *,
        collection: str,
        strategy: str | None = None,
        size: int | None = None,
        overlap: int | None = None,
        metadata: Mapping[str, Value] = NOTHING,
        key: str | None = None,
        progress: Progress = no_progress,
    ) -> AcceptedDocuments:
        """Upload a document. The same bytes in a collection are the same document, as long as it is there."""
        fields = {
            "collection": collection,
            "strategy": strategy,
            "size": size,
            "overlap": overlap,
            "metadata": msgspec.json.encode(metadata).decode() if metadata else None,
        }
        upload = await upload_of(Path(path), fields, key or uuid4().hex)
        return await self._transport.send(
            "POST", "/v1/documents", AcceptedDocuments, key=upload.key, body=lambda: upload.body(progress)
        )

    async def known(self, collection: str, hashes: Sequence[str]) -> KnownDocuments:
        """Which contents (SHA-256, lower-case hex) the collection has."""
        body = KnownBody(collection=collection, sha256=tuple(hashes))
        return await self._send("POST", "/v1/documents/known", KnownDocuments, body)

    async def document(self, document_id: UUID) -> DocumentView:
        return await self._transport.get(f"/v1/documents/{document_id}", DocumentView)

    async def documents(
        self, *, collection: str | None = None, status: str | None = None, text: str | None = None
    ) -> AsyncIterator[DocumentSummary]:
        """Newest first, page after page."""
        query = {"collection": collection, "status": status, "text": text}
        async for each in self._transport.pages("/v1/documents", DocumentSummary, **query):
            yield each

    async def chunks(self, document_id: UUID) -> AsyncIterator[ChunkView]:
        """What is searched of a document, in its order."""
        async for each in self._transport.pages(f"/v1/documents/{document_id}/chunks", ChunkView):
            yield each

    async def reingest(
        self,
        document_id: UUID,
        *,
        strategy: str | None = None,
        size: int | None = None,
        overlap: int | None = None,
    ) -> Changed:
        """Read a document once more, perhaps cut otherwise; the answer's id is the ingestion's."""
        body = ReingestBody(strategy=strategy, size=size, overlap=overlap)
        return await self._send("POST", f"/v1/documents/{document_id}/reingest", Changed, body)

    async def change_metadata(self, document_id: UUID, metadata: Mapping[str, Value]) -> Changed:
        """What is said of a document from now on, all of it."""
        body = MetadataBody(metadata=dict(metadata))
        return await self._send("PATCH", f"/v1/documents/{document_id}", Changed, body)

    async def delete(self, *document_ids: UUID) -> ManyDeleted:
        return await self._send("POST", "/v1/documents/delete", ManyDeleted, DeleteBody(ids=document_ids))

    async def ingestion(self, ingestion_id: UUID) -> IngestionView:
        """How far an ingestion is."""
        return await self._transport.get(f"/v1/ingestions/{ingestion_id}", IngestionView)

    async def ingestions(
        self, *, collection: str | None = None, status: str | None = None
    ) -> AsyncIterator[IngestionSummary]:
        """Newest first, page after page."""
        async for each in self._transport.pages(
            "/v1/ingestions", IngestionSummary, collection=collection, status=status
        ):
            yield each

    async def statistics(self) -> IngestionStatistics:
        """Ingestions by status and stage, and what failed."""
        return await self._transport.get("/v1/ingestions/statistics", IngestionStatistics)

    async def cancel(self, ingestion_id: UUID) -> Changed:
        return await self._send("POST", f"/v1/ingestions/{ingestion_id}/cancel", Changed)

    async def retry(self, ingestion_id: UUID) -> Changed:
        """Go on from the stage that failed or was stopped."""
        return await self._send("POST", f"/v1/ingestions/{ingestion_id}/retry", Changed)

    async def reindex(
        self,
        collection: str,
        *,
        embedder: str | None = None,
        strategy: str | None = None,
        size: int | None = None,
        overlap: int | None = None,
    ) -> Changed:
        """Build another index beside the one that answers."""
        body = ReindexBody(embedder=embedder, strategy=strategy, size=size, overlap=overlap)
        return await self._send("POST", f"{_collection(collection)}/reindex", Changed, body)

    async def reindexing(self, collection: str) -> ReindexView:
        """How far the other index is, and how what it finds differs."""
        return await self._transport.get(f"{_collection(collection)}/reindex", ReindexView)

    async def promote(self, collection: str, *, force: bool = False) -> Changed:
        body = PromoteBody(force=force)
        return await self._send("POST", f"{_collection(collection)}/reindex/promote", Changed, body)

    async def revert(self, collection: str) -> Changed:
        return await self._send("POST", f"{_collection(collection)}/reindex/revert", Changed)

    async def _send(
        self,
        method: str,
        path: str,
        answer: type[T],
        body: msgspec.Struct | None = None,
        *,
        key: str | None = None,
    ) -> T:
        made = no_body if body is None else json_body(body)
        return await self._transport.send(method, path, answer, key=key or uuid4().hex, body=made)


def _collection(name: str) -> str:
    return f"/v1/collections/{quote(name, safe='')}"
