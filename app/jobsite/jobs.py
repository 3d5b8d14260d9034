"""HTTP of jobs: added, changed, and followed by mail."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.http.problems import Malformed
from app.intents import created_id, intent
from app.jobsite.changes import carried_out, naming
from app.jobsite.fields import Email, Name
from app.jobsite.job_views import Done
from handlers.commands import Command, Commands
from handlers.jobsite.builder.decide import BUILDERS, Builder
from handlers.jobsite.builder.decide import State as BuilderState
from handlers.jobsite.job.decide import (
    JOBS,
    AddJob,
    CloseJob,
    Deleted,
    Job,
    RenameJob,
    ReopenJob,
    State,
    SubscribeToJob,
    UnsubscribeFromJob,
)
from handlers.refusals import Conflict, NotFound


class JobBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A job's name; two of one builder are never called the same."""

    name: Name
    builder_id: UUID | None = None


class JobChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be otherwise; what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    builder_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    closed: bool | msgspec.UnsetType = msgspec.UNSET


def endpoints(*, commands: Commands, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """The endpoints of jobs."""

    async def _builder(builder_id: UUID | None) -> None:
        if builder_id is None:
            return
        state: BuilderState = await commands.look(BUILDERS, builder_id)
        if not isinstance(state, Builder):
            raise NotFound("BUILDER_NOT_FOUND", f"There is no builder {builder_id}.", field="builderId")

    async def add(call: Call[None, JobBody]) -> Reply:
        made = intent(call, clock, call.body)
        return await _add(call, created_id(made, "job"))

    async def put(call: Call[None, JobBody]) -> Reply:
        job_id = call.ids["jobId"]
        state: State = await commands.look(JOBS, job_id)
        if isinstance(state, Deleted):
            raise Conflict("JOB_DELETED", f"The job {job_id} was deleted; its id is not used again.")
        if isinstance(state, Job):
            wanted = RenameJob(job_id=job_id, title=call.body.name.strip(), builder_id=call.body.builder_id)
            await _builder(call.body.builder_id)
            with naming(_kind(call.body.builder_id), call.body.name):
                return await carried_out(commands, call, clock, job_id, wanted)
        return await _add(call, job_id)

    async def _add(call: Call[None, JobBody], job_id: UUID) -> Reply:
        body = call.body
        await _builder(body.builder_id)
        command = AddJob(job_id=job_id, title=body.name.strip(), builder_id=body.builder_id)
        with naming(_kind(body.builder_id), body.name):
            outcome = await commands.execute(command, intent(call, clock, body))
        answer = Done(id=job_id, position=outcome.cursor)
        return Reply(
            body=answer, position=outcome.cursor, status=201, headers={"Location": f"/v1/jobs/{job_id}"}
        )

    async def change(call: Call[None, JobChange]) -> Reply:
        job_id, body = call.ids["jobId"], call.body
        state: State = await commands.look(JOBS, job_id)
        if not isinstance(state, Job):
            raise NotFound("JOB_NOT_FOUND", f"There is no job {job_id}.")
        builder_id = state.builder_id if body.builder_id is msgspec.UNSET else body.builder_id
        if builder_id != state.builder_id:
            await _builder(builder_id)
        title = msgspec.UNSET if body.name is msgspec.UNSET else body.name.strip()
        wanted: list[Command] = [RenameJob(job_id=job_id, title=title, builder_id=body.builder_id)]
        if body.closed is not msgspec.UNSET:
            wanted.append(CloseJob(job_id=job_id) if body.closed else ReopenJob(job_id=job_id))
        with naming(_kind(builder_id), title or state.title):
            return await carried_out(commands, call, clock, job_id, *wanted)

    async def subscribe(call: Call[None, None]) -> Reply:
        job_id = call.ids["jobId"]
        wanted = SubscribeToJob(job_id=job_id, email=_email(call))
        return await carried_out(commands, call, clock, job_id, wanted)

    async def unsubscribe(call: Call[None, None]) -> Reply:
        job_id = call.ids["jobId"]
        wanted = UnsubscribeFromJob(job_id=job_id, email=_email(call))
        return await carried_out(commands, call, clock, job_id, wanted)

    return (
        Endpoint(
            method="POST",
            path="/v1/jobs",
            handle=add,
            summary="Add a job",
            tag="jobs",
            scope="jobsite:write",
            body=JobBody,
            example=JobBody(name="Maple Street"),
            answer=Done,
            status=201,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="PUT",
            path="/v1/jobs/{jobId}",
            handle=put,
            summary="Add a job under an id of your own, or change it",
            description="Recordings may be uploaded under the id before the job has a name.",
            tag="jobs",
            scope="jobsite:write",
            body=JobBody,
            answer=Done,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="PATCH",
            path="/v1/jobs/{jobId}",
            handle=change,
            summary="Rename, close or reopen a job, or give it to another builder",
            tag="jobs",
            scope="jobsite:write",
            body=JobChange,
            answer=Done,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="PUT",
            path="/v1/jobs/{jobId}/subscribers/{email}",
            handle=subscribe,
            summary="Send a job's reports to an address",
            tag="jobs",
            scope="jobsite:write",
            answer=Done,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="DELETE",
            path="/v1/jobs/{jobId}/subscribers/{email}",
            handle=unsubscribe,
            summary="Send them no longer",
            tag="jobs",
            scope="jobsite:write",
            answer=Done,
            refusals=(NotFound,),
        ),
    )


def _email(call: Call[None, None]) -> str:
    try:
        return msgspec.convert(call.params["email"], Email)
    except msgspec.ValidationError:
        raise Malformed(
            "INVALID_EMAIL", "The last part of the path must be a mail address.", field="email"
        ) from None


def _kind(builder_id: UUID | None) -> str:
    """Among what a job's name has to be unique."""
    return "job of this builder" if builder_id else "job without a builder"
