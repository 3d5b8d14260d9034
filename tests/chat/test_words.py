"""Rules of the words of a reply from sources, and of who may have them made."""

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from events.chat import Manner, ProjectDeleted, ReplyDeleted, ReplyWritten, SourceUsed
from events.envelope import Event, Key, Recorded
from handlers.chat.project.decide import PROJECTS
from handlers.chat.reply.cascade import cascades
from handlers.chat.reply.decide import REPLIES, DeleteReply, WriteReply
from handlers.handler import Attempt
from handlers.refusals import Forbidden
from infra.log import TOMBSTONE, Log
from infra.retrieval.following import merged, together
from tests.answers.passages import passages
from tests.chat.facts import CREATED, ENDED, PROJECT, R1, SENT, ask_again, end, send
from tests.jobsite.test_rows import recorded
from tests.rules import Given
from tests.rules import given as given_of

DOCUMENT = UUID(int=21)
SOURCES = (SourceUsed(context="knowledge", kind="document", source_id=DOCUMENT),)
write = WriteReply(reply_id=R1, project_id=PROJECT, blob="5f" * 32, size=9, sources=SOURCES)
WRITTEN = ReplyWritten(reply_id=R1, project_id=PROJECT, blob="5f" * 32, size=9, sources=SOURCES)
delete = DeleteReply(reply_id=R1, source_id=DOCUMENT)
DELETED = ReplyDeleted(reply_id=R1, project_id=PROJECT, source_id=DOCUMENT)


def given(*past: Event) -> Given:
    return given_of(REPLIES, *past)


def test_the_first_words_count() -> None:
    given().when(write, replace(write, blob="6a" * 32)).then(WRITTEN)


def test_words_go_once_and_stay_away() -> None:
    given(WRITTEN).when(delete, delete, write).then(DELETED)


def test_what_was_never_written_cannot_go() -> None:
    given().when(delete).then()


class Told(Log):
    """A log in which only the project has been deleted, at 9."""

    def __init__(self) -> None: ...

    async def held(self, key: Key) -> dict[str, int]:
        return {TOMBSTONE: 1} if key.id == PROJECT else {}

    async def load(self, key: Key) -> list[Recorded[Any]]:
        return [recorded(ProjectDeleted(project_id=PROJECT), 9)]


async def test_words_that_came_before_the_tombstone_are_left_to_those_who_answer_it() -> None:
    """Whoever answers the tombstone lists what it took in the proof of the deletion."""
    handlers = cascades(models=None, log=Told(), signals=None)  # type: ignore[arg-type]
    late = next(each for each in handlers if each.name == "late_reply")
    assert await late.effect(recorded(WRITTEN, 8), Attempt(1, 6)) is None
    assert await late.effect(recorded(WRITTEN, 10), Attempt(1, 6)) == DeleteReply(reply_id=R1)


def test_a_reply_whose_words_are_apart_is_a_message_all_the_same() -> None:
    given_of(PROJECTS, CREATED, SENT).when(replace(end, content="", apart=True)).then(
        replace(ENDED, content="", apart=True)
    )


def test_who_may_not_read_the_sources_has_nothing_said_from_them() -> None:
    manner = Manner(collections=(UUID(int=31),), jobs=(UUID(int=32),))
    past = replace(CREATED, manner=manner)
    for contexts in ((), ("knowledge",), ("jobsite",)):
        refused = given_of(PROJECTS, past).when(replace(send, contexts=contexts))
        refused.refused(Forbidden, "SCOPE_REQUIRED")
        refused = given_of(PROJECTS, past, replace(SENT, manner=manner), ENDED)
        refused.when(replace(ask_again, contexts=contexts)).refused(Forbidden, "SCOPE_REQUIRED")
    given_of(PROJECTS, past).when(replace(send, contexts=("jobsite", "knowledge"))).then(
        replace(SENT, manner=manner)
    )


def test_what_is_found_alone_and_together_takes_turns_once_each() -> None:
    one, two, three, four = passages("a", "b", "c", "d")
    assert [each.hit.text for each in merged((one, two), (three, one, four))] == ["a", "c", "b"]
    assert [each.number for each in merged((one, two), (three, one, four))] == [1, 2, 3]
    assert merged(()) == ()
    assert together("a" * 3000, "Why?").endswith("a\nWhy?")
    assert len(together("a" * 3000, "Why?")) == 2000
