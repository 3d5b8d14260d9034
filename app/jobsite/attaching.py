"""HTTP of `jobsite`: files of a recording or a job are sent, and tried again."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.http.multipart import Multipart
from app.intents import created_id, intent
from app.jobsite.attachment_views import AttachmentAccepted
from app.jobsite.intake import LARGEST, receive
from events.envelope import Key
from events.ids import derived_id
from handlers.commands import Commands
from handlers.jobsite.attachment.decide import RetryAttachment, UploadAttachment
from handlers.refusals import Conflict, Invalid, NotFound, TooLarge
from infra.blobs import Blobs
from infra.documents import kinds
from infra.log import TOMBSTONE, Log


class AttachmentFields(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Whose the file is: one of the two ids; and what to call it."""

    session_id: UUID | None = None
    job_id: UUID | None = None
    title: Annotated[str, msgspec.Meta(max_length=500)] | None = None


def document(head: bytes, name: str, declared: str) -> str:
    """The media type that a file seems to have; whether it can be read shows when that is tried."""
    if not head:
        raise Invalid("DOCUMENT_EMPTY", "The file is empty. Send the document itself.", field="file")
    return kinds.guessed(head, name, declared)


def endpoints(
    *, commands: Commands, log: Log, blobs: Blobs, clock: Callable[[], datetime]
) -> tuple[Endpoint, ...]:
    """Uploading an attachment, and retrying one that failed."""

    async def check_home(fields: AttachmentFields) -> None:
        """The log knows what there is, also while the read models are away."""
        homes = {"session": fields.session_id, "job": fields.job_id}
        given = {kind: id for kind, id in homes.items() if id}
        if len(given) != 1:
            raise Invalid(
                "ONE_HOME_NEEDED",
                "Send sessionId or jobId, and not both: whose the file is.",
                field="sessionId",
            )
        [(kind, id)] = given.items()
        held = await log.held(Key("jobsite", kind, id))
        if not held or TOMBSTONE in held:
            raise NotFound(f"{kind.upper()}_NOT_FOUND", f"There is no {kind} {id}.")

    async def upload(call: Call[None, None]) -> Reply:
        form, blob = await receive(call, blobs, document, check_home)
        fields: AttachmentFields = form.fields
        made = intent(call, clock, blob.key, fields)
        attachment_id = created_id(made, "attachment")
        command = UploadAttachment(
            attachment_id=attachment_id,
            upload_id=derived_id(attachment_id, "upload"),
            blob=blob.key,
            size=blob.size,
            media_type=form.file.media_type,
            file_name=form.file.file_name,
            title=fields.title,
            session_id=fields.session_id,
            job_id=fields.job_id,
        )
        return accepted(attachment_id, (await commands.execute(command, made, fresh=True)).cursor)

    async def retry(call: Call[None, None]) -> Reply:
        attachment_id = call.ids["attachmentId"]
        command = RetryAttachment(attachment_id=attachment_id)
        outcome = await commands.execute(command, intent(call, clock, attachment_id))
        return accepted(attachment_id, outcome.cursor)

    def accepted(attachment_id: UUID, position: str) -> Reply:
        where = f"/v1/attachments/{attachment_id}"
        answer = AttachmentAccepted(
            attachment_id=attachment_id,
            upload_id=derived_id(attachment_id, "upload"),
            position=position,
            status_url=where,
        )
        return Reply(body=answer, position=position, headers={"Location": where})

    return (
        Endpoint(
            method="POST",
            path="/v1/upload/attachment",
            settled=False,
            handle=upload,
            summary="Upload a file of a recording or a job",
            description="The type is told by the content. A file that cannot be read fails with a reason.",
            tag="attachments",
            scope="jobsite:write",
            multipart=Multipart(
                fields=AttachmentFields, limit=LARGEST, description="PDF, Office, text, mail or image."
            ),
            answer=AttachmentAccepted,
            status=202,
            refusals=(NotFound, TooLarge),
        ),
        Endpoint(
            method="POST",
            path="/v1/attachments/{attachmentId}/retry",
            handle=retry,
            summary="Try the stage of an attachment that failed again",
            tag="attachments",
            scope="jobsite:write",
            answer=AttachmentAccepted,
            status=202,
            refusals=(NotFound, Conflict),
        ),
    )
