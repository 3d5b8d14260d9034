"""Rules of a document."""

from uuid import UUID

from msgspec.structs import replace

from events.envelope import Event
from events.knowledge import (
    DocumentCancelled,
    DocumentDeleted,
    DocumentIndexed,
    DocumentReingested,
    DocumentRetried,
    Held,
    IndexFailed,
    IndexRemoved,
    IndexRequested,
    MetadataChanged,
)
from handlers.knowledge.document.commands import (
    CancelIngestion,
    ChangeMetadata,
    DeleteDocument,
    FailIndex,
    RecordIndexed,
    Reingest,
    RemoveIndex,
    RequestIndex,
    RetryIngestion,
)
from handlers.knowledge.document.decide import DOCUMENTS
from handlers.refusals import Conflict, NotFound
from tests.knowledge.facts import (
    CHUNKED,
    CHUNKING_FAILED,
    COLLECTION,
    COMPLETE,
    CUT,
    DOCUMENT,
    EMBEDDED,
    FAILED,
    PARSED,
    RERUN,
    RUN,
    SMALL,
    UPLOADED,
    chunk,
    embed,
    fail,
    fail_chunking,
    parse,
    upload,
)
from tests.rules import Given
from tests.rules import given as given_of

cancel = CancelIngestion(document_id=DOCUMENT, ingestion_id=RUN)
retry = RetryIngestion(document_id=DOCUMENT, ingestion_id=RUN)
delete = DeleteDocument(document_id=DOCUMENT)
again = Reingest(document_id=DOCUMENT, ingestion_id=RERUN, chunking=SMALL)
request = RequestIndex(document_id=DOCUMENT, number=2, embedder="words")
indexed = RecordIndexed(
    document_id=DOCUMENT, blob="ee", size=9, parsed="bb", number=2, chunking=CUT, dimensions=2, chunks=2
)
GONE = DocumentDeleted(document_id=DOCUMENT, collection_id=COLLECTION, ingestion_id=RUN)
AGAIN = DocumentReingested(document_id=DOCUMENT, ingestion_id=RERUN, chunking=SMALL)
REQUESTED = IndexRequested(
    document_id=DOCUMENT, collection_id=COLLECTION, number=2, embedder="words", chunking=CUT, parsed="bb"
)
INDEXED = DocumentIndexed(
    document_id=DOCUMENT, collection_id=COLLECTION, blob="ee", size=9, parsed="bb", number=2, embedder="words",
    chunking=CUT, dimensions=2, chunks=2, metadata={"year": 2026}, uploaded_at=UPLOADED.uploaded_at,
)  # fmt: skip


def given(*past: Event) -> Given:
    return given_of(DOCUMENTS, *past)


def cancelled(stage: str) -> DocumentCancelled:
    return DocumentCancelled(document_id=DOCUMENT, ingestion_id=RUN, stage=stage)  # type: ignore[arg-type]


def retried(stage: str) -> DocumentRetried:
    return DocumentRetried(document_id=DOCUMENT, ingestion_id=RUN, stage=stage)  # type: ignore[arg-type]


def test_a_document_runs_through_its_stages() -> None:
    given().when(upload, parse, chunk, embed).then(*COMPLETE)


def test_the_same_bytes_or_the_same_answer_again_change_nothing() -> None:
    given(*COMPLETE).when(upload, parse, chunk, embed).then()
    given(UPLOADED).when(replace(upload, ingestion_id=RERUN)).then()


def test_what_could_not_be_read_is_read_again_under_another_name() -> None:
    renamed = replace(upload, ingestion_id=RERUN, file_name="right.docx", media_type="application/x-docx")
    anew = DocumentReingested(
        document_id=DOCUMENT, ingestion_id=RERUN, chunking=upload.chunking, file_name="right.docx",
        media_type="application/x-docx",
    )  # fmt: skip
    given(UPLOADED, FAILED).when(renamed, renamed).then(anew)
    given(UPLOADED, FAILED).when(replace(upload, ingestion_id=RERUN)).then()
    given(UPLOADED).when(renamed).then()
    given(*COMPLETE).when(renamed).then()


def test_a_stage_is_done_in_its_order_and_of_what_the_last_has_left() -> None:
    given(UPLOADED).when(chunk, embed).then()
    given(UPLOADED, PARSED).when(replace(chunk, parsed="of something else")).then()
    given(UPLOADED, PARSED, CHUNKED).when(replace(embed, chunked="of something else")).then()


def test_a_stage_that_fails_is_retried_from_there() -> None:
    given(UPLOADED).when(fail, fail, retry, parse).then(FAILED, retried("parsing"), PARSED)
    given(UPLOADED, PARSED).when(fail_chunking, retry).then(CHUNKING_FAILED, retried("chunking"))
    given(UPLOADED, FAILED).when(parse).then(PARSED)


def test_what_runs_or_is_complete_is_not_retried() -> None:
    given(UPLOADED).when(retry).refused(Conflict, "INGESTION_RUNS")
    given(*COMPLETE).when(retry).refused(Conflict, "INGESTION_COMPLETED")


