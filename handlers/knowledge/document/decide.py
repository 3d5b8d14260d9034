"""Rules of a document: its ingestion, stage by stage, and the indexes it is in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never
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
    Held,
    IndexFailed,
    IndexRemoved,
    IndexRequested,
    Metadata,
    MetadataChanged,
    Stage,
)
from handlers.commands import Command, Decider, as_told
from handlers.refusals import Conflict, NotFound


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
    slots: Mapping[int, Slot] = field(default_factory=dict)

    def awaits(self, ingestion: UUID, stage: Stage) -> bool:
        """Whether this stage of this ingestion is what comes next. One that failed may still succeed."""
        return self.ingestion == ingestion and self.stage == stage and not self.cancelled

    def slot(self, number: int) -> Slot | None:
        """Where an index is, or another of its parity."""
        return self.slots.get(number % 2)


State = Absent | Document | Deleted


def decide(command: DocumentCommand, state: State) -> Sequence[DocumentEvent]:
    match state:
        case Absent():
            if isinstance(command, UploadDocument):
                return [as_told(DocumentUploaded, command)]
            return _missing(command)
        case Deleted(first=first):
            if isinstance(command, UploadDocument) and command.ingestion_id != first:
                raise Conflict("DOCUMENT_DELETED", "A document of this id has been deleted.")
            return [] if isinstance(command, UploadDocument) else _missing(command)
        case Document():
            return _change(command, state)


def _missing(command: DocumentCommand) -> Sequence[DocumentEvent]:
    """Late news change nothing; who asks for something is told."""
    if isinstance(command, IngestionCommand | ChangeMetadata):
        raise NotFound("DOCUMENT_NOT_FOUND", f"There is no document {command.document_id}.")
    return []


def _change(command: DocumentCommand, now: Document) -> Sequence[DocumentEvent]:
    id = command.document_id
    match command:
        case UploadDocument():
            return []  # the same bytes again
        case RecordText() | RecordChunks() | RecordVectors() | FailStage():
            return _stage(command, now)
        case RetryIngestion() | CancelIngestion() | Reingest():
            return _ingestion(command, now)
        case RequestIndex() | RecordIndexed() | FailIndex() | RemoveIndex():
            return _index(command, now)
        case ChangeMetadata(metadata=metadata):
            if metadata == now.metadata:
                return []
            held = tuple(
                Held(number=each.number, embedder=each.embedder, chunks=each.chunks)
                for each in now.slots.values()
                if each.chunks is not None
            )
            return [MetadataChanged(document_id=id, metadata=metadata, held=held)]
        case DeleteDocument():
            return [DocumentDeleted(document_id=id, collection_id=now.collection_id, ingestion_id=now.first)]
    assert_never(command)


def _stage(command: StageCommand, now: Document) -> Sequence[DocumentEvent]:
    """What a stage found out, if it is still wanted."""
    match command:
        case RecordText() as c if now.awaits(c.ingestion_id, "parsing"):
            return [as_told(DocumentParsed, c)]
        case RecordChunks() as c if now.awaits(c.ingestion_id, "chunking") and c.parsed == now.parsed:
            return [as_told(DocumentChunked, c)]
        case RecordVectors() as c if now.awaits(c.ingestion_id, "embedding"):
            return _embedded(c, now)
        case FailStage() as c if now.awaits(c.ingestion_id, c.stage) and not now.failed:
            return [as_told(DocumentFailed, c)]
    return []


def _embedded(command: RecordVectors, now: Document) -> Sequence[DocumentEvent]:
    made = now.chunked
    if made is None or made.blob != command.chunked:
        return []
    slot = now.slot(made.number)
    if slot and slot.number > made.number:  # its index is no more: cut again, for the one that answers
        return [
            DocumentRetried(
                document_id=command.document_id, ingestion_id=command.ingestion_id, stage="chunking"
            )
        ]
    told = {name: getattr(made, name) for name in ("parsed", "number", "embedder", "chunking", "chunks")}
    return [
        as_told(DocumentEmbedded, command, collection_id=now.collection_id, metadata=now.metadata, **told)
    ]


def _ingestion(command: IngestionCommand, now: Document) -> Sequence[DocumentEvent]:
    id, running = command.document_id, now.stage is not None and not (now.failed or now.cancelled)
    if isinstance(command, Reingest):
        stopped = (
            [DocumentCancelled(document_id=id, ingestion_id=now.ingestion, stage=now.stage)]
            if running and now.stage
            else []
        )
        chunking = command.chunking or now.chunking
        return [
            *stopped,
            DocumentReingested(document_id=id, ingestion_id=command.ingestion_id, chunking=chunking),
        ]
    if command.ingestion_id != now.ingestion:
        raise Conflict("INGESTION_SUPERSEDED", "The document has been ingested again since.")
    if now.stage is None:
        raise Conflict("INGESTION_COMPLETED", "The ingestion is complete; ingest the document again instead.")
    match command:
        case CancelIngestion() if now.cancelled:
            return []
        case CancelIngestion() if now.failed:
            raise Conflict(
                "INGESTION_FAILED", "The ingestion has failed already; retry it, or delete the document."
            )
        case CancelIngestion():
            return [DocumentCancelled(document_id=id, ingestion_id=now.ingestion, stage=now.stage)]
        case RetryIngestion() if running:
            raise Conflict("INGESTION_RUNS", "The ingestion is under way; it cannot be retried yet.")
        case RetryIngestion():
            return [DocumentRetried(document_id=id, ingestion_id=now.ingestion, stage=now.stage)]
    assert_never(command)


def _index(command: IndexCommand, now: Document) -> Sequence[DocumentEvent]:
    slot = now.slot(command.number)
    match command:
        case RequestIndex() as c:
            chunking = c.chunking or now.chunking
            if now.parsed is None or (slot and _has(slot, c.number, chunking, now.parsed)):
                return []
            return [
                IndexRequested(
                    document_id=c.document_id,
                    collection_id=now.collection_id,
                    number=c.number,
                    embedder=c.embedder,
                    chunking=chunking,
                    parsed=now.parsed,
                )
            ]
        case RecordIndexed() as c:
            if not slot or not slot.awaits(c.number, c.chunking, c.parsed):
                return []
            return [
                as_told(
                    DocumentIndexed,
                    c,
                    collection_id=now.collection_id,
                    embedder=slot.embedder,
                    metadata=now.metadata,
                )
            ]
        case FailIndex() as c:
            return (
                [as_told(IndexFailed, c)] if slot and slot.number == c.number and slot.chunks is None else []
            )
        case RemoveIndex() as c:
            gone = slot and slot.number == c.number
            return [as_told(IndexRemoved, c, embedder=slot.embedder)] if slot and gone else []
    assert_never(command)


def _has(slot: Slot, number: int, chunking: Chunking, parsed: str) -> bool:
    """Whether the document belongs to this index already, as it is now, or to a later one in its place."""
    same = (slot.number, slot.chunking, slot.parsed) == (number, chunking, parsed)
    return same or slot.number > number


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
            over = replace(now, stage=None, failed=False) if isinstance(e, DocumentEmbedded) else now
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


DOCUMENTS: Decider[DocumentCommand, State] = Decider(
    "knowledge",
    "document",
    (
        UploadDocument,
        RecordText,
        RecordChunks,
        RecordVectors,
        FailStage,
        RetryIngestion,
        CancelIngestion,
        Reingest,
        ChangeMetadata,
        RequestIndex,
        RecordIndexed,
        FailIndex,
        RemoveIndex,
        DeleteDocument,
    ),
    Absent(),
    decide,
    evolve,
)
