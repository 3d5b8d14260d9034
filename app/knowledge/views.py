"""What `knowledge` answers, as the structs that OpenAPI shows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Status = Literal["accepted", "processing", "completed", "failed", "cancelled"]
StageName = Literal["queued", "parsing", "chunking", "embedding", "indexed"]
State = Literal["pending", "processing", "completed", "failed", "cancelled"]
Value = str | int | float | bool


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class ChunkingView(_View, frozen=True, kw_only=True):
    strategy: str
    size: int
    overlap: int


class IndexView(_View, frozen=True, kw_only=True):
    """An index of a collection. Without a chunking, each document is cut as it was uploaded."""

    number: int
    role: Literal["active", "candidate", "previous"]
    embedder: str
    chunking: ChunkingView | None
    begun_at: datetime
    promoted_at: datetime | None


class CollectionView(_View, frozen=True, kw_only=True):
    id: UUID
    name: str
    description: str
    embedder: str
    """Of the index that answers."""
    chunking: ChunkingView
    """How the index that answers cuts documents; where it has no way of its own, how those are cut that say nothing
    else."""
    documents: int
    by_status: Mapping[str, int]
    chunks: int
    bytes: int
    """Of the originals."""
    indexes: tuple[IndexView, ...]
    created_at: datetime
    created_by: str
    updated_at: datetime


class Fault(_View, frozen=True, kw_only=True):
    code: str
    detail: str


class StageView(_View, frozen=True, kw_only=True):
    """How far one stage is. A `processing` stage with an `error` is waiting for its next attempt."""

    stage: str
    state: State
    progress: int
    """0 to 100."""
    message: str
    attempts: int
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Fault | None = None


class IngestionSummary(_View, frozen=True, kw_only=True):
    """A run of a document's stages."""

    id: UUID
    document_id: UUID
    collection: str
    file_name: str
    status: Status
    stage: StageName
    queued_at: datetime
    updated_at: datetime


class IngestionView(IngestionSummary, frozen=True, kw_only=True):
    stages: tuple[StageView, ...]


class DocumentSummary(_View, frozen=True, kw_only=True):
    id: UUID
    collection: str
    file_name: str
    title: str | None
    media_type: str
    size: int
    """Bytes."""
    sha256: str
    """Of the original, lower-case hex."""
    pages: int | None
    pages_without_text: int | None
    """Of them; such as pictures of text on a server without tesseract. The message of `parsing` says why."""
    characters: int | None
    language: str | None
    chunks: int
    """In the index that answers."""
    metadata: Mapping[str, Value]
    chunking: ChunkingView
    """How it is cut for the index that answers."""
    status: Status
    stage: StageName
    ingestion_id: UUID
    """The newest."""
    uploaded_at: datetime
    uploaded_by: str
    updated_at: datetime


class DocumentView(DocumentSummary, frozen=True, kw_only=True):
    stages: tuple[StageView, ...]
    original_url: str
    """Where the original can be downloaded for a while."""


class ChunkView(_View, frozen=True, kw_only=True):
    """A piece of a document's text: characters `startChar` to `endChar`."""

    n: int
    text: str
    start_char: int
    end_char: int
    page: int | None


class AcceptedDocument(_View, frozen=True, kw_only=True):
    document_id: UUID
    ingestion_id: UUID
    file_name: str
    known: bool
    """The collection had these bytes already: the same document."""


class RefusedFile(_View, frozen=True, kw_only=True):
    file_name: str | None
    """None where the request itself is at fault; nothing behind it was read."""
    code: str
    detail: str


class AcceptedDocuments(_View, frozen=True, kw_only=True):
    """Every file is whole or not there: `refused` names those that are not."""

    documents: tuple[AcceptedDocument, ...]
    position: str
    refused: tuple[RefusedFile, ...] = ()


class KnownDocument(_View, frozen=True, kw_only=True):
    sha256: str
    document_id: UUID
    ingestion_id: UUID
    status: Status
    error: Fault | None = None
    """Why it failed."""


class KnownDocuments(_View, frozen=True, kw_only=True):
    """Those of the contents that the collection has."""

    known: tuple[KnownDocument, ...]


class IngestionStatistics(_View, frozen=True, kw_only=True):
    total: int
    by_status: Mapping[str, int]
    by_stage: Mapping[str, int]
    """Of those under way."""
    failures: Mapping[str, int]
    """Failed stages by their codes."""


class Changed(_View, frozen=True, kw_only=True):
    """A command was carried out; send `position` as `Headwater-After` to read what follows from it."""

    id: UUID
    position: str


class ManyDeleted(_View, frozen=True, kw_only=True):
    deleted: tuple[UUID, ...]
    unknown: tuple[UUID, ...]
    position: str
