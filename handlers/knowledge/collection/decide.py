"""Rules of a collection: its name, and which of its indexes answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from events.knowledge import (
    Chunking,
    CollectionCreated,
    CollectionDeleted,
    CollectionDescribed,
    CollectionEvent,
    CollectionNameFreed,
    CollectionRenamed,
    IndexBegun,
    IndexDropped,
    IndexPromoted,
    IndexReverted,
)
from handlers.commands import Command, Decider, as_told
from handlers.refusals import Conflict, NotFound


class CreateCollection(Command, frozen=True, kw_only=True):
    collection_id: UUID
    title: str
    description: str
    embedder: str
    chunking: Chunking


class ChangeCollection(Command, frozen=True, kw_only=True):
    collection_id: UUID
    title: str | None = None
    description: str | None = None


class BeginIndex(Command, frozen=True, kw_only=True):
    """Build another index; without an embedder, by the one that answers."""

    collection_id: UUID
    embedder: str | None = None
    chunking: Chunking | None = None


class PromoteIndex(Command, frozen=True, kw_only=True):
    """Let this candidate answer."""

    collection_id: UUID
    number: int
    kept_until: datetime | None = None
    """Until when the one before may answer again."""


class RevertIndex(Command, frozen=True, kw_only=True):
    """Let the index answer that did before, if it is not too late."""

    collection_id: UUID
    at: datetime


class DropIndex(Command, frozen=True, kw_only=True):
    """Give up an index that does not answer."""

    collection_id: UUID
    number: int


class DeleteCollection(Command, frozen=True, kw_only=True):
    collection_id: UUID


CollectionCommand = (
    CreateCollection
    | ChangeCollection
    | BeginIndex
    | PromoteIndex
    | RevertIndex
    | DropIndex
    | DeleteCollection
)


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Deleted:
    pass


@dataclass(frozen=True)
class IndexPlan:
    """Whose vectors an index holds, and how texts are cut for it; None: as each document says."""

    embedder: str
    chunking: Chunking | None


@dataclass(frozen=True)
class Collection:
    """`live` are the indexes that documents go into: the active one, and a candidate or the one before."""

    title: str
    description: str
    chunking: Chunking
    active: int
    live: Mapping[int, IndexPlan]
    candidate: int | None = None
    previous: int | None = None
    kept_until: datetime | None = None
    """When the one before can answer again no more, though it may be there for some time yet."""
    highest: int = 1

    @property
    def answering(self) -> IndexPlan:
        return self.live[self.active]


State = Absent | Collection | Deleted


def decide(command: CollectionCommand, state: State) -> Sequence[CollectionEvent]:
    match command, state:
        case CreateCollection() as c, Absent():
            return [as_told(CollectionCreated, c)]
        case ((CreateCollection() | DeleteCollection() | DropIndex()), Deleted()):
            return []
        case _, (Absent() | Deleted()):
            raise NotFound("COLLECTION_NOT_FOUND", f"There is no collection {command.collection_id}.")
        case _, Collection() as collection:
            return _change(command, collection)
    return []


def _change(command: CollectionCommand, now: Collection) -> Sequence[CollectionEvent]:
    id = command.collection_id
    match command:
        case CreateCollection():
            return []  # the same request again
        case ChangeCollection() as c:
            return _described(c, now)
        case BeginIndex() as c:
            return _begun(c, now)
        case PromoteIndex(number=now.active):
            return []
        case PromoteIndex(number=number) as c:
            if number != now.candidate:
                raise Conflict("NO_SUCH_CANDIDATE", f"Index {number} is not being built; nothing to promote.")
            return [as_told(IndexPromoted, c, before=now.active)]
        case RevertIndex(at=at):
            if now.previous is None or (now.kept_until and at >= now.kept_until):
                raise Conflict("NOTHING_TO_REVERT", "There is no earlier index that could answer again.")
            return [IndexReverted(collection_id=id, number=now.previous, before=now.active)]
        case DropIndex(number=number):
            if number == now.active:
                raise Conflict("INDEX_ANSWERS", f"Index {number} answers; it cannot be dropped.")
            return [_dropped(id, number, now)] if number in now.live else []
        case DeleteCollection():
            return [
                CollectionNameFreed(collection_id=id, title=now.title),
                CollectionDeleted(collection_id=id),
            ]
    assert_never(command)


def _described(command: ChangeCollection, now: Collection) -> Sequence[CollectionEvent]:
    id, events = command.collection_id, list[CollectionEvent]()
    if command.title is not None and command.title != now.title:
        events.append(CollectionRenamed(collection_id=id, title=command.title, before=now.title))
    if command.description is not None and command.description != now.description:
        events.append(CollectionDescribed(collection_id=id, description=command.description))
    return events


def _begun(command: BeginIndex, now: Collection) -> Sequence[CollectionEvent]:
    """Indexes of one parity share a table: the new one gets a number of the other parity than the active one."""
    if now.candidate is not None:
        raise Conflict(
            "REINDEX_UNDER_WAY", "Another index is being built. Promote it or give it up before the next."
        )
    id = command.collection_id
    earlier = [_dropped(id, now.previous, now)] if now.previous is not None else []
    number = now.highest + (1 if (now.highest + 1) % 2 != now.active % 2 else 2)
    embedder = command.embedder or now.answering.embedder
    chunking = command.chunking or now.answering.chunking
    return [*earlier, IndexBegun(collection_id=id, number=number, embedder=embedder, chunking=chunking)]


def _dropped(id: UUID, number: int, now: Collection) -> IndexDropped:
    return IndexDropped(collection_id=id, number=number, embedder=now.live[number].embedder)


def evolve(state: State, event: CollectionEvent) -> State:
    match event, state:
        case CollectionCreated() as e, _:
            return Collection(e.title, e.description, e.chunking, 1, {1: IndexPlan(e.embedder, None)})
        case CollectionRenamed(title=title), Collection() as c:
            return replace(c, title=title)
        case CollectionDescribed(description=description), Collection() as c:
            return replace(c, description=description)
        case IndexBegun() as e, Collection() as c:
            plan = IndexPlan(e.embedder, e.chunking)
            return replace(c, live={**c.live, e.number: plan}, candidate=e.number, highest=e.number)
        case IndexPromoted() as e, Collection() as c:
            return replace(c, active=e.number, candidate=None, previous=e.before, kept_until=e.kept_until)
        case IndexReverted() as e, Collection() as c:
            return replace(c, active=e.number, candidate=e.before, previous=None, kept_until=None)
        case IndexDropped(number=number), Collection() as c:
            return _without(c, number)
        case CollectionDeleted(), _:
            return Deleted()
    return state


def _without(now: Collection, number: int) -> Collection:
    return replace(
        now,
        live={each: plan for each, plan in now.live.items() if each != number},
        candidate=None if now.candidate == number else now.candidate,
        previous=None if now.previous == number else now.previous,
    )


COLLECTIONS: Decider[CollectionCommand, State] = Decider(
    "knowledge",
    "collection",
    (
        CreateCollection,
        ChangeCollection,
        BeginIndex,
        PromoteIndex,
        RevertIndex,
        DropIndex,
        DeleteCollection,
    ),
    Absent(),
    decide,
    evolve,
    creates=(CreateCollection,),
)