def test_what_is_cancelled_takes_no_more_answers_until_it_is_retried() -> None:
    given(UPLOADED, PARSED).when(cancel, cancel, chunk).then(cancelled("chunking"))
    given(UPLOADED, PARSED, cancelled("chunking")).when(retry, chunk).then(retried("chunking"), CHUNKED)
    given(*COMPLETE).when(cancel).refused(Conflict, "INGESTION_COMPLETED")
    given(UPLOADED, FAILED).when(cancel).refused(Conflict, "INGESTION_FAILED")


def test_a_document_is_ingested_again_whatever_it_is_at() -> None:
    given(*COMPLETE).when(again).then(AGAIN)
    given(UPLOADED).when(again, parse).then(cancelled("parsing"), AGAIN)
    given(*COMPLETE, AGAIN).when(retry).refused(Conflict, "INGESTION_SUPERSEDED")
    given(*COMPLETE, AGAIN).when(replace(again, chunking=None, ingestion_id=UUID(int=9))).then(
        DocumentCancelled(document_id=DOCUMENT, ingestion_id=RERUN, stage="parsing"),
        replace(AGAIN, ingestion_id=UUID(int=9)),
    )


def test_metadata_change_with_the_rows_that_repeat_them() -> None:
    change = ChangeMetadata(document_id=DOCUMENT, metadata={"year": 2027})
    held = (Held(number=1, embedder="minilm", chunks=2),)
    told = MetadataChanged(document_id=DOCUMENT, metadata={"year": 2027}, held=held)
    given(*COMPLETE).when(change, change).then(told)
    given(UPLOADED).when(change).then(replace(told, held=()))


def test_a_document_goes_into_another_index_once() -> None:
    given(*COMPLETE).when(request, request, indexed, indexed, request).then(REQUESTED, INDEXED)
    given(UPLOADED).when(request).then()


def test_a_document_that_has_never_been_complete_goes_into_no_other_index() -> None:
    for past in ((), (cancelled("chunking"),), (CHUNKING_FAILED,), (CHUNKED,)):
        given(UPLOADED, PARSED, *past).when(request).then()
    stopped = DocumentCancelled(document_id=DOCUMENT, ingestion_id=RERUN, stage="parsing")
    given(*COMPLETE, AGAIN, stopped).when(request).then(replace(REQUESTED, chunking=SMALL))


def test_an_index_of_a_text_that_no_longer_holds_is_asked_for_again() -> None:
    reread = replace(PARSED, ingestion_id=RERUN, blob="ff")
    given(*COMPLETE, REQUESTED, AGAIN, reread).when(request).then(
        replace(REQUESTED, parsed="ff", chunking=SMALL)
    )


def test_an_index_that_was_replaced_by_one_of_its_parity_never_comes_back() -> None:
    newer = replace(REQUESTED, number=4)
    given(*COMPLETE, newer).when(request, indexed).then()
    given(*COMPLETE, newer).when(RemoveIndex(document_id=DOCUMENT, number=2)).then()
    given(UPLOADED, PARSED, CHUNKED, replace(REQUESTED, number=3)).when(embed).then(retried("chunking"))


def test_a_document_leaves_an_index() -> None:
    removed = IndexRemoved(document_id=DOCUMENT, number=2, embedder="words")
    remove = RemoveIndex(document_id=DOCUMENT, number=2)
    given(*COMPLETE, REQUESTED, INDEXED).when(remove, remove).then(removed)
    given(*COMPLETE, REQUESTED).when(remove, indexed).then(removed)


def test_an_index_that_fails_is_told_once_it_was_asked_for() -> None:
    broken = FailIndex(document_id=DOCUMENT, number=2, code="INDEXING_FAILED", detail="No model.")
    told = IndexFailed(document_id=DOCUMENT, number=2, code="INDEXING_FAILED", detail="No model.")
    given(*COMPLETE, REQUESTED).when(broken).then(told)
    given(*COMPLETE).when(broken).then()


def test_late_news_of_a_deleted_document_change_nothing() -> None:
    for past in ((UPLOADED,), (UPLOADED, PARSED), COMPLETE):
        given(*past).when(delete, delete, parse, chunk, embed, fail, request, indexed).then(GONE)


def test_who_asks_for_a_document_that_is_gone_is_told() -> None:
    for past in ((), (UPLOADED, GONE)):
        given(*past).when(retry).refused(NotFound, "DOCUMENT_NOT_FOUND")
        given(*past).when(again).refused(NotFound, "DOCUMENT_NOT_FOUND")


def test_an_id_is_never_used_again_and_a_repeated_request_is_told_that_what_it_made_is_gone() -> None:
    given(UPLOADED, GONE).when(replace(upload, ingestion_id=RERUN)).refused(Conflict, "DOCUMENT_DELETED")
    given(UPLOADED, GONE).when(upload).refused(Conflict, "DELETED_SINCE")


def test_what_is_embedded_repeats_what_was_cut() -> None:
    assert (EMBEDDED.number, EMBEDDED.chunks, EMBEDDED.parsed) == (
        CHUNKED.number,
        CHUNKED.chunks,
        PARSED.blob,
    )
