"""Rules of builders, jobs and action items."""

from datetime import date
from uuid import UUID

import msgspec

from events.envelope import Claim
from events.jobsite import (
    ActionItemAdded,
    ActionItemAssigned,
    ActionItemDeleted,
    ActionItemDone,
    ActionItemEdited,
    ActionItemMoved,
    ActionItemReopened,
    ActionItemRestated,
    ActionItemWithdrawn,
    BuilderAdded,
    BuilderDeleted,
    BuilderNameFreed,
    BuilderRenamed,
    JobAdded,
    JobClosed,
    JobDeleted,
    JobNameFreed,
    JobRenamed,
    JobReopened,
    JobSubscribed,
    JobUnsubscribed,
)
from handlers.jobsite.action_item.decide import (
    ACTION_ITEMS,
    AddActionItem,
    AssignActionItem,
    DeleteActionItem,
    EditActionItem,
    FinishActionItem,
    MoveActionItem,
    ReopenActionItem,
    WithdrawActionItem,
)
from handlers.jobsite.builder.decide import BUILDERS, AddBuilder, DeleteBuilder, RenameBuilder
from handlers.jobsite.job.decide import (
    JOBS,
    MOST_SUBSCRIBERS,
    AddJob,
    CloseJob,
    DeleteJob,
    RenameJob,
    ReopenJob,
    SubscribeToJob,
    UnsubscribeFromJob,
)
from handlers.refusals import Conflict, NotFound
from tests.rules import given

BUILDER, JOB, ITEM, OTHER = (UUID(int=n) for n in range(10, 14))
ADDED = BuilderAdded(builder_id=BUILDER, title="Hendricks & Sons")
OPENED = JobAdded(job_id=JOB, title="Maple Street", builder_id=BUILDER)
ASKED = ActionItemAdded(action_item_id=ITEM, text="order drywall", due=date(2026, 11, 20), job_id=JOB)


def test_a_builder_holds_its_name_until_it_is_called_otherwise_or_goes() -> None:
    renamed = BuilderRenamed(builder_id=BUILDER, title="Hendricks", was="Hendricks & Sons")
    rename = RenameBuilder(builder_id=BUILDER, title="Hendricks")
    add = AddBuilder(builder_id=BUILDER, title="Hendricks & Sons")
    given(BUILDERS).when(add, add, rename, rename).then(ADDED, renamed)
    freed = BuilderNameFreed(builder_id=BUILDER, title="Hendricks")
    delete = DeleteBuilder(builder_id=BUILDER)
    given(BUILDERS, ADDED, renamed).when(delete, delete).then(freed, BuilderDeleted(builder_id=BUILDER))
    assert ADDED.claims == renamed.releases == (Claim("builder", "hendricks sons"),)
    assert renamed.claims == freed.releases
    given(BUILDERS).when(rename).refused(NotFound, "BUILDER_NOT_FOUND")


def test_jobs_of_one_builder_have_different_names_however_they_are_written() -> None:
    same = JobAdded(job_id=OTHER, title="maple  STREET.", builder_id=BUILDER)
    elsewhere = JobAdded(job_id=OTHER, title="Maple Street")
    assert OPENED.claims == same.claims != elsewhere.claims
    rename = RenameJob(job_id=JOB, title="Mill Lane", builder_id=None)
    renamed = JobRenamed(job_id=JOB, title="Mill Lane", was="Maple Street", was_of=BUILDER)
    given(JOBS, OPENED).when(rename, rename).then(renamed)
    assert renamed.releases == OPENED.claims


def test_what_is_not_changed_stays_as_it_is_by_then() -> None:
    renamed = JobRenamed(
        job_id=JOB, title="Mill Lane", builder_id=BUILDER, was="Maple Street", was_of=BUILDER
    )
    given_away = JobRenamed(job_id=JOB, title="Mill Lane", was="Mill Lane", was_of=BUILDER)
    given(JOBS, OPENED).when(
        RenameJob(job_id=JOB, title="Mill Lane"),
        RenameJob(job_id=JOB, builder_id=None),
        RenameJob(job_id=JOB),
    ).then(renamed, given_away)
    said = EditActionItem(action_item_id=ITEM, text="order forty sheets")
    timed = EditActionItem(action_item_id=ITEM, due=date(2026, 12, 1))
    given(ACTION_ITEMS, ASKED).when(said, timed, EditActionItem(action_item_id=ITEM)).then(
        ActionItemEdited(action_item_id=ITEM, job_id=JOB, text=said.text, due=ASKED.due),
        ActionItemEdited(action_item_id=ITEM, job_id=JOB, text=said.text, due=timed.due),
    )


def test_an_address_is_subscribed_once_however_it_is_written() -> None:
    subscribe = SubscribeToJob(job_id=JOB, email="Office@example.com")
    again = msgspec.structs.replace(subscribe, email="office@EXAMPLE.com")
    leave = UnsubscribeFromJob(job_id=JOB, email="office@example.com")
    given(JOBS, OPENED).when(subscribe, again, leave, leave).then(
        JobSubscribed(job_id=JOB, email="Office@example.com"),
        JobUnsubscribed(job_id=JOB, email="office@example.com"),
    )
    full = [JobSubscribed(job_id=JOB, email=f"{n}@example.com") for n in range(MOST_SUBSCRIBERS)]
    given(JOBS, OPENED, *full).when(subscribe).refused(Conflict, "TOO_MANY_SUBSCRIBERS")


