"""Rules of a conversation."""

import random
from functools import reduce
from uuid import UUID

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from events.chat import (
    BranchShown,
    ProjectConfigured,
    ProjectCreated,
    ProjectEvent,
    ProjectRenamed,
    ProjectTitled,
)
from events.envelope import Event
from handlers.chat.project.commands import (
    ConfigureProject,
    DeleteProject,
    EndReply,
    ProjectCommand,
    RenameProject,
    RequestReply,
    SendMessage,
    ShowBranch,
    TitleProject,
)
from handlers.chat.project.decide import PROJECTS, Absent
from handlers.refusals import Conflict, NotFound, Refusal
from tests.chat.facts import (
    ASKED_AGAIN,
    CREATED,
    DELETED,
    ENDED,
    M1,
    M2,
    MANNER,
    PROJECT,
    R1,
    R2,
    R3,
    SENT,
    SENT_MORE,
    ask_again,
    create,
    end,
    send,
    send_more,
)
from tests.rules import Given
from tests.rules import given as given_of

delete, rename = DeleteProject(project_id=PROJECT), RenameProject(project_id=PROJECT, title="Mine")
title = TitleProject(project_id=PROJECT, title="Greetings")
configure = ConfigureProject(project_id=PROJECT, model="other")
show = ShowBranch(project_id=PROJECT, leaf_id=R1)


def given(*past: Event) -> Given:
    return given_of(PROJECTS, *past)


def test_a_project_without_a_title_waits_for_one() -> None:
    given().when(create).then(CREATED)
    named = ProjectCreated(project_id=PROJECT, title="Mine", titled=True, manner=create.manner)
    given().when(replace(create, title="Mine")).then(named)


def test_the_same_creation_again_changes_nothing() -> None:
    for past in ((CREATED,), (CREATED, SENT), (CREATED, DELETED)):
        given(*past).when(create).then()


def test_a_message_follows_what_is_shown() -> None:
    given(CREATED).when(send, end, send_more).then(SENT, ENDED, SENT_MORE)


def test_a_message_may_begin_another_branch_and_nothing_is_overwritten() -> None:
    anew = replace(send_more, at_leaf=False, parent_id=None)
    given(CREATED, SENT, ENDED).when(anew).then(replace(SENT_MORE, parent_id=None))


def test_one_reply_is_made_at_a_time() -> None:
    for command in (send_more, ask_again, show):
        given(CREATED, SENT).when(command).refused(Conflict, "BUSY")
        given(CREATED, SENT, ENDED, ASKED_AGAIN).when(command).refused(Conflict, "BUSY")


def test_a_message_can_be_replied_to_again() -> None:
    given(CREATED, SENT, ENDED).when(ask_again).then(ASKED_AGAIN)


def test_a_reply_ends_once() -> None:
    stopped = replace(end, outcome="stopped", content="H")
    given(CREATED, SENT).when(end, stopped).then(ENDED)
    given(CREATED, SENT, ENDED, ASKED_AGAIN).when(end).then()


def test_a_reply_that_brought_nothing_is_no_message() -> None:
    failed = replace(end, outcome="failed", content="", code="AI_UNAVAILABLE", model=None)
    told = replace(ENDED, outcome="failed", content="", code="AI_UNAVAILABLE", model=None, messages=1)
    given(CREATED, SENT).when(failed).then(told)


def test_where_another_reply_says_nothing_the_one_before_is_shown_again() -> None:
    again = replace(end, reply_id=R3)
    silent = replace(again, outcome="stopped", content="", model=None)
    told = replace(ENDED, reply_id=R3, outcome="stopped", content="", model=None)
    back = BranchShown(project_id=PROJECT, leaf_id=R1)
    given(CREATED, SENT, ENDED, ASKED_AGAIN).when(silent).then(told, back)
    given(CREATED, SENT, ENDED, ASKED_AGAIN, told, back).when(send_more).then(SENT_MORE)
    given(CREATED, SENT, ENDED, ASKED_AGAIN).when(again).then(replace(ENDED, reply_id=R3, messages=3))
    apart = replace(told, messages=3, apart=True)
    given(CREATED, SENT, ENDED, ASKED_AGAIN).when(replace(silent, apart=True)).then(apart)


