"""What happens to a collection: it is made, its indexes come, answer and go, and so does it."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from events.envelope import Claim, Event
from events.knowledge.cutting import Chunking


def collection_claim(name: str) -> Claim:
    """Only one collection may have a name."""
    return Claim("collection", name)


class CollectionEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "knowledge"
    aggregate: ClassVar[str] = "collection"
    collection_id: UUID


class CollectionCreated(CollectionEvent, frozen=True, kw_only=True):
    """Documents may come. Its first index has the number 1."""

    title: str
    """Its name; unique."""
    description: str = ""
    embedder: str
    """Whose vectors its index holds."""
    chunking: Chunking
    """How documents are cut that say nothing else."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        return (collection_claim(self.title),)


class CollectionRenamed(CollectionEvent, frozen=True, kw_only=True):
    title: str
    before: str

    @property
    def claims(self) -> tuple[Claim, ...]:
        return (collection_claim(self.title),)

    @property
    def releases(self) -> tuple[Claim, ...]:
        return (collection_claim(self.before),)


class CollectionDescribed(CollectionEvent, frozen=True, kw_only=True):
    description: str


class IndexBegun(CollectionEvent, frozen=True, kw_only=True):
    """Another index is built beside the one that answers."""

    number: int
    embedder: str
    chunking: Chunking | None = None
    """How every document is cut for it; None leaves each as it was uploaded."""


class IndexPromoted(CollectionEvent, frozen=True, kw_only=True):
    """The index answers from now on; the one before is kept for a while."""

    number: int
    before: int
    kept_until: datetime | None = None
    """When the one before can answer again no more; None: once it is dropped."""


class IndexReverted(CollectionEvent, frozen=True, kw_only=True):
    """The index that answered before answers again; the other is a candidate as it was."""

    number: int
    before: int


class IndexDropped(CollectionEvent, frozen=True, kw_only=True):
    """Nobody needs the index any more."""

    number: int
    embedder: str


class CollectionNameFreed(CollectionEvent, frozen=True, kw_only=True):
    """The last but one event of a collection: another may have its name, which the tombstone does not tell."""

    title: str

    @property
    def releases(self) -> tuple[Claim, ...]:
        return (collection_claim(self.title),)


class CollectionDeleted(CollectionEvent, frozen=True, kw_only=True):
    """It is gone, and its documents go after it."""


COLLECTION_EVENTS = (
    CollectionCreated,
    CollectionRenamed,
    CollectionDescribed,
    IndexBegun,
    IndexPromoted,
    IndexReverted,
    IndexDropped,
    CollectionNameFreed,
    CollectionDeleted,
)
