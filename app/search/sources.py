"""What a context lets be found, as data: where its passages are, who may see them, and how a reader gets to them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import msgspec

from infra.embedding import Embedder
from infra.retrieval import Hit, Index, Kind


class MomentView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is said at one moment of a recording, from `start` to `end` seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Place:
    """An index that answers now, and whose vectors it holds."""

    index: Index
    embedder: Embedder
    collection_ids: tuple[UUID, ...] | None = None
    """The collections that it answers for; None for all that it has."""


class Spot(NamedTuple):
    """A stretch of a source's text, and the words that led there."""

    kind: Kind
    source_id: UUID
    n: int
    start_char: int
    end_char: int
    page: int | None
    words: str


def spot(hit: Hit, words: str) -> Spot:
    return Spot(hit.kind, hit.source_id, hit.n, hit.start_char, hit.end_char, hit.page, words)


class Original(NamedTuple):
    """What can be played or opened: a blob, and where in it to begin."""

    blob: str
    media_type: str
    name: str
    fragment: str = ""
    """`t=12.50` or `page=3`."""


class Shown(NamedTuple):
    """What a reader is told of where a passage stands."""

    title: str | None
    original: Original
    job_id: UUID | None = None
    collection: str | None = None
    moment: MomentView | None = None


Spots = Mapping[tuple[UUID, int], Shown]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A context that can be searched."""

    context: str
    scope: str
    """What a key must hold to find anything in it."""
    stream: str
    changed_by: tuple[str, ...]
    """Subjects of the events that change what can be found, or how it is shown."""
    reach: frozenset[str]
    """The members of a scope that mean something here; with any other one, nothing of it is meant."""
    places: Callable[[Sequence[UUID] | None], Awaitable[Sequence[Place]]]
    """The indexes that answer, for some collections or for all."""
    show: Callable[[Sequence[Spot]], Awaitable[Spots]]
    """Where spots lead to; one whose source has gone is left out."""
    collections: Callable[[], Awaitable[Mapping[str, UUID]]] | None = None
    """Its collections by their names."""
    jobs: Callable[[], Awaitable[Mapping[UUID, str | None]]] | None = None
    """Its jobs, with the names of those that have one."""
