"""The words of replies go with each source that went into them, and with their conversation."""

from typing import Any

from events.chat import ProjectDeleted, ReplyWritten
from events.envelope import Event, Key, Recorded
from events.jobsite import AttachmentDeleted, SessionDeleted
from events.knowledge import DocumentDeleted
from handlers.chat.reply.decide import DeleteReply
from handlers.handler import Attempt, Handler
from infra.log import TOMBSTONE, Log
from infra.read_models import ReadModels
from infra.replies import gone_subject
from infra.signals import Signals

SOURCES: tuple[type[Event], ...] = (SessionDeleted, AttachmentDeleted, DocumentDeleted)
TABLE = "chat.reply_sources"
STREAM = "CHAT"
LONGEST = 600.0


def cascades(*, models: ReadModels, log: Log, signals: Signals) -> tuple[Handler, ...]:
    """The handlers of the tombstones of sources and projects, and of words that come too late for them."""
    return (
        *(_cascade(tombstone, "source_id", models, log) for tombstone in SOURCES),
        _cascade(ProjectDeleted, "project_id", models, log, signals),
        _late(log),
    )


def _cascade(
    tombstone: type[Event], column: str, models: ReadModels, log: Log, signals: Signals | None = None
) -> Handler:
    source = column == "source_id"

    async def delete_replies(recorded: Recorded[Any], _: Attempt) -> list[DeleteReply]:
        """What is written by now is in the read model; what is written later finds the tombstone."""
        gone = recorded.event.key.id
        if signals:
            await signals.send(gone_subject(gone), {})
        after = (STREAM, await log.last_position(STREAM))
        found = await models.where(TABLE, column, gone, after=after, id="message")
        return [DeleteReply(reply_id=each, source_id=gone if source else None) for each in found]

    return Handler(
        name=f"{tombstone.aggregate}_replies", on=tombstone, effect=delete_replies, timeout=LONGEST
    )


def _late(log: Log) -> Handler:
    async def delete_late(recorded: Recorded[ReplyWritten], _: Attempt) -> DeleteReply | None:
        e = recorded.event
        for each in e.sources:
            if TOMBSTONE in await log.held(Key(each.context, each.kind, each.source_id)):
                return DeleteReply(reply_id=e.reply_id, source_id=each.source_id)
        if await log.deleted_before(Key("chat", "project", e.project_id), recorded):
            return DeleteReply(reply_id=e.reply_id)
        return None

    return Handler(name="late_reply", on=ReplyWritten, effect=delete_late)
