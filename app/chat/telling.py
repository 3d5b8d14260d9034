"""From what happens to a reply to what is said of it on sockets."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.chat import messages as said
from app.chat.queries import WITHDRAWN, view
from app.chat.views import CitedView, UsageView
from events.chat import (
    BranchShown,
    Citation,
    MessageSent,
    ProjectRenamed,
    ProjectTitled,
    ReplyDeleted,
    ReplyEnded,
)
from events.envelope import Recorded
from infra.codeblocks import CodeBlock, code_blocks
from infra.replies import Draft, Told


def piece(reply_id: UUID, told: Told, at: datetime) -> said.Said:
    """One thing that was told of a reply."""
    if told.n == 0:
        return said.MessageStart(message_id=reply_id, attempt=told.attempt, timestamp=at)
    if told.block:
        return said.CodeBlockClosed(message_id=reply_id, code_block=_place(told.block), timestamp=at)
    return said.MessageChunk(
        message_id=reply_id, content=told.text, index=told.index, attempt=told.attempt, timestamp=at
    )


def so_far(
    reply_id: UUID, draft: Draft, at: datetime, *, attempt: int | None = None, index: int = 0
) -> Iterator[said.Said]:
    """What has come of a reply: all of it, or from where somebody left off in the same attempt."""
    if draft.begun is None:
        return
    now = draft.begun.attempt
    if attempt != now or not 0 <= index <= len(draft.text):
        index = 0
        yield said.MessageStart(message_id=reply_id, attempt=now, timestamp=at)
    if rest := draft.text[index:]:
        yield said.MessageChunk(message_id=reply_id, content=rest, index=index, attempt=now, timestamp=at)
    for block in draft.blocks:
        if block.end_index > index:
            yield said.CodeBlockClosed(message_id=reply_id, code_block=_place(block), timestamp=at)


def end(recorded: Recorded[ReplyEnded], draft: Draft | None) -> Iterator[said.Said]:
    """The end of a reply, and before it what of its text has not been told; `draft` is what has."""
    e, at = recorded.event, recorded.at
    if draft and draft.begun and draft.text != e.content and e.content.startswith(draft.text):
        rest, now = e.content[len(draft.text) :], draft.begun.attempt
        yield said.MessageChunk(
            message_id=e.reply_id, content=rest, index=len(draft.text), attempt=now, timestamp=at
        )
    if e.outcome == "failed":
        yield _failed(e.reply_id, e.code, e.detail, recorded.cursor, at)
        return
    if draft is None or draft.begun is None:
        yield said.MessageStart(message_id=e.reply_id, attempt=e.attempts, timestamp=at)
    yield said.MessageComplete(
        message_id=e.reply_id,
        full_content=e.content,
        code_blocks=tuple(map(_place, code_blocks(e.content))),
        position=recorded.cursor,
        stopped=e.outcome == "stopped",
        cut=e.cut,
        model=e.model,
        method=e.method,
        citations=tuple(map(_cited, e.citations)),
        usage=UsageView(
            prompt_tokens=e.prompt_tokens,
            completion_tokens=e.completion_tokens,
            context_messages=e.context_messages,
        ),
        timestamp=at,
    )


def missed(row: asyncpg.Record) -> said.Said:
    """A message that was sent, or a reply that ended, while somebody was away."""
    shown, position, at = view(row, ()), f"CHAT@{row['revision']}", row["ended_at"]
    if shown.role == "user":
        return said.MessageFromElsewhere(
            message_id=shown.id, role="user", content=shown.content, parent_id=shown.parent_id,
            position=position, timestamp=at,
        )  # fmt: skip
    if shown.status == "failed":
        return _failed(shown.id, row["error_code"], row["error_detail"], position, at)
    return said.MessageComplete(
        message_id=shown.id,
        full_content=shown.content,
        code_blocks=tuple(map(_place, code_blocks(shown.content))),
        position=position,
        stopped=shown.status == "stopped",
        withdrawn=shown.status == "withdrawn",
        cut=shown.cut,
        model=shown.model,
        method=shown.method,
        citations=shown.citations,
        usage=shown.usage,
        timestamp=at,
    )


def withdrawn(recorded: Recorded[ReplyDeleted]) -> said.Said:
    """A reply whose words are gone, as who comes back later is told of it."""
    return said.MessageComplete(
        message_id=recorded.event.reply_id,
        full_content=WITHDRAWN,
        code_blocks=(),
        position=recorded.cursor,
        withdrawn=True,
        timestamp=recorded.at,
    )


def news(recorded: Recorded[Any]) -> said.Said | None:
    """What is told of the other events of a project."""
    at, position = recorded.at, recorded.cursor
    match recorded.event:
        case MessageSent() as e:
            return said.MessageFromElsewhere(
                message_id=e.message_id, role="user", content=e.content, parent_id=e.parent_id,
                position=position, timestamp=at,
            )  # fmt: skip
        case ProjectTitled(title=title) | ProjectRenamed(title=title):
            return said.Titled(title=title, position=position, timestamp=at)
        case BranchShown(leaf_id=leaf_id):
            return said.BranchChanged(leaf_id=leaf_id, position=position, timestamp=at)
    return None


def _failed(reply_id: UUID, code: str | None, detail: str | None, position: str, at: datetime) -> said.Failed:
    return said.Failed(
        error=detail or "", code=code or "AI_ERROR", message_id=reply_id, position=position, timestamp=at
    )


def _cited(each: Citation) -> CitedView:
    return CitedView(**{name: getattr(each, name) for name in Citation.__struct_fields__})


def _place(block: CodeBlock) -> said.CodePlace:
    return said.CodePlace(
        language=block.language, code=block.code, start_index=block.start_index, end_index=block.end_index
    )
