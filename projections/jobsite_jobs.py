"""Builders, jobs and action items as they are read, and what has happened to each."""

from collections.abc import Iterator
from typing import Any

import msgspec

from events.envelope import Recorded
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
    BuilderRenamed,
    JobAdded,
    JobClosed,
    JobDeleted,
    JobRenamed,
    JobReopened,
    JobSubscribed,
    JobUnsubscribed,
    normalised,
)
from infra.log import TOMBSTONE
from projections.changes import Change, delete, patch, upsert
from projections.jobsite_tables import ACTION_ITEMS, BUILDERS, HISTORY, JOBS, SUBSCRIBERS, WITHDRAWN_ITEMS


def history_rows(recorded: Recorded[Any]) -> Iterator[Change]:
    """That it happened. Of what is deleted nothing is left but that, and for which job."""
    key, event = recorded.event.key, recorded.event
    if event.name == TOMBSTONE:
        yield delete(HISTORY, id=key.id)
    yield upsert(
        HISTORY,
        id=key.id,
        position=recorded.position,
        aggregate=key.aggregate,
        event=event.name,
        job_id=getattr(event, "job_id", None),
        actor=recorded.actor,
        at=recorded.at,
    )


def builder_rows(recorded: Recorded[Any]) -> Iterator[Change]:
    """What a fact about a builder does to its row."""
    match recorded.event:
        case BuilderAdded() as e:
            yield upsert(
                BUILDERS,
                id=e.builder_id,
                name=e.title,
                normal=normalised(e.title),
                session_id=e.session_id,
                **_new(recorded),
            )
        case BuilderRenamed() as e:
            known = {"name": e.title, "normal": normalised(e.title)}
            yield patch(BUILDERS, id=e.builder_id, **known, **_touched(recorded))
        case BuilderDeleted() as e:
            yield delete(BUILDERS, id=e.builder_id)


def job_rows(recorded: Recorded[Any]) -> Iterator[Change]:
    """What a fact about a job does to its rows."""
    match recorded.event:
        case JobAdded() as e:
            yield upsert(
                JOBS,
                id=e.job_id,
                name=e.title,
                normal=normalised(e.title),
                builder_id=e.builder_id,
                closed=False,
                session_id=e.session_id,
                **_new(recorded),
            )
        case JobRenamed() as e:
            known = {"name": e.title, "normal": normalised(e.title), "builder_id": e.builder_id}
            yield patch(JOBS, id=e.job_id, **known, **_touched(recorded))
        case JobSubscribed() as e:
            yield upsert(
                SUBSCRIBERS, job_id=e.job_id, address=e.email.lower(), email=e.email, since=recorded.at
            )
            yield patch(JOBS, id=e.job_id, **_touched(recorded))
        case JobUnsubscribed() as e:
            yield delete(SUBSCRIBERS, job_id=e.job_id, address=e.email.lower())
            yield patch(JOBS, id=e.job_id, **_touched(recorded))
        case JobClosed() | JobReopened() as e:
            yield patch(JOBS, id=e.job_id, closed=isinstance(e, JobClosed), **_touched(recorded))
        case JobDeleted() as e:
            yield delete(SUBSCRIBERS, job_id=e.job_id)
            yield delete(JOBS, id=e.job_id)


def action_item_rows(recorded: Recorded[Any]) -> Iterator[Change]:
    """What a fact about an action item does to its row."""
    match recorded.event:
        case ActionItemAdded() as e:
            yield delete(WITHDRAWN_ITEMS, id=e.action_item_id)
            yield upsert(
                ACTION_ITEMS,
                id=e.action_item_id,
                text=e.text,
                owner=e.owner,
                due=e.due,
                done=False,
                session_id=e.session_id,
                job_id=e.job_id,
                quote=e.quote,
                place=msgspec.json.encode(e.place).decode() if e.place else None,
                method=e.method,
                **_new(recorded),
            )
        case ActionItemRestated() as e:
            yield patch(
                ACTION_ITEMS,
                id=e.action_item_id,
                text=e.text,
                owner=e.owner,
                due=e.due,
                quote=e.quote,
                place=msgspec.json.encode(e.place).decode() if e.place else None,
                method=e.method,
                **_touched(recorded),
            )
        case ActionItemEdited() as e:
            yield patch(ACTION_ITEMS, id=e.action_item_id, text=e.text, due=e.due, **_touched(recorded))
        case ActionItemAssigned() as e:
            yield patch(ACTION_ITEMS, id=e.action_item_id, owner=e.owner, **_touched(recorded))
        case ActionItemMoved() as e:
            yield patch(ACTION_ITEMS, id=e.action_item_id, job_id=e.job_id, **_touched(recorded))
        case ActionItemDone() as e:
            yield patch(
                ACTION_ITEMS, id=e.action_item_id, done=True, done_at=recorded.at, **_touched(recorded)
            )
        case ActionItemReopened() as e:
            yield patch(ACTION_ITEMS, id=e.action_item_id, done=False, done_at=None, **_touched(recorded))
        case ActionItemWithdrawn() as e:
            yield delete(ACTION_ITEMS, id=e.action_item_id)
            yield upsert(WITHDRAWN_ITEMS, id=e.action_item_id, session_id=e.session_id)
        case ActionItemDeleted() as e:
            yield delete(WITHDRAWN_ITEMS, id=e.action_item_id)
            yield delete(ACTION_ITEMS, id=e.action_item_id)


def _touched(recorded: Recorded[Any]) -> dict[str, Any]:
    return {"updated_at": recorded.at, "revision": recorded.position}


def _new(recorded: Recorded[Any]) -> dict[str, Any]:
    return {"added_at": recorded.at, "position": recorded.position, **_touched(recorded)}
