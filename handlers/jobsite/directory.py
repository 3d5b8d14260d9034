"""The builders and jobs there are, read from the log, and which of them is meant by what was said."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import NamedTuple
from uuid import UUID

from events.envelope import Event
from events.ids import derived_id
from events.jobsite import (
    BuilderAdded,
    BuilderDeleted,
    BuilderRenamed,
    JobAdded,
    JobDeleted,
    JobRenamed,
    Suggestion,
)
from handlers.commands import Command
from handlers.jobsite.builder.decide import AddBuilder
from handlers.jobsite.job.decide import AddJob
from handlers.jobsite.similarity import ALIKE, plain, similarity
from infra.log import Log

MOST_SUGGESTIONS = 5
ADDED = UUID("6e4d3c0a-5d0f-5f6b-9a51-7a3f5b8f2c11")
"""Ids of builders and jobs that were first heard of in a recording derive from this."""
FILTERS = ("jobsite.builder.>", "jobsite.job.>")


class Job(NamedTuple):
    name: str
    builder_id: UUID | None


@dataclass
class Names:
    """What builders and jobs are called."""

    builders: dict[UUID, str] = field(default_factory=dict)
    jobs: dict[UUID, Job] = field(default_factory=dict)
    used: set[UUID] = field(default_factory=set)
    """Every id that a builder or a job has, or had."""

    def learn(self, event: Event) -> None:
        self.used.add(event.key.id)
        match event:
            case BuilderAdded() | BuilderRenamed() as e:
                self.builders[e.builder_id] = e.title
            case BuilderDeleted() as e:
                self.builders.pop(e.builder_id, None)
            case JobAdded() | JobRenamed() as e:
                self.jobs[e.job_id] = Job(e.title, e.builder_id)
            case JobDeleted() as e:
                self.jobs.pop(e.job_id, None)

    def new(self, kind: str, *name: str) -> UUID:
        """The id for what is added under a name. It follows from the name and from what bore it before, and not from
        the recording: two that name the same at the same time add one thing, not two of which one is refused."""
        id = derived_id(ADDED, kind, *name)
        while id in self.used:
            id = derived_id(id, kind, *name)
        return id


class Directory:
    """The names as the log has them when they are asked for; only what is new is read."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._names = Names()
        self._at = 0
        self._lock = asyncio.Lock()

    async def names(self) -> Names:
        """Raises `LogUnavailable`."""
        async with self._lock:
            end = await self._log.last_position("JOBSITE")
            async for recorded in self._log.scan("JOBSITE", *FILTERS, after=self._at, until=end):
                self._names.learn(recorded.event)
            self._at = end
            return Names(dict(self._names.builders), dict(self._names.jobs), set(self._names.used))


class Meant(NamedTuple):
    """Who and what is meant, what has to be added for it, and what else might have been meant."""

    builder_id: UUID | None
    job_id: UUID | None
    added: tuple[Command, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


def meant(session_id: UUID, job: str | None, builder: str | None, names: Names) -> Meant:
    """Names that are the same but for capitals, accents and marks are the same; others are only suggested.

    A job that was not there is added, and so is a builder. When several builders have a job of the name and none of
    them was said, nobody can tell which is meant: all are suggested.
    """
    builder_id, new_builder, suggestions = _builder(session_id, builder, names)
    if job is None or not plain(job):
        return Meant(builder_id, None, new_builder, suggestions)
    named = {id: each for id, each in names.jobs.items() if plain(each.name) == plain(job)}
    if builder_id:
        fitting = {id: each for id, each in named.items() if each.builder_id == builder_id} or {
            id: each for id, each in named.items() if each.builder_id is None
        }
    else:
        fitting = named
    if len(fitting) == 1:
        [(id, found)] = fitting.items()
        return Meant(found.builder_id or builder_id, id, new_builder, suggestions)
    if fitting:
        several = tuple([_suggested("job", job, id, each.name) for id, each in sorted(fitting.items())])
        return Meant(builder_id, None, new_builder, (*suggestions, *several[:MOST_SUGGESTIONS]))
    id = names.new("job", str(builder_id or ""), plain(job))
    added = AddJob(job_id=id, title=job, builder_id=builder_id, session_id=session_id)
    near = _near("job", job, {id: each.name for id, each in names.jobs.items()})
    return Meant(builder_id, id, (*new_builder, added), (*suggestions, *near))


def _builder(
    session_id: UUID, builder: str | None, names: Names
) -> tuple[UUID | None, tuple[Command, ...], tuple[Suggestion, ...]]:
    if builder is None or not plain(builder):
        return None, (), ()
    for id, name in names.builders.items():
        if plain(name) == plain(builder):
            return id, (), ()
    id = names.new("builder", plain(builder))
    added = AddBuilder(builder_id=id, title=builder, session_id=session_id)
    return id, (added,), tuple(_near("builder", builder, names.builders))


def _near(kind: str, said: str, names: Mapping[UUID, str]) -> Sequence[Suggestion]:
    """What is nearly called that, the nearest first."""
    alike = [(-score, id) for id, name in names.items() if (score := similarity(said, name)) >= ALIKE]
    return [_suggested(kind, said, id, names[id]) for _, id in nsmallest(MOST_SUGGESTIONS, alike)]


def _suggested(kind: str, said: str, id: UUID, name: str) -> Suggestion:
    return Suggestion(
        kind="job" if kind == "job" else "builder",
        said=said,
        id=id,
        name=name,
        similarity=round(similarity(said, name), 3),
    )
