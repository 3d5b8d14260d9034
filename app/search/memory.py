"""Bounded memory of what was asked before, least used forgotten first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Memory(Generic[V]):
    """Values by key, up to so many and so many bytes."""

    def __init__(self, *, entries: int, size: int) -> None:
        self._entries = entries
        self._size = size
        self._held: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable) -> V | None:
        """The value, which becomes the most recently used."""
        if key not in self._held:
            return None
        self._held.move_to_end(key)
        return self._held[key][0]

    def put(self, key: Hashable, value: V, size: int) -> None:
        """Keep it, and forget what was not asked for longest; what is too large alone is not kept."""
        self.drop(key)
        if size > self._size:
            return
        self._held[key] = (value, size)
        self.bytes += size
        while len(self._held) > self._entries or self.bytes > self._size:
            self.drop(next(iter(self._held)))

    def drop(self, key: Hashable) -> None:
        """Forget one; an unknown one already is."""
        if held := self._held.pop(key, None):
            self.bytes -= held[1]

    def renew(self, key: Hashable, value: V) -> None:
        """Another value of the same size in the place of one that is there."""
        if held := self._held.get(key):
            self._held[key] = (value, held[1])
