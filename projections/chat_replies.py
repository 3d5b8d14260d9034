"""The rows of replies that were made from sources: their words, and what went into them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from events.chat import ReplyDeleted, ReplyEvent, ReplyWritten
from events.envelope import Recorded
from infra.codeblocks import code_blocks
from infra.retrieval.saved import SavedReply
from projections.changes import Change, Table, delete, patch, upsert
from projections.chat_projects import MESSAGES, PROJECTS

REPLY_SOURCES = Table(
    "reply_sources",
    {
        "message": "uuid",
        "source_id": "uuid",
        "context": "text not null",
        "kind": "text not null",
        "project_id": "uuid not null",
    },
    key=("message", "source_id"),
    indexes=("create index on {table} (source_id)", "create index on {table} (project_id)"),
)

TABLES = (REPLY_SOURCES,)
WITHDRAWN = "withdrawn"
"""The status of a reply whose words are gone."""


def rows(recorded: Recorded[Any], content: SavedReply | None) -> Iterator[Change]:
    """What an event of a reply's words does to the tables. Its end is told by the project's own event."""
    event: ReplyEvent = recorded.event
    match event:
        case ReplyWritten() as e:
            said = content or SavedReply(text="")
            yield _words(e, said)
            for each in e.sources:
                yield upsert(
                    REPLY_SOURCES,
                    message=e.reply_id,
                    source_id=each.source_id,
                    context=each.context,
                    kind=each.kind,
                    project_id=e.project_id,
                )
        case ReplyDeleted() as e:
            yield delete(REPLY_SOURCES, message=e.reply_id)
            yield _words(e, SavedReply(text=""), status=WITHDRAWN, revision=recorded.position)
            yield patch(PROJECTS, id=e.project_id, withdrawn=recorded.position)


def _words(e: ReplyEvent, said: SavedReply, **more: Any) -> Change:
    return patch(
        MESSAGES,
        project_id=e.project_id,
        message=e.reply_id,
        content=said.text,
        code_blocks=_json(code_blocks(said.text)),
        citations=_json(said.citations),
        **more,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
