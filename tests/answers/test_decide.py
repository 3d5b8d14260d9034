"""Rules of a question: the first answer counts, and what is deleted stays deleted."""

import pytest

from handlers.chat.answer.decide import ANSWERS
from handlers.commands import Command
from handlers.refusals import NotFound
from tests.answers.facts import (
    ANSWERED,
    ASKED,
    DELETED,
    DELETED_WITH,
    FAILED,
    ask,
    delete,
    delete_with,
    fail,
    record,
)
from tests.rules import given


def test_a_question_is_asked_once() -> None:
    given(ANSWERS).when(ask).then(ASKED)
    given(ANSWERS, ASKED).when(ask).then()


def test_the_first_answer_counts() -> None:
    given(ANSWERS, ASKED).when(record).then(ANSWERED)
    given(ANSWERS, ASKED, ANSWERED).when(record).then()
    given(ANSWERS, ASKED, ANSWERED).when(fail).then()
    given(ANSWERS, ASKED).when(fail).then(FAILED)
    given(ANSWERS, ASKED, FAILED).when(record).then()


@pytest.mark.parametrize("late", [ask, record, fail, delete])
def test_what_comes_after_the_deletion_changes_nothing(late: Command) -> None:
    given(ANSWERS, ASKED, DELETED).when(late).then()


def test_an_answer_goes_with_what_it_used_and_also_before_it_is_made() -> None:
    given(ANSWERS, ASKED, ANSWERED).when(delete_with).then(DELETED_WITH)
    given(ANSWERS, ASKED).when(delete).then(DELETED)
    given(ANSWERS).when(delete).refused(NotFound, "ANSWER_NOT_FOUND")


@pytest.mark.parametrize("early", [record, fail])
def test_nothing_is_answered_that_was_not_asked(early: Command) -> None:
    given(ANSWERS).when(early).then()
