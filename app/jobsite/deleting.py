"""HTTP of `jobsite`: deleting sessions and jobs, for good."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.intents import intent
from handlers.commands import Command, Commands
from handlers.jobsite.attachment.decide import DeleteAttachment
from handlers.jobsite.job.decide import DeleteJob
from handlers.jobsite.session.commands import DeleteSession
from handlers.refusals import NotFound


class Deleting(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """It is gone for everybody from here on; what it consisted of is being erased."""

    id: UUID
    position: str
    deletion_url: str
    """Tells what is left, place by place."""


def endpoints(*, commands: Commands, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """DELETE of sessions and jobs."""

    def deleting(what: str, make: Callable[[UUID], Command], about: str) -> Endpoint:
        parameter = f"{what}Id"

        async def delete(call: Call[None, None]) -> Reply:
            id = call.ids[parameter]
            outcome = await commands.execute(make(id), intent(call, clock, id))
            answer = Deleting(id=id, position=outcome.cursor, deletion_url=f"/v1/{what}s/{id}/deletion")
            return Reply(body=answer, position=outcome.cursor, headers={"Location": answer.deletion_url})

        return Endpoint(
            method="DELETE",
            path=f"/v1/{what}s/{{{parameter}}}",
            handle=delete,
            summary=f"Delete a {what} for good",
            description=about,
            tag=f"{what}s",
            scope="jobsite:write",
            status=202,
            answer=Deleting,
            refusals=(NotFound,),
        )

    return (
        deleting(
            "session",
            lambda id: DeleteSession(session_id=id),
            "With it go its transcript, its vectors, its files, its action items and attachments, what was told "
            "about it and is still unsent, and its events in the log, down to one that says it was deleted.",
        ),
        deleting(
            "attachment",
            lambda id: DeleteAttachment(attachment_id=id),
            "With it go the file, its text, its vectors and its events, down to one that says it was deleted.",
        ),
        deleting(
            "job",
            lambda id: DeleteJob(job_id=id),
            "With it go its sessions, attachments and action items, each as if it had been deleted itself.",
        ),
    )
