"""Rules of attachments."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from events.envelope import Event
from events.jobsite import (
    AttachmentDeleted,
    AttachmentExtracted,
    AttachmentFailed,
    AttachmentIndexed,
    AttachmentMoved,
    AttachmentRetried,
    AttachmentUploaded,
)
from handlers.jobsite.attachment.decide import (
    ATTACHMENTS,
    DeleteAttachment,
    FailAttachment,
    FollowSession,
    RecordAttachmentIndex,
    RecordExtraction,
    RetryAttachment,
    UploadAttachment,
)
from handlers.refusals import Conflict, NotFound
from tests.rules import Given
from tests.rules import given as given_of

ATTACHMENT, SESSION, JOB, OTHER = UUID(int=7), UUID(int=1), UUID(int=3), UUID(int=4)
HOME: dict[str, Any] = {"session_id": SESSION, "job_id": JOB}
FILE: dict[str, Any] = {
    "attachment_id": ATTACHMENT,
    "upload_id": UUID(int=8),
    "blob": "aa",
    "size": 10,
    "media_type": "application/pdf",
    "file_name": "plan.pdf",
}
TEXT: dict[str, Any] = {
    "attachment_id": ATTACHMENT,
    "blob": "bb",
    "size": 5,
    "pages": 2,
    "characters": 44,
    "media_type": "application/pdf",
    "parser": "xberg",
}
CHUNKS: dict[str, Any] = {
    "attachment_id": ATTACHMENT,
    "blob": "cc",
    "size": 9,
    "text": "bb",
    "index": "hash_sentences",
    "dimensions": 2,
    "chunks": 3,
}
FAULT: dict[str, Any] = {
    "attachment_id": ATTACHMENT,
    "stage": "extract",
    "code": "DOCUMENT_DAMAGED",
    "detail": "It is cut off.",
}

upload, extract = UploadAttachment(**FILE, **HOME), RecordExtraction(**TEXT)
index, fail = RecordAttachmentIndex(**CHUNKS), FailAttachment(**FAULT)
retry, delete = RetryAttachment(attachment_id=ATTACHMENT), DeleteAttachment(attachment_id=ATTACHMENT)
UPLOADED, EXTRACTED = AttachmentUploaded(**FILE, **HOME), AttachmentExtracted(**TEXT, **HOME)
INDEXED, FAILED = AttachmentIndexed(**CHUNKS, **HOME), AttachmentFailed(**FAULT, **HOME)
DELETED = AttachmentDeleted(attachment_id=ATTACHMENT, **HOME)
RETRIED = AttachmentRetried(attachment_id=ATTACHMENT, stage="extract", retry=1, source="aa", **HOME)


def moved(job_id: UUID | None, as_of: int, text: str | None = None, chunks: int = 0) -> AttachmentMoved:
    return AttachmentMoved(
        attachment_id=ATTACHMENT, session_id=SESSION, job_id=job_id, as_of=as_of, text=text, chunks=chunks
    )


def follow(job_id: UUID | None, as_of: int, session_id: UUID = SESSION) -> FollowSession:
    return FollowSession(attachment_id=ATTACHMENT, session_id=session_id, job_id=job_id, as_of=as_of)


def given(*past: Event) -> Given:
    return given_of(ATTACHMENTS, *past)


def test_a_file_becomes_text_and_can_be_found_and_every_fact_tells_whose_it_is() -> None:
    given().when(upload, extract, index).then(UPLOADED, EXTRACTED, INDEXED)


def test_nothing_happens_twice() -> None:
    given().when(upload, upload, extract, extract, index, index, delete, delete).then(
        UPLOADED, EXTRACTED, INDEXED, DELETED
    )
    given(UPLOADED).when(fail, fail).then(FAILED)


def test_an_index_is_of_the_text_that_holds() -> None:
    given(UPLOADED).when(index).then()
    given(UPLOADED, EXTRACTED).when(msgspec.structs.replace(index, text="older")).then()


def test_a_bad_file_fails_and_can_be_tried_again() -> None:
    given(UPLOADED, FAILED).when(retry).then(RETRIED)
    given(UPLOADED, FAILED, RETRIED).when(fail).then(FAILED)
    given(UPLOADED, FAILED, RETRIED).when(extract).then(EXTRACTED)


def test_only_the_stage_that_failed_is_tried_again() -> None:
    fault = {**FAULT, "stage": "index"}
    again = msgspec.structs.replace(RETRIED, stage="index", source="bb")
    given(UPLOADED, EXTRACTED, AttachmentFailed(**fault, **HOME)).when(retry).then(again)
    for past in ((UPLOADED,), (UPLOADED, EXTRACTED, INDEXED), (UPLOADED, FAILED, RETRIED)):
        given(*past).when(retry).refused(Conflict, "NOTHING_TO_RETRY")


def test_a_stage_that_has_succeeded_does_not_fail_any_more() -> None:
    given(UPLOADED, EXTRACTED).when(fail).then()
    given(UPLOADED, EXTRACTED, INDEXED).when(FailAttachment(**{**FAULT, "stage": "index"})).then()


def test_it_follows_its_recording_to_another_job() -> None:
    given(UPLOADED).when(follow(OTHER, 20)).then(moved(OTHER, 20))
    given(UPLOADED, EXTRACTED, INDEXED).when(follow(None, 20)).then(moved(None, 20, "bb", 3))
    told = msgspec.structs.replace(INDEXED, job_id=OTHER)
    given(UPLOADED, EXTRACTED, moved(OTHER, 20)).when(index).then(told)


def test_it_does_not_follow_old_news_nor_another_recording() -> None:
    given(UPLOADED, moved(OTHER, 20)).when(follow(JOB, 19)).then()
    given(UPLOADED).when(follow(JOB, 20)).then()
    given(UPLOADED).when(follow(OTHER, 20, session_id=OTHER)).then()


@pytest.mark.parametrize("late", [upload, extract, index, fail, follow(OTHER, 20)])
def test_late_news_of_what_is_deleted_changes_nothing(late: Any) -> None:
    given(UPLOADED, DELETED).when(late).then()


def test_what_is_not_there_cannot_be_retried_or_deleted() -> None:
    for past in ((), (UPLOADED, DELETED)):
        given(*past).when(retry).refused(NotFound, "ATTACHMENT_NOT_FOUND")
    given().when(delete).refused(NotFound, "ATTACHMENT_NOT_FOUND")
    for command in (extract, index, fail, follow(OTHER, 20)):
        given().when(command).then()
