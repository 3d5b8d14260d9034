"""What the facts of a question do to the rows that are read."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from events.envelope import Event, Intent, Recorded, to_headers
from infra.retrieval.saved import SavedAnswer, SavedQuote
from projections.changes import Change
from projections.chat import CHAT
from tests.answers.facts import ANSWER, ANSWERED, ASKED, DELETED_WITH, FAILED, SESSION
from tests.jobsite.facts import MONDAY

SAVED = SavedAnswer(
    text="“Order fifty.” “Or sixty.” [1]",
    quotes=(SavedQuote(1, "Order fifty.", 3, 15), SavedQuote(1, "Or sixty.", 16, 25)),
)


def changes(event: Event, content: Any = None) -> list[Change]:
    at = MONDAY + timedelta(minutes=1)
    intent = Intent(command_id=UUID(int=9), actor="key:ann", at=at, correlation_id=UUID(int=9))
    return list(CHAT.rows(Recorded(event, to_headers(event, UUID(int=8), intent), "CHAT", 7), content))


def test_a_question_is_under_way_until_it_is_answered() -> None:
    [asked] = changes(ASKED)
    assert asked.values["status"] == "processing"
    assert json.loads(asked.values["scope"]) == {"jobId": "00000000-0000-0000-0000-000000000003"}
    assert (asked.values["asked_by"], asked.values["position"]) == ("key:ann", 7)
    [failed] = changes(FAILED)
    assert (failed.values["status"], failed.values["error_code"]) == ("failed", "GENERATION_FAILED")


def test_an_answer_has_a_row_for_each_quote_and_for_each_passage_without_one() -> None:
    answered, *passages = changes(ANSWERED, SAVED)
    assert (answered.kind, answered.values["answer"]) == ("patch", SAVED.text)
    assert [(each.key, each.values["quote"]) for each in passages] == [
        ((ANSWER, 1, 0), "Order fifty."),
        ((ANSWER, 1, 1), "Or sixty."),
        ((ANSWER, 2, 0), None),
    ]
    assert {each.values["source_id"] for each in passages} == {SESSION, UUID(int=4)}


def test_an_answer_whose_words_were_erased_has_none() -> None:
    answered, *passages = changes(ANSWERED, None)
    assert answered.values["answer"] is None
    assert [each.values["quote"] for each in passages] == [None, None]


def test_a_deleted_answer_leaves_no_rows() -> None:
    assert {(each.kind, each.table.name) for each in changes(DELETED_WITH)} == {
        ("delete", "answers"),
        ("delete", "answer_passages"),
    }


def test_only_an_answer_names_a_blob() -> None:
    assert [CHAT.blob(each) for each in (ASKED, ANSWERED, FAILED)] == [None, "ef" * 32, None]
    assert CHAT.content(ANSWERED, SAVED.encode()) == SAVED
    assert ANSWERED.blobs == ("ef" * 32,)
