"""A recording's attachments are of the recording's job, whenever that becomes known or changes."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple
from uuid import UUID

from events.envelope import Key, Recorded
from events.jobsite import AttachmentUploaded, SessionMoved, Understood
from handlers.handler import Attempt, Handler
from handlers.jobsite.attachment.decide import FollowSession
from handlers.jobsite.session.state import Absent, Session, State, evolve
from infra.log import Log
from infra.read_models import ReadModels


class Home(NamedTuple):
    """The job of a recording, as of a position of the log."""

    job_id: UUID | None
    as_of: int


def following(*, log: Log, models: ReadModels) -> tuple[Handler, ...]:
    """The handlers of what may tell a recording's job; and of uploads, which may have come in between.

    An attachment that is in the log before the recording's event is found by the read model; one that comes behind it
    finds the event itself.
    """

    async def home(session_id: UUID) -> Home | None:
        past = await log.load(Key("jobsite", "session", session_id))
        state: State = reduce(evolve, (each.event for each in past), Absent())  # type: ignore[arg-type]
        return Home(state.job_id, past[-1].position) if isinstance(state, Session) else None

    async def attachments(recorded: Recorded[Any], _: Attempt) -> Sequence[FollowSession]:
        session_id = recorded.event.session_id
        after = (recorded.stream, recorded.position)
        found = await models.where("jobsite.attachments", "session_id", session_id, after=after)
        at = await home(session_id) if found else None
        return [_follow(each, session_id, at) for each in found] if at else []

    async def attachment(recorded: Recorded[AttachmentUploaded], _: Attempt) -> FollowSession | None:
        e = recorded.event
        at = await home(e.session_id) if e.session_id else None
        return _follow(e.attachment_id, e.session_id, at) if at and e.session_id else None

    return (
        Handler(name="attachments_of_understood", on=Understood, effect=attachments),
        Handler(name="attachments_of_moved", on=SessionMoved, effect=attachments),
        Handler(name="place_attachment", on=AttachmentUploaded, effect=attachment),
    )


def _follow(attachment_id: UUID, session_id: UUID, at: Home) -> FollowSession:
    return FollowSession(attachment_id=attachment_id, session_id=session_id, job_id=at.job_id, as_of=at.as_of)
