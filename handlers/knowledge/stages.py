"""The handlers of ingestions: which stage follows which fact."""

from typing import Any

from events.envelope import Event, Recorded
from events.knowledge import (
    DocumentChunked,
    DocumentParsed,
    DocumentReingested,
    DocumentRetried,
    DocumentUploaded,
    Stage,
)
from handlers.handler import PATIENCE, Answer, Attempt, Failure, Handler
from handlers.knowledge.document.commands import FailStage
from handlers.knowledge.ingesting import Ingesting

TIMEOUT: dict[Stage, float] = {"parsing": 600.0, "chunking": 300.0, "embedding": 3600.0}
STAGE_OF: dict[str, Stage] = {
    "parse_document": "parsing",
    "parse_document_again": "parsing",
    "chunk_document": "chunking",
    "embed_document": "embedding",
}
"""Handlers by name, with the stage that each does."""
RESUME = "resume_ingestion"
"""Does any stage."""
FAILED: dict[Stage, str] = {
    "parsing": "PARSING_FAILED",
    "chunking": "CHUNKING_FAILED",
    "embedding": "EMBEDDING_FAILED",
}


def stages(ingesting: Ingesting) -> tuple[Handler, ...]:
    """One handler for each fact that a stage follows."""
    return (
        _handler("parse_document", DocumentUploaded, ingesting, concurrency=2),
        _handler("parse_document_again", DocumentReingested, ingesting, concurrency=1),
        _handler("chunk_document", DocumentParsed, ingesting, concurrency=2),
        _handler("embed_document", DocumentChunked, ingesting, concurrency=2),
        _handler(RESUME, DocumentRetried, ingesting, concurrency=1),
    )


def _handler(name: str, on: type[Event], ingesting: Ingesting, *, concurrency: int) -> Handler:
    def stage_of(event: Any) -> Stage:
        stage: Stage = STAGE_OF.get(name) or event.stage
        return stage

    async def effect(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        event = recorded.event
        return await ingesting.stage(stage_of(event), event.document_id, event.ingestion_id, attempt)

    def give_up(recorded: Recorded[Any], failure: Failure) -> FailStage:
        event, stage = recorded.event, stage_of(recorded.event)
        what, tries = stage.capitalize(), failure.attempts
        return FailStage(
            document_id=event.document_id,
            ingestion_id=event.ingestion_id,
            stage=stage,
            code=FAILED[stage],
            detail=f"{what} failed {tries} times and is among the dead letters. {failure.error}",
            attempts=failure.attempts,
        )

    return Handler(
        name=name,
        on=on,
        effect=effect,
        give_up=give_up,
        timeout=max(TIMEOUT.values()) if name == RESUME else TIMEOUT[STAGE_OF[name]],
        backoff=PATIENCE,
        concurrency=concurrency,
    )
