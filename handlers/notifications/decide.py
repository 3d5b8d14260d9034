"""Rules of notifications: what is told about a session, who has read it, and when all of it goes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from events.notifications import (
    InboxRead,
    Kind,
    NotificationDeleted,
    NotificationEvent,
    NotificationMoved,
    NotificationRaised,
    NotificationRead,
    SourceDeleted,
    SourceEvent,
    SourceTold,
)
from handlers.commands import Command, Decider, as_told
from handlers.refusals import NotFound


class RaiseNotification(Command, frozen=True, kw_only=True):
    notification_id: UUID
    kind: Kind
    source: UUID
    title: str
    detail: str
    job_id: UUID | None = None
    edition: int | None = None


class MarkRead(Command, frozen=True, kw_only=True):
    notification_id: UUID
    reader: str


class MoveNotification(Command, frozen=True, kw_only=True):
    """Its session belongs to this job, as of a position of the log."""

    notification_id: UUID
    job_id: UUID | None
    as_of: int


class DeleteNotification(Command, frozen=True, kw_only=True):
    notification_id: UUID


NotificationCommand = RaiseNotification | MarkRead | MoveNotification | DeleteNotification


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Notification:
    source: UUID
    job_id: UUID | None
    readers: frozenset[str] = frozenset()
    as_of: int = 0
    """Position as of which its job is right."""


@dataclass(frozen=True)
class Deleted:
    pass


State = Absent | Notification | Deleted


def decide(command: NotificationCommand, state: State) -> Sequence[NotificationEvent]:
    match command, state:
        case RaiseNotification() as c, Absent():
            return [as_told(NotificationRaised, c)]
        case RaiseNotification(), _:
            return []  # told already, or its session was deleted meanwhile
        case MarkRead(reader=reader) as c, Notification(readers=readers):
            return [] if reader in readers else [as_told(NotificationRead, c)]
        case MarkRead() as c, _:
            raise NotFound("NOTIFICATION_NOT_FOUND", f"There is no notification {c.notification_id}.")
        case MoveNotification() as c, Notification(job_id=job, as_of=known):
            return [as_told(NotificationMoved, c)] if c.job_id != job and c.as_of > known else []
        case MoveNotification(), _:
            return []
        case DeleteNotification(), Deleted():
            return []
        case DeleteNotification() as c, Notification(source=source, job_id=job):
            return [NotificationDeleted(notification_id=c.notification_id, source=source, job_id=job)]
        case DeleteNotification() as c, Absent():  # so that one on its way comes too late
            return [NotificationDeleted(notification_id=c.notification_id)]
    assert_never(command)


def evolve(state: State, event: NotificationEvent) -> State:
    match event, state:
        case NotificationRaised() as e, _:
            return Notification(e.source, e.job_id)
        case NotificationRead() as e, Notification() as n:
            return replace(n, readers=n.readers | {e.reader})
        case NotificationMoved() as e, Notification() as n:
            return replace(n, job_id=e.job_id, as_of=e.as_of)
        case NotificationDeleted(), _:
            return Deleted()
    return state


NOTIFICATIONS: Decider[NotificationCommand, State] = Decider(
    "notifications",
    "notification",
    (RaiseNotification, MarkRead, MoveNotification, DeleteNotification),
    Absent(),
    decide,
    evolve,
)


class ReadAll(Command, frozen=True, kw_only=True):
    inbox_id: UUID
    reader: str
    up_to: int


def decide_inbox(command: ReadAll, read: int) -> Sequence[InboxRead]:
    return [as_told(InboxRead, command)] if command.up_to > read else []


def evolve_inbox(_: int, event: InboxRead) -> int:
    return event.up_to


INBOXES: Decider[ReadAll, int] = Decider("notifications", "inbox", (ReadAll,), 0, decide_inbox, evolve_inbox)


class Tell(Command, frozen=True, kw_only=True):
    """Names what is about to be made, before it is made."""

    source_id: UUID
    notifications: tuple[UUID, ...] = ()
    deliveries: tuple[UUID, ...] = ()


class DeleteSource(Command, frozen=True, kw_only=True):
    source_id: UUID


SourceCommand = Tell | DeleteSource


@dataclass(frozen=True)
class Source:
    """All that was ever told about a session, and whether it is gone."""

    notifications: tuple[UUID, ...] = ()
    deliveries: tuple[UUID, ...] = ()
    deleted: bool = False


def decide_source(command: SourceCommand, source: Source) -> Sequence[SourceEvent]:
    """A tombstone names everything, since the eraser leaves nothing but the last one."""
    match command:
        case Tell() as c:
            grown = _with(source, c)
            if grown == source:
                return []
            return [_gone(c.source_id, grown)] if source.deleted else [as_told(SourceTold, c)]
        case DeleteSource() as c:
            return [] if source.deleted else [_gone(c.source_id, source)]
    assert_never(command)


def _gone(source_id: UUID, source: Source) -> SourceDeleted:
    return SourceDeleted(
        source_id=source_id, notifications=source.notifications, deliveries=source.deliveries
    )


def _with(source: Source, told: Tell | SourceEvent) -> Source:
    return replace(
        source,
        notifications=tuple(dict.fromkeys((*source.notifications, *told.notifications))),
        deliveries=tuple(dict.fromkeys((*source.deliveries, *told.deliveries))),
    )


def evolve_source(source: Source, event: SourceEvent) -> Source:
    return replace(_with(source, event), deleted=source.deleted or isinstance(event, SourceDeleted))


SOURCES: Decider[SourceCommand, Source] = Decider(
    "notifications", "source", (Tell, DeleteSource), Source(), decide_source, evolve_source
)
