"""Events a second into a view of the `eventsourcing` library: its projection, runner and tracking recorder."""

import asyncio
import time
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL

from tests.bench import million
from tests.bench import tasks as ours
from tests.bench.peer.settings import environment
from tests.bench.peer.tasks import Closed, Noted, Opened, TaskEvent, Tasks

BATCH = 1000


class View(PostgresTrackingRecorder):
    """The same two tables. Each event's rows and its tracking are one transaction."""

    def opened(self, event: Opened, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                "insert into tasks values (%s, %s, %s, 'open', 0, %s) on conflict (id) do update set "
                "title = excluded.title, crew = excluded.crew, status = excluded.status, notes = excluded.notes, "
                "updated_at = excluded.updated_at",
                (event.originator_id, event.title, event.crew, event.timestamp),
                prepare=True,
            )
            self._insert_tracking(cursor, tracking)

    def noted(self, event: Noted, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                "insert into notes values (%s, %s, %s, %s) on conflict (task_id, n) do update set "
                "text = excluded.text, minutes = excluded.minutes",
                (event.originator_id, event.n, event.text, event.minutes),
                prepare=True,
            )
            cursor.execute(
                "update tasks set notes = %s, updated_at = %s where id = %s",
                (event.n + 1, event.timestamp, event.originator_id),
                prepare=True,
            )
            self._insert_tracking(cursor, tracking)

    def closed(self, event: Closed, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                "update tasks set status = 'closed', updated_at = %s where id = %s",
                (event.timestamp, event.originator_id),
                prepare=True,
            )
            self._insert_tracking(cursor, tracking)


class Projected(Projection[View]):
    name = "projected"

    @singledispatchmethod
    def process_event(self, domain_event: TaskEvent, tracking: Tracking) -> None:
        raise TypeError(f"no rule for {domain_event}")

    @process_event.register
    def _(self, event: Opened, tracking: Tracking) -> None:
        self.view.opened(event, tracking)

    @process_event.register
    def _(self, event: Noted, tracking: Tracking) -> None:
        self.view.noted(event, tracking)

    @process_event.register
    def _(self, event: Closed, tracking: Tracking) -> None:
        self.view.closed(event, tracking)


def fill(dsn: str, events: int) -> None:
    """Store the first events of the million, in batches, and make the view's tables; none of this is measured."""
    with Tasks(environment(dsn, connections=5)) as app:
        stored: list[StoredEvent] = []
        versions: dict[UUID, int] = {}
        for event in million.events(events):
            version = versions[event.task_id] = versions.get(event.task_id, 0) + 1
            stored.append(app.mapper.to_stored_event(_theirs(event, version)))
            if len(stored) == BATCH:
                app.recorder.insert_events(stored)
                stored.clear()
    with psycopg.connect(dsn) as connection:
        for table in (ours.TASK_ROWS, ours.NOTE_ROWS):
            connection.execute(SQL(table.definition("public")))


async def rate(dsn: str, seconds: float) -> float:
    """Events a second, going on where the last run stopped."""
    return await asyncio.to_thread(_rate, dsn, seconds)


def _rate(dsn: str, seconds: float) -> float:
    with ProjectionRunner(
        application_class=Tasks,
        projection_class=Projected,
        view_class=View,
        env=environment(dsn, connections=5),
    ) as runner:
        began, before = time.monotonic(), runner.view.max_tracking_id(Tasks.name) or 0
        runner.run_forever(timeout=seconds)
        after = runner.view.max_tracking_id(Tasks.name) or 0
        return (after - before) / (time.monotonic() - began)


def _theirs(event: ours.TaskEvent, version: int) -> TaskEvent:
    envelope: dict[str, Any] = {"originator_id": event.task_id, "originator_version": version}
    match event:
        case ours.Opened():
            return Opened(**envelope, title=event.title, crew=event.crew)
        case ours.Noted():
            return Noted(**envelope, n=event.n, text=event.text, minutes=event.minutes)
        case ours.Closed():
            return Closed(**envelope, notes=event.notes)
    raise TypeError(f"{event} has no like")
