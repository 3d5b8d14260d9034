"""A blob that an event names and that is gone for a moment is waited for, unless nobody wants it any more."""

from typing import Any, cast

import pytest

from events.envelope import Key
from events.ids import new_id
from infra.blobs import BlobMissing, Blobs, BlobsUnavailable
from infra.blobs import expecting as module
from infra.blobs.expecting import expecting, working_for

PAPER = Key("office", "paper", new_id())


class Store:
    def __init__(self) -> None:
        self.content: bytes | None = None

    async def get(self, key: str, limit: int) -> bytes:
        if self.content is None:
            raise BlobMissing(key)
        return self.content

    async def stat(self, key: str) -> str:
        return key


class Events:
    def __init__(self) -> None:
        self.gone: set[Key] = set()

    async def deleted(self, key: Key) -> bool:
        return key in self.gone


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def blobs(store: Store, events: Events) -> Blobs:
    return expecting(cast(Any, store), cast(Any, events))


async def test_what_is_missing_may_come_back(blobs: Blobs, store: Store) -> None:
    with working_for(PAPER):
        with pytest.raises(BlobsUnavailable):
            await blobs.get("a")
        store.content = b"again"
        assert await blobs.get("a") == b"again"


async def test_it_is_missing_for_good_after_a_while(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0)
    with working_for(PAPER):
        for _ in range(2):
            with pytest.raises((BlobsUnavailable, BlobMissing)) as last:
                await blobs.get("a")
    assert last.type is BlobMissing


async def test_what_is_deleted_needs_nothing(blobs: Blobs, events: Events) -> None:
    events.gone.add(PAPER)
    with working_for(PAPER), pytest.raises(BlobMissing):
        await blobs.get("a")


async def test_who_works_for_nobody_is_told_at_once(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing):
        await blobs.get("a")
    assert await blobs.stat("a") == "a"  # type: ignore[comparison-overlap]  # the rest is the store itself
