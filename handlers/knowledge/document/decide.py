"""Rules of a document: its ingestion, stage by stage, and the indexes it is in."""

from collections.abc import Sequence
from typing import assert_never

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
    MetadataChanged,
)
from handlers.commands import Decider, as_told
from handlers.knowledge.document.commands import (
    CancelIngestion,
    ChangeMetadata,
    DeleteDocument,
    DocumentCommand,
    FailIndex,
    FailStage,
    IndexCommand,
    IngestionCommand,
    RecordChunks,
    RecordIndexed,
    RecordText,
    RecordVectors,
    Reingest,
    RemoveIndex,
    RequestIndex,
    RetryIngestion,
    StageCommand,
    UploadDocument,
)
from handlers.knowledge.document.state import Absent, Deleted, Document, Slot, State, evolve
from handlers.refusals import Conflict, NotFound, deleted_since


def decide(command: DocumentCommand, state: State) -> Sequence[DocumentEvent]:
    match state:
        case Absent():
            if isinstance(command, UploadDocument):
                return [as_told(DocumentUploaded, command)]
            return _missing(command)
        case Deleted(first=first):
            if isinstance(command, UploadDocument):
                if command.ingestion_id == first:
                    raise deleted_since("document", command.document_id)
                raise Conflict("DOCUMENT_DELETED", "A document of this id has been deleted.")
            return _missing(command)
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
        case UploadDocument() as c if now.failed and now.parsed is None and c.file_name != now.file_name:
            return [
                as_told(DocumentReingested, c)
            ]  # what could not be read under one name may be under its own
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
        as_told(
            DocumentEmbedded,
            command,
            collection_id=now.collection_id,
            metadata=now.metadata,
            uploaded_at=now.uploaded_at,
            **told,
        )
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
            if now.parsed is None or not now.complete:
                return []  # once it is complete, `settle_document` asks for it
            if slot and _has(slot, c.number, chunking, now.parsed):
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
                    uploaded_at=now.uploaded_at,
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
