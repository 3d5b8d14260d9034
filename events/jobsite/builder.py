"""What happens to a builder: the firm or person that jobs are done for."""

from typing import ClassVar
from uuid import UUID

import msgspec

from events.envelope import Claim, Event
from events.jobsite.names import normalised


def builder_claim(name: str) -> Claim:
    """Two builders are never called the same."""
    return Claim("builder", normalised(name))


class BuilderEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "jobsite"
    aggregate: ClassVar[str] = "builder"
    builder_id: UUID


class BuilderAdded(BuilderEvent, frozen=True, kw_only=True):
    title: str = msgspec.field(name="name")
    """What it is called."""
    session_id: UUID | None = None
    """The recording that spoke of it first, when nobody wrote it down."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        return (builder_claim(self.title),)


class BuilderRenamed(BuilderEvent, frozen=True, kw_only=True):
    title: str = msgspec.field(name="name")
    was: str

    @property
    def claims(self) -> tuple[Claim, ...]:
        return (builder_claim(self.title),)

    @property
    def releases(self) -> tuple[Claim, ...]:
        return (builder_claim(self.was),)


class BuilderNameFreed(BuilderEvent, frozen=True, kw_only=True):
    """The name is free again: what goes before the tombstone, which tells no names."""

    title: str = msgspec.field(name="name")

    @property
    def releases(self) -> tuple[Claim, ...]:
        return (builder_claim(self.title),)


class BuilderDeleted(BuilderEvent, frozen=True, kw_only=True):
    """The builder is gone."""


BUILDER_EVENTS = (BuilderAdded, BuilderRenamed, BuilderNameFreed, BuilderDeleted)
