"""What follows when a session or a job is deleted: everything that belongs to it is deleted, too."""

from collections.abc import Awaitable, Callable, Mapping
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
from handlers.jobsite.reading import folded
from handlers.jobsite.session.commands import DeleteSession, MoveSession
from handlers.jobsite.session.state import Session
from infra.log import TOMBSTONE, Log
from infra.read_models import ReadModels

LONGEST = 600.0
Effect = Callable[[Recorded[Any], Attempt], Awaitable[list[Command]]]


class Part(NamedTuple):
    """A kind of thing that belongs to sessions or jobs."""

    table: str
    delete: Callable[[UUID], Command]


ATTACHMENTS = Part("jobsite.attachments", lambda id: DeleteAttachment(attachment_id=id))
ACTION_ITEMS = Part("jobsite.action_items", lambda id: DeleteActionItem(action_item_id=id))
WITHDRAWN_ITEMS = Part("jobsite.withdrawn_items", ACTION_ITEMS.delete)
OF_SESSION = (ATTACHMENTS, ACTION_ITEMS, WITHDRAWN_ITEMS)
OF_JOB = (ATTACHMENTS, ACTION_ITEMS)

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
        Handler(name="session_parts", on=SessionDeleted, effect=_of_session(models), timeout=LONGEST),
        Handler(name="job_parts", on=JobDeleted, effect=_of_job(models, log), timeout=LONGEST),
        *(_late(event, delete, log) for event, delete in LATE.items()),
        *(_jobless(event, log) for event in JOINING),
    )


def _of_session(models: ReadModels) -> Effect:
    async def delete_parts(recorded: Recorded[SessionDeleted], _: Attempt) -> list[Command]:
        """What the read model knows at the tombstone; what comes behind it is late, and finds the tombstone."""
        after, session = (recorded.stream, recorded.position), recorded.event.session_id
        return [
            part.delete(id)
            for part in OF_SESSION
            for id in await models.where(part.table, "session_id", session, after=after)
        ]

    return delete_parts


def _of_job(models: ReadModels, log: Log) -> Effect:
    async def delete_parts(recorded: Recorded[JobDeleted], _: Attempt) -> list[Command]:
        """Its recordings, and what it has without one: what belongs to a recording goes, or stays, with that."""
        after, job = (recorded.stream, recorded.position), recorded.event.job_id
        sessions = await models.where("jobsite.sessions", "job_id", job, after=after)
        return [
            *[DeleteSession(session_id=each) for each in sessions if await _was_there(each, recorded)],
            *[
                part.delete(id)
                for part in OF_JOB
                for id in await models.where(part.table, "job_id", job, after=after, without="session_id")
            ],
        ]

    async def _was_there(session: UUID, deleted: Recorded[JobDeleted]) -> bool:
        """The read model may know of recordings that came after the deletion: those were accepted, and stay."""
        past = await log.load(Key("jobsite", "session", session))
        state = folded([each for each in past if each.position < deleted.position])
        return isinstance(state, Session) and state.job_id == deleted.event.job_id

    return delete_parts


def _late(event: type[Event], delete: Callable[[UUID], Command], log: Log) -> Handler:
    async def delete_late(recorded: Recorded[Any], _: Attempt) -> Command | None:
        owned = [
            Key("jobsite", kind, id)
            for kind in ("session", "job")
            if (id := getattr(recorded.event, f"{kind}_id", None))
        ]
        late = [each for each in owned if await log.deleted_before(each, recorded)]
        return delete(recorded.event.key.id) if late else None

    return Handler(name=f"late_{event.aggregate}", on=event, effect=delete_late)


def _jobless(event: type[Event], log: Log) -> Handler:
    async def leave_job(recorded: Recorded[Any], _: Attempt) -> Command | None:
        session, job = recorded.event.session_id, recorded.event.job_id
        if job is None or not await log.deleted_before(Key("jobsite", "job", job), recorded):
            return None
        gone = TOMBSTONE in await log.held(recorded.event.key)
        return None if gone else MoveSession(session_id=session, job_id=None)

    return Handler(name=f"late_session_{event.name}", on=event, effect=leave_job)
