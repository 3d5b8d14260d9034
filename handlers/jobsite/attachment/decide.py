"""Rules of a file that belongs to a recording or a job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import get_args
from uuid import UUID

from msgspec import structs

from events.jobsite import (
    AttachmentDeleted,
    AttachmentEvent,
    AttachmentExtracted,
    AttachmentFailed,
    AttachmentIndexed,
    AttachmentMoved,
    AttachmentRetried,
    AttachmentStage,
    AttachmentUploaded,
)
from handlers.commands import Command, Decider, as_told
from handlers.refusals import Conflict, NotFound


class UploadAttachment(Command, frozen=True, kw_only=True):
    attachment_id: UUID
    upload_id: UUID
    blob: str
    size: int
    media_type: str
    file_name: str = ""
    title: str | None = None
    session_id: UUID | None = None
    job_id: UUID | None = None


class RecordExtraction(Command, frozen=True, kw_only=True):
    attachment_id: UUID
    blob: str
    size: int
    pages: int
    characters: int
    media_type: str
    parser: str
    language: str | None = None
    title: str | None = None
    attempts: int = 1
    started_at: datetime | None = None


class RecordAttachmentIndex(Command, frozen=True, kw_only=True):
    attachment_id: UUID
    blob: str
    size: int
    text: str
    index: str
    dimensions: int
    chunks: int
    attempts: int = 1
    started_at: datetime | None = None


class FailAttachment(Command, frozen=True, kw_only=True):
    attachment_id: UUID
    stage: AttachmentStage
    code: str
    detail: str
    attempts: int = 1
    started_at: datetime | None = None


class RetryAttachment(Command, frozen=True, kw_only=True):
    attachment_id: UUID


class FollowSession(Command, frozen=True, kw_only=True):
    """Its recording is of this job, as of a position of the log."""

    attachment_id: UUID
    session_id: UUID
    job_id: UUID | None
    as_of: int


class DeleteAttachment(Command, frozen=True, kw_only=True):
    attachment_id: UUID


AttachmentCommand = (
    UploadAttachment
    | RecordExtraction
    | RecordAttachmentIndex
    | FailAttachment
    | RetryAttachment
    | FollowSession
    | DeleteAttachment
)


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Attachment:
    """Whose it is, what holds of each stage, and which stage has failed."""

    blob: str
    session_id: UUID | None
    job_id: UUID | None
    text: str | None = None
    chunks: Mapping[str, int] = field(default_factory=dict)
    """How many there are, by index."""
    failed: AttachmentStage | None = None
    retries: int = 0
    as_of: int = 0
    """Position as of which its job is right."""


@dataclass(frozen=True)
class Deleted:
    pass


State = Absent | Attachment | Deleted


def decide(command: AttachmentCommand, state: State) -> Sequence[AttachmentEvent]:
    match state:
        case Attachment():
            return [_at_home(event, state) for event in _follow(command, state)]
        case Absent() if isinstance(command, UploadAttachment):
            return [as_told(AttachmentUploaded, command)]
        case Absent() | Deleted() if isinstance(command, RetryAttachment):
            raise NotFound("ATTACHMENT_NOT_FOUND", f"There is no attachment {command.attachment_id}.")
        case Absent() if isinstance(command, DeleteAttachment):
            raise NotFound("ATTACHMENT_NOT_FOUND", f"There is no attachment {command.attachment_id}.")
    return []


def _at_home(event: AttachmentEvent, s: Attachment) -> AttachmentEvent:
    """Every event tells which recording and job it concerns."""
    job = event.job_id if isinstance(event, AttachmentMoved) else s.job_id
    return structs.replace(event, session_id=s.session_id, job_id=job)


def _follow(command: AttachmentCommand, s: Attachment) -> Sequence[AttachmentEvent]:
    match command:
        case RecordExtraction() as c:
            return [] if s.text else [as_told(AttachmentExtracted, c)]
        case RecordAttachmentIndex() as c:
            fresh = c.text == s.text and c.index not in s.chunks
            return [as_told(AttachmentIndexed, c)] if fresh else []
        case FailAttachment() as c:
            over = s.failed or (s.text if c.stage == "extract" else s.chunks)
            return [] if over else [as_told(AttachmentFailed, c)]
        case RetryAttachment() as c:
            return [_retried(c, s)]
        case FollowSession() as c:
            follows = c.session_id == s.session_id and c.job_id != s.job_id and c.as_of > s.as_of
            most = max(s.chunks.values(), default=0)
            return [as_told(AttachmentMoved, c, text=s.text, chunks=most)] if follows else []
        case DeleteAttachment() as c:
            return [AttachmentDeleted(attachment_id=c.attachment_id)]
    return []  # the same file again


def _retried(c: RetryAttachment, s: Attachment) -> AttachmentRetried:
    if s.failed is None:
        raise Conflict("NOTHING_TO_RETRY", "No stage of this attachment has failed.")
    source = s.blob if s.failed == "extract" or s.text is None else s.text
    return AttachmentRetried(
        attachment_id=c.attachment_id, stage=s.failed, retry=s.retries + 1, source=source
    )


def evolve(state: State, event: AttachmentEvent) -> State:
    match event, state:
        case AttachmentUploaded() as e, _:
            return Attachment(blob=e.blob, session_id=e.session_id, job_id=e.job_id)
        case AttachmentDeleted(), _:
            return Deleted()
        case AttachmentExtracted() as e, Attachment() as s:
            return replace(s, text=e.blob, failed=None)
        case AttachmentIndexed() as e, Attachment() as s:
            return replace(s, chunks={**s.chunks, e.index: e.chunks}, failed=None)
        case AttachmentFailed() as e, Attachment() as s:
            return replace(s, failed=e.stage)
        case AttachmentRetried() as e, Attachment() as s:
            return replace(s, failed=None, retries=e.retry)
        case AttachmentMoved() as e, Attachment() as s:
            return replace(s, job_id=e.job_id, as_of=e.as_of)
    return state


ATTACHMENTS: Decider[AttachmentCommand, State] = Decider(
    "jobsite",
    "attachment",
    get_args(AttachmentCommand),
    Absent(),
    decide,
    evolve,
    creates=(UploadAttachment,),
)
