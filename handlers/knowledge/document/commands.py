"""What can be asked of a document, and what handlers tell of it."""

from datetime import datetime
from uuid import UUID

from events.knowledge import (
    Chunking,
    Metadata,
    Stage,
)
from handlers.commands import Command


class UploadDocument(Command, frozen=True, kw_only=True):
    document_id: UUID
    collection_id: UUID
    ingestion_id: UUID
    blob: str
    size: int
    media_type: str
    file_name: str
    chunking: Chunking
    metadata: Metadata
    uploaded_at: datetime | None = None


class StageResult(Command, frozen=True, kw_only=True):
    document_id: UUID
    ingestion_id: UUID
    blob: str
    size: int
    attempts: int = 1
    started_at: datetime | None = None


class RecordText(StageResult, frozen=True, kw_only=True):
    media_type: str
    pages: int
    characters: int
    title: str | None = None
    language: str | None = None
    pages_without_text: int = 0
    unread: str | None = None
    """In a sentence, why these may have none."""


class RecordChunks(StageResult, frozen=True, kw_only=True):
    parsed: str
    number: int
    embedder: str
    chunking: Chunking
    chunks: int


class RecordVectors(StageResult, frozen=True, kw_only=True):
    chunked: str
    dimensions: int


class FailStage(Command, frozen=True, kw_only=True):
    document_id: UUID
    ingestion_id: UUID
    stage: Stage
    code: str
    detail: str
    attempts: int = 1
    started_at: datetime | None = None


class RetryIngestion(Command, frozen=True, kw_only=True):
    document_id: UUID
    ingestion_id: UUID


class CancelIngestion(Command, frozen=True, kw_only=True):
    document_id: UUID
    ingestion_id: UUID


class Reingest(Command, frozen=True, kw_only=True):
    document_id: UUID
    ingestion_id: UUID
    chunking: Chunking | None = None


class ChangeMetadata(Command, frozen=True, kw_only=True):
    document_id: UUID
    metadata: Metadata


class RequestIndex(Command, frozen=True, kw_only=True):
    """Put the document into this index too; without a chunking it is cut as it was uploaded."""

    document_id: UUID
    number: int
    embedder: str
    chunking: Chunking | None = None


class RecordIndexed(Command, frozen=True, kw_only=True):
    document_id: UUID
    blob: str
    size: int
    parsed: str
    number: int
    chunking: Chunking
    dimensions: int
    chunks: int


class FailIndex(Command, frozen=True, kw_only=True):
    document_id: UUID
    number: int
    code: str
    detail: str


class RemoveIndex(Command, frozen=True, kw_only=True):
    document_id: UUID
    number: int


class DeleteDocument(Command, frozen=True, kw_only=True):
    document_id: UUID


StageCommand = RecordText | RecordChunks | RecordVectors | FailStage
IngestionCommand = RetryIngestion | CancelIngestion | Reingest
IndexCommand = RequestIndex | RecordIndexed | FailIndex | RemoveIndex
DocumentCommand = (
    UploadDocument | StageCommand | IngestionCommand | IndexCommand | ChangeMetadata | DeleteDocument
)
