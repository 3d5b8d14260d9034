"""HTTP of suggestions: a name was misheard, and people say which job or builder was meant."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from app.http.endpoints import Call, Endpoint, Reply
from app.jobsite.changes import carried_out, naming
from app.jobsite.job_views import Done
from events.jobsite import Suggestion
from handlers.commands import Command, Commands
from handlers.jobsite.builder.decide import BUILDERS, Builder
from handlers.jobsite.builder.decide import State as BuilderState
from handlers.jobsite.job.decide import JOBS, Job, RenameJob
from handlers.jobsite.job.decide import State as JobState
from handlers.jobsite.session.commands import MoveSession
from handlers.jobsite.session.decide import SESSIONS
from handlers.jobsite.session.state import Session
from handlers.jobsite.session.state import State as SessionState
from handlers.refusals import Conflict, NotFound


def endpoints(*, commands: Commands, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """The endpoint of suggestions; they are listed with their session."""

    async def accept(call: Call[None, None]) -> Reply:
        session_id, candidate = call.ids["sessionId"], call.ids["candidateId"]
        state: SessionState = await commands.look(SESSIONS, session_id)
        if not isinstance(state, Session):
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {session_id}.")
        suggested = state.understood.suggestions if state.understood else ()
        found = next((each for each in suggested if each.id == candidate), None)
        if found is None:
            raise NotFound("SUGGESTION_NOT_FOUND", f"{candidate} is no suggestion of this session.")
        wanted = await (
            _job(session_id, found) if found.kind == "job" else _builder(session_id, state, found)
        )
        with naming("job of this builder", found.said):
            return await carried_out(commands, call, clock, session_id, *wanted)

    async def _job(session_id: UUID, found: Suggestion) -> list[Command]:
        job: JobState = await commands.look(JOBS, found.id)
        if not isinstance(job, Job):
            raise NotFound("JOB_NOT_FOUND", f"There is no job {found.id} any more.")
        return [MoveSession(session_id=session_id, job_id=found.id, misheard=True)]

    async def _builder(session_id: UUID, state: Session, found: Suggestion) -> list[Command]:
        """The builder that was meant gets the job; the session stays with it."""
        builder: BuilderState = await commands.look(BUILDERS, found.id)
        if not isinstance(builder, Builder):
            raise NotFound("BUILDER_NOT_FOUND", f"There is no builder {found.id} any more.")
        if state.job_id is None:
            raise Conflict(
                "NO_JOB", "The session belongs to no job that the builder could get. Move it to one."
            )
        job: JobState = await commands.look(JOBS, state.job_id)
        if not isinstance(job, Job):
            raise NotFound("JOB_NOT_FOUND", f"There is no job {state.job_id} under this name yet.")
        return [
            RenameJob(job_id=state.job_id, builder_id=found.id),
            MoveSession(session_id=session_id, job_id=state.job_id, misheard=True),
        ]

    return (
        Endpoint(
            method="POST",
            path="/v1/sessions/{sessionId}/suggestions/{candidateId}/accept",
            handle=accept,
            summary="Say that a suggested job or builder was meant",
            description="The session moves to the job, or its job to the builder. What had been added under the "
            "misheard name goes, unless something else is there.",
            tag="sessions",
            scope="jobsite:write",
            answer=Done,
            refusals=(NotFound, Conflict),
        ),
    )
