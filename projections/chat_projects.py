"""What the events of conversations do to rows: projects, and their messages as a tree."""

from collections.abc import Iterator
from functools import singledispatch
from typing import Any

import msgspec

from events.chat import (
    Asked,
    BranchShown,
    MessageSent,
    ProjectConfigured,
    ProjectCreated,
    ProjectDeleted,
    ProjectEvent,
    ProjectRenamed,
    ProjectTitled,
    ReplyEnded,
)
from events.envelope import Recorded
from infra.codeblocks import code_blocks
from projections.changes import Change, Table, delete, patch, upsert

PROJECTS = Table(
    "projects",
    {
        "id": "uuid",
        "title": "text not null",
        "manner": "jsonb not null",
        "reads_knowledge": "boolean not null",
        "reads_jobsite": "boolean not null",
        "messages": "int not null",
        "leaf": "uuid",
        "running": "uuid",
        "created_at": "timestamptz not null",
        "created_by": "text not null",
        "updated_at": "timestamptz not null",
        "revision": "bigint not null",
        "withdrawn": "bigint",
    },
    key=("id",),
    indexes=("create index on {table} (updated_at, id)",),
)

MESSAGES = Table(
    "messages",
    {
        "project_id": "uuid",
        "message": "uuid",
        "parent": "uuid",
        "role": "text not null",
        "status": "text not null",
        "content": "text not null",
        "code_blocks": "jsonb not null",
        "citations": "jsonb not null",
        "method": "text",
        "model": "text",
        "digest": "text",
        "cut": "boolean not null",
        "prompt_tokens": "int",
        "completion_tokens": "int",
        "context_messages": "int",
        "attempts": "int not null",
        "error_code": "text",
        "error_detail": "text",
        "created_at": "timestamptz not null",
        "ended_at": "timestamptz",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("project_id", "message"),
    indexes=(
        "create index on {table} (project_id, parent)",
        "create index on {table} using gin (to_tsvector('simple', left(content, 100000)))",
    ),
)

REQUESTS = Table(
    "requests",
    {
        "project_id": "uuid",
        "command_id": "uuid",
        "fingerprint": "text not null",
        "position": "bigint not null",
    },
    key=("project_id", "command_id"),
)
"""What came to the log under a key of the client's: sent again, however late, it is not done again."""

TABLES = (PROJECTS, MESSAGES, REQUESTS)
READ = ("knowledge", "jobsite")
"""Contexts that a project may have had sources in: who may not read them may not read what it says."""


def rows(recorded: Recorded[Any]) -> Iterator[Change]:
    """What an event of a project does to the tables."""
    event: ProjectEvent = recorded.event
    if isinstance(event, ProjectDeleted):
        yield delete(MESSAGES, project_id=event.project_id)
        yield delete(REQUESTS, project_id=event.project_id)
        yield delete(PROJECTS, id=event.project_id)
        return
    yield from _rows(event, recorded)
    if fingerprint := recorded.fingerprint:
        yield upsert(
            REQUESTS,
            project_id=event.project_id,
            command_id=recorded.command_id,
            fingerprint=fingerprint,
            position=recorded.position,
        )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _touched(recorded: Recorded[Any]) -> dict[str, Any]:
    return {"id": recorded.event.project_id, "updated_at": recorded.at, "revision": recorded.position}


@singledispatch
def _rows(event: ProjectEvent, recorded: Recorded[Any]) -> Iterator[Change]:
    raise TypeError(f"{type(event).__name__} has no rows")


@_rows.register
def _(e: ProjectCreated, recorded: Recorded[Any]) -> Iterator[Change]:
    yield upsert(
        PROJECTS,
        **_touched(recorded),
        title=e.title,
        manner=_json(e.manner),
        **{f"reads_{each}": each in e.manner.contexts for each in READ},
        messages=0,
        created_at=recorded.at,
        created_by=recorded.actor,
    )


@_rows.register(ProjectRenamed)
@_rows.register(ProjectTitled)
def _(e: ProjectRenamed | ProjectTitled, recorded: Recorded[Any]) -> Iterator[Change]:
    yield patch(PROJECTS, id=e.project_id, title=e.title, revision=recorded.position)


@_rows.register
def _(e: ProjectConfigured, recorded: Recorded[Any]) -> Iterator[Change]:
    reads = {f"reads_{each}": True for each in e.manner.contexts}
    yield patch(PROJECTS, **_touched(recorded), manner=_json(e.manner), **reads)


@_rows.register
def _(e: BranchShown, recorded: Recorded[Any]) -> Iterator[Change]:
    yield patch(PROJECTS, **_touched(recorded), leaf=e.leaf_id)


@_rows.register
def _(e: Asked, recorded: Recorded[Any]) -> Iterator[Change]:
    if isinstance(e, MessageSent):
        yield _message(
            recorded, message=e.message_id, parent=e.parent_id, role="user", status="completed",
            content=e.content, code_blocks=_json(code_blocks(e.content)), ended_at=recorded.at,
        )  # fmt: skip
    yield _message(
        recorded, message=e.reply_id, parent=e.message_id, role="assistant", status="processing",
        content="", code_blocks="[]", ended_at=None,
    )  # fmt: skip
    yield patch(PROJECTS, **_touched(recorded), messages=e.messages, leaf=e.reply_id, running=e.reply_id)


def _message(recorded: Recorded[Any], **values: Any) -> Change:
    return upsert(
        MESSAGES,
        project_id=recorded.event.project_id,
        created_at=recorded.at,
        position=recorded.position,
        revision=recorded.position,
        citations="[]",
        cut=False,
        attempts=0,
        **values,
    )


@_rows.register
def _(e: ReplyEnded, recorded: Recorded[Any]) -> Iterator[Change]:
    words = {
        "content": e.content,
        "code_blocks": _json(code_blocks(e.content)),
        "citations": _json(e.citations),
    }
    yield patch(
        MESSAGES,
        project_id=e.project_id,
        message=e.reply_id,
        status=e.outcome,
        **({} if e.apart else words),
        method=e.method,
        model=e.model,
        digest=e.digest,
        cut=e.cut,
        prompt_tokens=e.prompt_tokens,
        completion_tokens=e.completion_tokens,
        context_messages=e.context_messages,
        attempts=e.attempts,
        error_code=e.code,
        error_detail=e.detail,
        ended_at=recorded.at,
        revision=recorded.position,
    )
    yield patch(PROJECTS, **_touched(recorded), messages=e.messages, running=None)