def test_a_job_is_closed_reopened_and_gone_with_its_name_free() -> None:
    close, reopen = CloseJob(job_id=JOB), ReopenJob(job_id=JOB)
    given(JOBS, OPENED).when(reopen, close, close, reopen).then(
        JobClosed(job_id=JOB), JobReopened(job_id=JOB)
    )
    delete = DeleteJob(job_id=JOB)
    freed = JobNameFreed(job_id=JOB, title="Maple Street", builder_id=BUILDER)
    gone = JobDeleted(job_id=JOB, builder_id=BUILDER)
    given(JOBS, OPENED).when(delete, delete).then(freed, gone)
    given(JOBS, OPENED, freed, gone).when(AddJob(job_id=JOB, title="x")).then()
    given(JOBS, OPENED, freed, gone).when(close).refused(NotFound, "JOB_NOT_FOUND")
    given(JOBS).when(delete).refused(NotFound, "JOB_NOT_FOUND")


def test_an_action_item_is_edited_assigned_done_and_reopened_each_once() -> None:
    edit = EditActionItem(action_item_id=ITEM, text="order forty sheets", due=None)
    assign = AssignActionItem(action_item_id=ITEM, owner="Mike")
    done, reopen = FinishActionItem(action_item_id=ITEM), ReopenActionItem(action_item_id=ITEM)
    given(ACTION_ITEMS, ASKED).when(edit, edit, assign, assign, reopen, done, done, reopen).then(
        ActionItemEdited(action_item_id=ITEM, job_id=JOB, text="order forty sheets"),
        ActionItemAssigned(action_item_id=ITEM, job_id=JOB, owner="Mike"),
        ActionItemDone(action_item_id=ITEM, job_id=JOB),
        ActionItemReopened(action_item_id=ITEM, job_id=JOB),
    )
    given(ACTION_ITEMS).when(edit).refused(NotFound, "ACTION_ITEM_NOT_FOUND")


def test_an_action_item_that_is_no_longer_said_goes_unless_somebody_has_dealt_with_it() -> None:
    withdraw = WithdrawActionItem(action_item_id=ITEM)
    gone = ActionItemWithdrawn(action_item_id=ITEM, job_id=JOB)
    given(ACTION_ITEMS, ASKED).when(withdraw, withdraw).then(gone)
    given(ACTION_ITEMS, ASKED, ActionItemDone(action_item_id=ITEM)).when(withdraw).then()
    given(ACTION_ITEMS, ASKED, gone).when(FinishActionItem(action_item_id=ITEM)).refused(
        NotFound, "ACTION_ITEM_NOT_FOUND"
    )


def test_an_action_item_that_is_said_again_comes_back_unless_somebody_has_deleted_it() -> None:
    again = AddActionItem(action_item_id=ITEM, text="again", job_id=OTHER)
    delete = DeleteActionItem(action_item_id=ITEM)
    gone = ActionItemWithdrawn(action_item_id=ITEM, job_id=JOB)
    given(ACTION_ITEMS, ASKED, gone).when(again, again).then(
        ActionItemAdded(action_item_id=ITEM, text="again", job_id=OTHER)
    )
    deleted = ActionItemDeleted(action_item_id=ITEM, job_id=JOB)
    given(ACTION_ITEMS, ASKED, ActionItemDone(action_item_id=ITEM)).when(delete, again).then(deleted)
    given(ACTION_ITEMS, ASKED, gone).when(delete, delete, again).then(ActionItemDeleted(action_item_id=ITEM))


def test_an_action_item_follows_what_is_heard_now_unless_somebody_has_dealt_with_it() -> None:
    heard = ActionItemAdded(action_item_id=ITEM, text="Order it", owner="Mike", session_id=OTHER, as_of=7)
    anew = AddActionItem(
        action_item_id=ITEM, text="Order it", owner="Anna", session_id=OTHER, method="grammar", as_of=9
    )
    restated = ActionItemRestated(
        action_item_id=ITEM, text="Order it", owner="Anna", method="grammar", as_of=9
    )
    given(ACTION_ITEMS, heard).when(anew, anew).then(restated)
    late = msgspec.structs.replace(anew, owner="Eve", as_of=8)
    given(ACTION_ITEMS, heard, restated).when(late).then()
    same = msgspec.structs.replace(anew, owner="Mike")
    given(ACTION_ITEMS, heard).when(same).then()
    given(ACTION_ITEMS, heard, ActionItemDone(action_item_id=ITEM)).when(anew).then()
    elsewhere = msgspec.structs.replace(anew, session_id=JOB)
    given(ACTION_ITEMS, heard).when(elsewhere).then()


def test_an_action_item_goes_where_its_recording_goes() -> None:
    move = MoveActionItem(action_item_id=ITEM, job_id=OTHER)
    given(ACTION_ITEMS, ASKED).when(move, move).then(ActionItemMoved(action_item_id=ITEM, job_id=OTHER))
    given(ACTION_ITEMS).when(move).then()
