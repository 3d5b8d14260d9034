"""Rules of a recording."""

import msgspec

from tests.jobsite.facts import (
    FAILED,
    INDEX_FAILED,
    INDEXED,
    TRANSCRIBED,
    UNDERSTOOD,
    UPLOADED,
    fail,
    fail_index,
    given,
    index,
    notify,
    report,
    summarise,
    transcribe,
    understand,
    upload,
)


def test_a_recording_is_accepted_with_all_that_was_said_of_it() -> None:
    given().when(upload).then(UPLOADED)


def test_a_recording_runs_through_its_stages() -> None:
    given().when(upload, transcribe, understand, index).then(UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEXED)


def test_the_same_upload_again_changes_nothing() -> None:
    for past in ((UPLOADED,), (UPLOADED, TRANSCRIBED), (UPLOADED, FAILED)):
        given(*past).when(upload).then()


def test_a_second_transcript_is_ignored() -> None:
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD).when(transcribe).then()
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD).when(msgspec.structs.replace(transcribe, blob="other")).then()


def test_a_second_index_of_the_same_kind_is_ignored() -> None:
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEXED).when(index).then()
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEXED).when(
        msgspec.structs.replace(index, blob="other")
    ).then()


def test_an_index_of_another_kind_is_built_beside_the_first() -> None:
    other = msgspec.structs.replace(index, index="minilm_sentences", dimensions=384)
    told = msgspec.structs.replace(INDEXED, index="minilm_sentences", dimensions=384)
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEXED).when(other).then(told)


def test_an_index_needs_the_transcript_it_was_made_of() -> None:
    given(UPLOADED).when(index).then()
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD).when(
        msgspec.structs.replace(index, transcript="an older one")
    ).then()


def test_an_index_repeats_whose_job_it_is_and_when_it_was_recorded() -> None:
    homeless = msgspec.structs.replace(UPLOADED, job_id=None, recorded_at=None)
    told = msgspec.structs.replace(INDEXED, job_id=None, recorded_at=None)
    given(homeless, TRANSCRIBED, msgspec.structs.replace(UNDERSTOOD, job_id=None)).when(index).then(told)


def test_a_stage_fails_once() -> None:
    given(UPLOADED).when(fail, fail).then(FAILED)
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD).when(fail_index, fail_index).then(INDEX_FAILED)


def test_a_stage_that_has_succeeded_does_not_fail_any_more() -> None:
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD).when(fail).then()
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEXED).when(fail_index).then()


def test_a_stage_that_failed_may_succeed_when_it_is_tried_again() -> None:
    given(UPLOADED, FAILED).when(transcribe, understand, index).then(TRANSCRIBED, UNDERSTOOD, INDEXED)
    given(UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEX_FAILED).when(index).then(INDEXED)


def test_a_failure_of_one_stage_does_not_hide_that_of_another() -> None:
    given(UPLOADED, FAILED, TRANSCRIBED).when(fail_index).then(INDEX_FAILED)


def test_nothing_happens_to_a_recording_that_was_never_accepted() -> None:
    for command in (transcribe, understand, summarise, index, report, notify, fail):
        given().when(command).then()
