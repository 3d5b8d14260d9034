"""What follows when a session or a job is deleted: everything that belongs to it is deleted, too."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from events.envelope import Event, Key, Recorded
from events.jobsite import (
    ActionItemAdded,
    AttachmentUploaded,
    AudioUploaded,
    JobDeleted,
    SessionDeleted,
    SessionMoved,
    Understood,
)
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.jobsite.action_item.decide import DeleteActionItem
from handlers.jobsite.attachment.decide import DeleteAttachment
from handlers.jobsite.session.commands import DeleteSession, MoveSession
from infra.log import TOMBSTONE, Log
from infra.read_models import ReadModels, Through

LONGEST = 600.0


class Part(NamedTuple):
    """A kind of thing that belongs to sessions or jobs."""

    table: str
    delete: Callable[[UUID], Command]
    through: Through | None = None


SESSIONS = Part("jobsite.sessions", lambda id: DeleteSession(session_id=id))
ATTACHMENTS = Part("jobsite.attachments", lambda id: DeleteAttachment(attachment_id=id))
ACTION_ITEMS = Part("jobsite.action_items", lambda id: DeleteActionItem(action_item_id=id))
WITHDRAWN_ITEMS = Part("jobsite.withdrawn_items", ACTION_ITEMS.delete)
BY_RECORDING = Through("session_id", SESSIONS.table)
"""What has a recording belongs to a job only as long as that does."""

PARTS: Mapping[type[Event], tuple[str, tuple[Part, ...]]] = {
    SessionDeleted: ("session_id", (ATTACHMENTS, ACTION_ITEMS, WITHDRAWN_ITEMS)),
    JobDeleted: (
        "job_id",
        (SESSIONS, ATTACHMENTS._replace(through=BY_RECORDING), ACTION_ITEMS._replace(through=BY_RECORDING)),
    ),
}
"""What goes with what, and the column that tells what it belongs to."""

LATE: Mapping[type[Event], Callable[[UUID], Command]] = {
    AttachmentUploaded: ATTACHMENTS.delete,
    ActionItemAdded: ACTION_ITEMS.delete,
}
"""How things begin that may come to the log when what they belong to is deleted already."""

JOINING: tuple[type[Event], ...] = (AudioUploaded, Understood, SessionMoved)
"""How a recording comes to a job. One that comes to a deleted job was accepted all the same: it stays, without one."""


def cascades(*, models: ReadModels, log: Log) -> tuple[Handler, ...]:
    """The handlers of the tombstones, and of what comes too late for them."""
    return (
        *(_cascade(tombstone, column, parts, models) for tombstone, (column, parts) in PARTS.items()),
        *(_late(event, delete, log) for event, delete in LATE.items()),
        *(_jobless(event, log) for event in JOINING),
    )


def _cascade(tombstone: type[Event], column: str, parts: tuple[Part, ...], models: ReadModels) -> Handler:
    async def delete_parts(recorded: Recorded[Any], _: Attempt) -> list[Command]:
        """What the read model knows at the tombstone; what comes behind it is late, and finds the tombstone."""
        after, owner = (recorded.stream, recorded.position), recorded.event.key.id
        return [
            part.delete(id)
            for part in parts
            for id in await models.where(part.table, column, owner, after=after, through=part.through)
        ]

    return Handler(name=f"{tombstone.aggregate}_parts", on=tombstone, effect=delete_parts, timeout=LONGEST)


def _late(event: type[Event], delete: Callable[[UUID], Command], log: Log) -> Handler:
    async def delete_late(recorded: Recorded[Any], _: Attempt) -> Command | None:
        owned = [
            Key("jobsite", kind, id)
            for kind in ("session", "job")
            if (id := getattr(recorded.event, f"{kind}_id", None))
        ]
        late = [each for each in owned if await _deleted_before(recorded, each, log)]
        return delete(recorded.event.key.id) if late else None

    return Handler(name=f"late_{event.aggregate}", on=event, effect=delete_late)


def _jobless(event: type[Event], log: Log) -> Handler:
    async def leave_job(recorded: Recorded[Any], _: Attempt) -> Command | None:
        session, job = recorded.event.session_id, recorded.event.job_id
        if job is None or not await _deleted_before(recorded, Key("jobsite", "job", job), log):
            return None
        gone = TOMBSTONE in await log.held(recorded.event.key)
        return None if gone else MoveSession(session_id=session, job_id=None)

    return Handler(name=f"late_session_{event.name}", on=event, effect=leave_job)


async def _deleted_before(recorded: Recorded[Any], owner: Key, log: Log) -> bool:
    """Whether its owner was deleted when this happened: what happened before that is the cascade's."""
    if TOMBSTONE not in await log.held(owner):
        return False
    return (await log.load(owner))[-1].position < recorded.position
