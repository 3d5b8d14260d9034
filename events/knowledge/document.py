"""What happens to a document: it is read, cut, embedded, put into indexes, and goes."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from events.envelope import Event
from events.knowledge.cutting import Chunking

Stage = Literal["parsing", "chunking", "embedding"]
Metadata = Mapping[str, str | int | float | bool]


class DocumentEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "knowledge"
    aggregate: ClassVar[str] = "document"
    document_id: UUID


class DocumentUploaded(DocumentEvent, frozen=True, kw_only=True):
    """A document was accepted, and its first ingestion is queued."""

    collection_id: UUID
    ingestion_id: UUID
    blob: str
    """Blob key of the original."""
    size: int
    media_type: str
    """As its sender calls it; parsing tells better."""
    file_name: str
    chunking: Chunking
    metadata: Metadata = msgspec.field(default_factory=dict)
    uploaded_at: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class StageEvent(DocumentEvent, frozen=True, kw_only=True):
    """A stage of an ingestion has ended well."""

    ingestion_id: UUID
    blob: str
    """Blob key of what the stage made."""
    size: int
    attempts: int = 1
    started_at: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class DocumentParsed(StageEvent, frozen=True, kw_only=True):
    """What it says is known: text with its pages."""

    media_type: str
    pages: int
    characters: int
    title: str | None = None
    language: str | None = None
    pages_without_text: int = 0
    unread: str | None = None
    """In a sentence, why these may have none."""


class DocumentChunked(StageEvent, frozen=True, kw_only=True):
    """The text is cut, for the index that answered when it was."""

    parsed: str
    """Blob key of the text."""
    number: int
    """Of the index."""
    embedder: str
    chunking: Chunking
    chunks: int


class DocumentEmbedded(StageEvent, frozen=True, kw_only=True):
    """The chunks have vectors: the ingestion is complete, and the document can be found."""

    collection_id: UUID
    parsed: str
    number: int
    embedder: str
    chunking: Chunking
    dimensions: int
    chunks: int
    metadata: Metadata = msgspec.field(default_factory=dict)
    uploaded_at: datetime | None = None
    """How old what can be found is."""


class DocumentFailed(DocumentEvent, frozen=True, kw_only=True):
    """A stage will not succeed: the document is at fault, or every attempt failed."""

    ingestion_id: UUID
    stage: Stage
    code: str
    detail: str
    attempts: int = 1
    started_at: datetime | None = None


class DocumentRetried(DocumentEvent, frozen=True, kw_only=True):
    """An ingestion that failed or was cancelled goes on with this stage."""

    ingestion_id: UUID
    stage: Stage


class DocumentCancelled(DocumentEvent, frozen=True, kw_only=True):
    """An ingestion was stopped; what it still finds out is not wanted."""

    ingestion_id: UUID
    stage: Stage


class DocumentReingested(DocumentEvent, frozen=True, kw_only=True):
    """The document is read once more, perhaps cut otherwise. Until that is done, what there was answers."""

    ingestion_id: UUID
    chunking: Chunking
    file_name: str | None = None
    """Where the same bytes came again under another name,"""
    media_type: str | None = None
    """and perhaps with another type: what they are may be told by that."""


class Held(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Chunks of a document in one index."""

    number: int
    embedder: str
    chunks: int


class MetadataChanged(DocumentEvent, frozen=True, kw_only=True):
    metadata: Metadata
    held: tuple[Held, ...] = ()
    """The rows that repeat the metadata."""


class IndexRequested(DocumentEvent, frozen=True, kw_only=True):
    """The document belongs into this index of its collection too."""

    collection_id: UUID
    number: int
    embedder: str
    chunking: Chunking
    parsed: str


class DocumentIndexed(DocumentEvent, frozen=True, kw_only=True):
    """The document is in an index that was asked for beside its ingestion."""

    collection_id: UUID
    blob: str
    """Blob key of the chunks with their vectors."""
    size: int
    parsed: str
    number: int
    embedder: str
    chunking: Chunking
    dimensions: int
    chunks: int
    metadata: Metadata = msgspec.field(default_factory=dict)
    uploaded_at: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class IndexFailed(DocumentEvent, frozen=True, kw_only=True):
    """The document could not be put into an index that was asked for."""

    number: int
    code: str
    detail: str


class IndexRemoved(DocumentEvent, frozen=True, kw_only=True):
    """The document has left an index."""

    number: int
    embedder: str


class DocumentDeleted(DocumentEvent, frozen=True, kw_only=True):
    """It is gone without a trace; only the eraser follows."""

    collection_id: UUID
    ingestion_id: UUID
    """The first one: a repeated request finds what it once made."""


DOCUMENT_EVENTS = (
    DocumentUploaded,
    DocumentParsed,
    DocumentChunked,
    DocumentEmbedded,
    DocumentFailed,
    DocumentRetried,
    DocumentCancelled,
    DocumentReingested,
    MetadataChanged,
    IndexRequested,
    DocumentIndexed,
    IndexFailed,
    IndexRemoved,
    DocumentDeleted,
)
