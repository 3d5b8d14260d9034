"""The rows of questions and answers, and of the passages that went into them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from events.chat import AnswerAnswered, AnswerAsked, AnswerDeleted, AnswerFailed, Reference
from events.envelope import Recorded
from infra.retrieval.saved import SavedAnswer
from projections.changes import Change, Table, delete, patch, upsert

ANSWERS = Table(
    "answers",
    {
        "id": "uuid",
        "status": "text not null",
        "question": "text not null",
        "scope": "jsonb not null",
        "contexts": "jsonb not null",
        "follows": "uuid",
        "answer": "text",
        "method": "text",
        "query": "text",
        "positions": "jsonb",
        "closeness": "float8",
        "supported": "boolean",
        "embedder": "text",
        "model": "text",
        "digest": "text",
        "prompt_hash": "text",
        "note": "text",
        "seconds": "float8",
        "error_code": "text",
        "error_detail": "text",
        "asked_by": "text not null",
        "asked_at": "timestamptz not null",
        "answered_at": "timestamptz",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=(
        "create index on {table} (position)",
        "create index on {table} (asked_by, position)",
        "create index on {table} (follows) where follows is not null",
    ),
)

ANSWER_PASSAGES = Table(
    "answer_passages",
    {
        "answer_id": "uuid",
        "number": "int",
        "quoted": "int",
        "context": "text not null",
        "found_in": "text not null",
        "kind": "text not null",
        "source_id": "uuid not null",
        "n": "int not null",
        "hash": "text not null",
        "start_char": "int not null",
        "end_char": "int not null",
        "start_s": "float8",
        "end_s": "float8",
        "page": "int",
        "quote": "text",
        "quote_start": "int",
        "quote_end": "int",
    },
    key=("answer_id", "number", "quoted"),
    indexes=("create index on {table} (source_id)",),
)
"""One row for each quote, the first numbered 0; a passage that is not cited has a row without a quote."""


def rows(recorded: Recorded[Any], content: SavedAnswer | None) -> Iterator[Change]:
    """What an event of an answer does to the tables."""
    match recorded.event:
        case AnswerAsked() as e:
            yield upsert(
                ANSWERS,
                id=e.answer_id,
                status="processing",
                question=e.question,
                scope=_json(e.scope),
                contexts=_json(e.contexts),
                follows=e.follows,
                asked_by=recorded.actor,
                asked_at=recorded.at,
                position=recorded.position,
                revision=recorded.position,
            )
        case AnswerAnswered() as e:
            yield _answered(e, recorded, content)
            yield from _passages(e, content)
        case AnswerFailed() as e:
            yield patch(
                ANSWERS,
                id=e.answer_id,
                status="failed",
                error_code=e.code,
                error_detail=e.detail,
                answered_at=recorded.at,
                revision=recorded.position,
            )
        case AnswerDeleted() as e:
            yield delete(ANSWER_PASSAGES, answer_id=e.answer_id)
            yield delete(ANSWERS, id=e.answer_id)


def _answered(e: AnswerAnswered, recorded: Recorded[Any], content: SavedAnswer | None) -> Change:
    return patch(
        ANSWERS,
        id=e.answer_id,
        status="completed",
        answer=content.text if content else None,
        method=e.method,
        query=e.query,
        positions=_json(e.positions),
        closeness=e.closeness,
        supported=e.supported,
        embedder=e.embedder,
        model=e.model,
        digest=e.digest,
        prompt_hash=e.prompt_hash,
        note=e.note,
        seconds=e.seconds,
        answered_at=recorded.at,
        revision=recorded.position,
    )


def _passages(e: AnswerAnswered, content: SavedAnswer | None) -> Iterator[Change]:
    for reference in e.references:
        quotes = [each for each in content.quotes if each.number == reference.number] if content else []
        for n, quote in enumerate(quotes):
            yield _passage(
                e, reference, n, quote=quote.text, quote_start=quote.start_char, quote_end=quote.end_char
            )
        if not quotes:
            yield _passage(e, reference, 0, quote=None, quote_start=None, quote_end=None)


def _passage(e: AnswerAnswered, reference: Reference, quoted: int, **quote: Any) -> Change:
    return upsert(
        ANSWER_PASSAGES,
        answer_id=e.answer_id,
        number=reference.number,
        quoted=quoted,
        context=reference.context,
        found_in=reference.index,
        kind=reference.kind,
        source_id=reference.source_id,
        n=reference.n,
        hash=reference.hash,
        start_char=reference.start_char,
        end_char=reference.end_char,
        start_s=reference.start,
        end_s=reference.end,
        page=reference.page,
        **quote,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


TABLES = (ANSWERS, ANSWER_PASSAGES)
