"""The tasks of the benchmark as an application of the `eventsourcing` library."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import datetime_now_with_tzinfo
from eventsourcing.persistence import Mapper, StoredEvent
from eventsourcing.utils import get_topic, resolve_topic


class TaskEvent(msgspec.Struct, frozen=True, kw_only=True):
    originator_id: UUID
    originator_version: int
    timestamp: datetime = msgspec.field(default_factory=datetime_now_with_tzinfo)


class Opened(TaskEvent, frozen=True, kw_only=True):
    title: str
    crew: int


class Noted(TaskEvent, frozen=True, kw_only=True):
    n: int
    text: str
    minutes: int


class Closed(TaskEvent, frozen=True, kw_only=True):
    notes: int


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The aggregate, with the event that has just made it so."""

    id: UUID
    version: int
    notes: int = 0
    news: tuple[TaskEvent, ...] = ()

    def collect_events(self) -> tuple[TaskEvent, ...]:
        return self.news


def project(task: Task | None, events: Iterable[Any]) -> Task | None:
    for event in events:
        notes = task.notes if task else 0
        task = Task(
            id=event.originator_id,
            version=event.originator_version,
            notes=notes + isinstance(event, Noted),
        )
    return task


class StructMapper(Mapper[UUID]):
    """Structs to and from JSON."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=get_topic(type(domain_event)),
            state=msgspec.json.encode(domain_event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        return msgspec.json.decode(stored_event.state, type=resolve_topic(stored_event.topic))


class Tasks(Application[UUID]):
    env: ClassVar[dict[str, str]] = {"MAPPER_TOPIC": get_topic(StructMapper)}

    def open(self, title: str, crew: int) -> UUID:
        opened = Opened(originator_id=uuid4(), originator_version=1, title=title, crew=crew)
        self.save(Task(id=opened.originator_id, version=1, news=(opened,)))
        return opened.originator_id

    def note(self, task_id: UUID, text: str, minutes: int) -> None:
        task: Task = self.repository.get(task_id, projector_func=project)
        noted = Noted(
            originator_id=task_id,
            originator_version=task.version + 1,
            n=task.notes,
            text=text,
            minutes=minutes,
        )
        self.save(Task(id=task_id, version=task.version + 1, notes=task.notes + 1, news=(noted,)))
