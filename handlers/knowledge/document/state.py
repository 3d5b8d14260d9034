"""What decisions about a document need to know of its past."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from events.knowledge import (
    Chunking,
    DocumentCancelled,
    DocumentChunked,
    DocumentDeleted,
    DocumentEmbedded,
    DocumentEvent,
    DocumentFailed,
    DocumentIndexed,
    DocumentParsed,
    DocumentReingested,
    DocumentRetried,
    DocumentUploaded,
    IndexRemoved,
    IndexRequested,
    Metadata,
    MetadataChanged,
    Stage,
)


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Deleted:
    first: UUID
    """Its first ingestion."""


@dataclass(frozen=True)
class Slot:
    """An index that the document belongs to; `chunks` once it is in it."""

    number: int
    embedder: str
    chunking: Chunking
    parsed: str
    chunks: int | None = None

    def awaits(self, number: int, chunking: Chunking, parsed: str) -> bool:
        """Whether this is what was asked for, and it is not there yet."""
        return self.chunks is None and (self.number, self.chunking, self.parsed) == (number, chunking, parsed)


@dataclass(frozen=True)
class Document:
    """`stage` is the one that comes next, None once the ingestion is complete.

    `slots` are by the parity of the index's number: the indexes of a parity share a table and replace each other.
    """

    collection_id: UUID
    first: UUID
    blob: str
    file_name: str
    media_type: str
    chunking: Chunking
    metadata: Metadata
    ingestion: UUID
    stage: Stage | None = "parsing"
    failed: bool = False
    cancelled: bool = False
    parsed: str | None = None
    chunked: DocumentChunked | None = None
    complete: bool = False
    """Whether an ingestion of it has ever come to its end."""
    slots: Mapping[int, Slot] = field(default_factory=dict)
    uploaded_at: datetime | None = None

    def awaits(self, ingestion: UUID, stage: Stage) -> bool:
        """Whether this stage of this ingestion is what comes next. One that failed may still succeed."""
        return self.ingestion == ingestion and self.stage == stage and not self.cancelled

    def slot(self, number: int) -> Slot | None:
        """Where an index is, or another of its parity."""
        return self.slots.get(number % 2)


State = Absent | Document | Deleted


def evolve(state: State, event: DocumentEvent) -> State:
    match event, state:
        case DocumentUploaded() as e, _:
            return Document(
                e.collection_id,
                e.ingestion_id,
                e.blob,
                e.file_name,
                e.media_type,
                e.chunking,
                e.metadata,
                e.ingestion_id,
                uploaded_at=e.uploaded_at,
            )
        case DocumentDeleted(ingestion_id=first), _:
            return Deleted(first)
        case _, Document():
            return _evolved(state, event)
    return state


def _evolved(now: Document, event: DocumentEvent) -> Document:
    match event:
        case DocumentParsed(blob=blob):
            return replace(now, parsed=blob, stage="chunking", failed=False)
        case DocumentChunked():
            return replace(now, chunked=event, stage="embedding", failed=False)
        case DocumentEmbedded() | DocumentIndexed() as e:
            slot = Slot(e.number, e.embedder, e.chunking, e.parsed, e.chunks)
            embedded = isinstance(e, DocumentEmbedded)
            over = replace(now, stage=None, failed=False, complete=True) if embedded else now
            return replace(over, slots={**now.slots, e.number % 2: slot})
        case DocumentFailed():
            return replace(now, failed=True)
        case DocumentRetried(stage=stage):
            return replace(now, stage=stage, failed=False, cancelled=False)
        case DocumentCancelled():
            return replace(now, cancelled=True)
        case DocumentReingested() as e:
            return replace(
                now,
                ingestion=e.ingestion_id,
                chunking=e.chunking,
                file_name=e.file_name or now.file_name,
                media_type=e.media_type or now.media_type,
                stage="parsing",
                failed=False,
                cancelled=False,
            )
        case MetadataChanged(metadata=metadata):
            return replace(now, metadata=metadata)
        case IndexRequested() as e:
            slot = Slot(e.number, e.embedder, e.chunking, e.parsed)
            return replace(now, slots={**now.slots, e.number % 2: slot})
        case IndexRemoved(number=number):
            return replace(now, slots={n: each for n, each in now.slots.items() if each.number != number})
    return now
