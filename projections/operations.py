"""The read model of `operations`: dead letters, alerts and erasures."""

from collections.abc import Iterator
from typing import Any

import msgspec

from events.envelope import Recorded
from events.operations import Cleared, Discarded, ErasureRecorded, Raised, Redriven, Resolved
from events.operations import Recorded as DeadLetter
from projections.changes import Change, Table, patch, upsert
from projections.projection import Projection

DEAD_LETTERS = Table(
    "dead_letters",
    {
        "id": "uuid",
        "status": "text not null",
        "stream": "text not null",
        "position": "bigint not null",
        "subject": "text not null",
        "aggregate": "text not null",
        "handler": "text not null",
        "error": "text not null",
        "attempts": "int not null",
        "event_id": "uuid",
        "reason": "text",
        "recorded_at": "timestamptz not null",
        "updated_at": "timestamptz not null",
    },
    key=("id",),
    indexes=(
        "create index on {table} (status, stream, position)",
        "create index on {table} (handler, aggregate)",
    ),
)

ALERTS = Table(
    "alerts",
    {
        "id": "uuid",
        "kind": "text not null",
        "subject": "text not null",
        "detail": "text not null",
        "raised_at": "timestamptz not null",
        "cleared_at": "timestamptz",
    },
    key=("id",),
    indexes=("create index on {table} (raised_at)",),
)


ERASURES = Table(
    "erasures",
    {
        "id": "uuid",
        "what": "text not null",
        "position": "text not null",
        "messages": "int not null",
        "erased": "jsonb not null",
        "kept": "jsonb not null",
        "recorded_at": "timestamptz not null",
        "recorded_position": "bigint not null",
    },
    key=("id", "what"),
    indexes=("create index on {table} (recorded_position)",),
)


def rows(recorded: Recorded[Any], _: None) -> Iterator[Change]:
    """What an event of `operations` does to the tables."""
    at = recorded.at
    match recorded.event:
        case DeadLetter() as e:
            yield upsert(
                DEAD_LETTERS,
                id=e.dead_letter_id,
                status="open",
                stream=e.stream,
                position=e.position,
                subject=e.subject,
                aggregate=aggregate_of(e.subject),
                handler=e.handler,
                error=e.error,
                attempts=e.attempts,
                event_id=e.event_id,
                recorded_at=at,
                updated_at=at,
            )
        case Redriven() as e:
            yield patch(DEAD_LETTERS, id=e.dead_letter_id, status="redriving", updated_at=at)
        case Resolved() as e:
            yield patch(DEAD_LETTERS, id=e.dead_letter_id, status="resolved", updated_at=at)
        case Discarded() as e:
            yield patch(DEAD_LETTERS, id=e.dead_letter_id, status="discarded", reason=e.reason, updated_at=at)
        case Raised() as e:
            yield upsert(
                ALERTS,
                id=e.alert_id,
                kind=e.kind,
                subject=e.subject,
                detail=e.detail,
                raised_at=at,
                cleared_at=None,
            )
        case Cleared() as e:
            yield patch(ALERTS, id=e.alert_id, cleared_at=at)
        case ErasureRecorded() as e:
            yield _erased(e, recorded)


def _erased(e: ErasureRecorded, recorded: Recorded[Any]) -> Change:
    return upsert(
        ERASURES,
        id=e.id,
        what=e.what,
        position=e.position,
        messages=e.messages,
        erased=msgspec.json.encode(e.erased).decode(),
        kept=msgspec.json.encode(e.kept).decode(),
        recorded_at=recorded.at,
        recorded_position=recorded.position,
    )


def aggregate_of(subject: str) -> str:
    """`jobsite.session.<id>` of `jobsite.session.<id>.transcribed`."""
    return subject.rpartition(".")[0]


OPERATIONS = Projection("operations", 1, "OPERATIONS", (DEAD_LETTERS, ALERTS, ERASURES), rows)
