"""Rules of a session: what may happen to a recording, and in which order."""

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

from msgspec import structs

from events.jobsite import (
    AudioUploaded,
    SessionEvent,
    SessionMoved,
    Understood,
)
from handlers.commands import Decider, as_told
from handlers.jobsite.session.answers import told
from handlers.jobsite.session.commands import (
    DeleteSession,
    SessionCommand,
    UploadAudio,
)
from handlers.jobsite.session.state import Absent, Deleted, Session, State, evolve
from handlers.jobsite.session.wishes import ASKED, asked
from handlers.refusals import NotFound, deleted_since


def decide(command: SessionCommand, state: State) -> Sequence[SessionEvent]:
    match state:
        case Session():
            events = asked(command, state) if isinstance(command, ASKED) else told(command, state)
            return [_of_job(event, state.job_id) for event in events]
        case Absent() if isinstance(command, UploadAudio):
            return [as_told(AudioUploaded, command)]
        case Deleted() if isinstance(command, UploadAudio):
            raise deleted_since("session", command.session_id)
        case Deleted() if isinstance(command, DeleteSession):
            return []
        case Absent() | Deleted() if isinstance(command, (*ASKED, DeleteSession)):
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {command.session_id}.")
    return []


def _of_job(event: SessionEvent, job_id: UUID | None) -> SessionEvent:
    """Every event tells whose job it concerns."""
    return event if isinstance(event, Understood | SessionMoved) else structs.replace(event, job_id=job_id)


SESSIONS: Decider[SessionCommand, State] = Decider(
    "jobsite", "session", get_args(SessionCommand), Absent(), decide, evolve, creates=(UploadAudio,)
)