def test_a_title_of_ones_own_is_kept() -> None:
    TITLED = ProjectTitled(project_id=PROJECT, title="Greetings")
    given(CREATED).when(title, title).then(TITLED)
    given(CREATED, ProjectRenamed(project_id=PROJECT, title="Mine")).when(title).then()
    given(CREATED, TITLED).when(rename).then(ProjectRenamed(project_id=PROJECT, title="Mine"))


def test_the_manner_changes_for_the_replies_that_follow() -> None:
    manner = replace(MANNER, model="other")
    changed = ProjectConfigured(project_id=PROJECT, manner=manner)
    given(CREATED).when(configure).then(changed)
    given(CREATED, changed).when(send).then(replace(SENT, manner=manner))
    sources = replace(configure, model=UNSET, collections=(UUID(int=31),))
    both = ProjectConfigured(project_id=PROJECT, manner=replace(manner, collections=(UUID(int=31),)))
    given(CREATED).when(configure, sources).then(changed, both)


def test_the_shown_branch_is_part_of_the_project() -> None:
    shown = BranchShown(project_id=PROJECT, leaf_id=R1)
    given(CREATED, SENT, ENDED).when(show).then(shown)  # so that it is known to have been asked for
    given(CREATED, SENT, ENDED, SENT_MORE, replace(ENDED, reply_id=R2, message_id=M2)).when(show).then(shown)


def test_a_deleted_project_takes_nothing_more_and_drops_what_comes_late() -> None:
    given(CREATED, SENT).when(delete).then(DELETED)
    given(CREATED, SENT, DELETED).when(end).then()
    given(CREATED, DELETED).when(title).then()
    for command in (send, ask_again, rename, configure, show, delete):
        given(CREATED, DELETED).when(command).refused(NotFound, "PROJECT_NOT_FOUND")
        given().when(command).refused(NotFound, "PROJECT_NOT_FOUND")


def test_what_a_refusal_says_of_a_project_that_is_not_there_is_fixed() -> None:
    with pytest.raises(NotFound) as caught:
        PROJECTS.decide(delete, Absent())
    assert caught.value.detail == "project not found"


def test_the_state_follows_from_the_last_event_that_tells_all_of_it() -> None:
    """Whatever happened: a send in a long conversation need not read it all."""
    chance = random.Random(5)
    for _ in range(200):
        past: list[ProjectEvent] = [CREATED]
        ids = iter(range(100, 1000))
        for _ in range(chance.randrange(1, 25)):
            state = reduce(PROJECTS.evolve, past, PROJECTS.initial)
            running = getattr(state, "running", None)
            reply = running.reply_id if running else R1
            options: list[ProjectCommand] = [
                SendMessage(project_id=PROJECT, message_id=UUID(int=next(ids)),
                            reply_id=UUID(int=next(ids)), content="x"),
                RequestReply(project_id=PROJECT, reply_id=UUID(int=next(ids)), message_id=M1),
                EndReply(project_id=PROJECT, reply_id=reply, outcome="completed", content=chance.choice(["", "y"])),
                EndReply(project_id=PROJECT, reply_id=reply, outcome="completed", content="z"),
                rename, title, configure, replace(configure, model=None, instructions=""), show,
            ]  # fmt: skip
            if chance.random() < 0.02:
                options = [delete]
            try:
                past += PROJECTS.decide(chance.choice(options), state)
            except Refusal:
                continue
        newest = max(n for n, event in enumerate(past) if PROJECTS.whole(event))
        everything = reduce(PROJECTS.evolve, past, PROJECTS.initial)
        for start in range(newest + 1):
            assert reduce(PROJECTS.evolve, past[start:], PROJECTS.initial) == everything
