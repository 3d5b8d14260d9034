"""Folding: any number of row changes become at most one delete, update and upsert a row, with the same result.

The order of statements that makes it exact: sweeps (deletes by the first columns of a key), deletes, updates of rows
as they were before an upsert, upserts, additions after. An update before an upsert matters only if the row was there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from projections.changes import Change, Table

Key = tuple[Any, ...]
Values = Mapping[str, Any]

NONE: Values = {}


class Row:
    """What a batch does to one row. Values are replaced, never changed: they may be those of a `Change`."""

    __slots__ = ("add", "deleted", "more", "set", "upsert")

    def __init__(self, *, deleted: bool = False) -> None:
        self.deleted = deleted
        self.set = self.add = NONE
        """What the row gets, and what is added to it, if it was there before the upsert."""
        self.upsert: Values | None = None
        self.more = NONE
        """What is added to the row after the upsert."""

    def make(self, values: Values) -> None:
        self.upsert = {**self.upsert, **values} if self.upsert else values
        if self.more:
            self.more = _without(self.more, values)

    def patch(self, values: Values) -> None:
        if self.upsert is not None:
            self.make(values)
        elif not self.deleted:
            self.set = {**self.set, **values} if self.set else values
            if self.add:
                self.add = _without(self.add, values)

    def increase(self, amounts: Values) -> None:
        if self.upsert is not None:
            self.upsert, self.more = _increased(self.upsert, self.more, amounts)
        elif not self.deleted:
            self.set, self.add = _increased(self.set, self.add, amounts)


def _without(add: Values, values: Values) -> Values:
    return {name: amount for name, amount in add.items() if name not in values}


def _increased(known: Values, add: Values, amounts: Values) -> tuple[Values, Values]:
    """Add to what is known, and remember what is to be added to the rest; null plus anything is null, as in SQL."""
    if not known and not add:
        return known, amounts
    known, add = dict(known), dict(add)
    for name, amount in amounts.items():
        target = known if name in known else add
        before = target.get(name, 0)
        target[name] = None if before is None or amount is None else before + amount
    return known, add


@dataclass(slots=True)
class Folded:
    """What a batch does to one table: whole groups of rows that go first, then the rows."""

    table: Table
    sweeps: dict[Key, None] = field(default_factory=dict)
    rows: dict[Key, Row] = field(default_factory=dict)
    _groups: dict[Any, list[Key]] | None = None
    """Keys of more than one column by the first, for sweeps to find them; kept from the first sweep on."""

    def apply(self, change: Change) -> None:
        key, kind = change.key, change.kind
        if len(key) < len(self.table.key):
            self._sweep(key)
            return
        row = self.rows.get(key)
        if row is None:
            row = self._begin(key)
        if kind == "upsert":
            row.make(change.values)
        elif kind == "patch":
            row.patch(change.values)
        elif kind == "increment":
            row.increase(change.values)
        else:
            self.rows[key] = Row(deleted=True)

    def _begin(self, key: Key) -> Row:
        row = self.rows[key] = Row()
        if self._groups is not None and len(key) > 1:
            self._groups.setdefault(key[0], []).append(key)
        return row

    def _sweep(self, prefix: Key) -> None:
        self.sweeps[prefix] = None
        if self._groups is None:
            self._groups = {}
            for key in self.rows:
                self._groups.setdefault(key[0], []).append(key)
        kept = []
        for key in self._groups.pop(prefix[0], ()):
            if key[: len(prefix)] == prefix:
                del self.rows[key]
            else:
                kept.append(key)
        if kept:
            self._groups[prefix[0]] = kept


def fold(changes: Iterable[Change]) -> dict[str, Folded]:
    """Fold changes, in their order, by table."""
    tables: dict[str, Folded] = {}
    for change in changes:
        folded = tables.get(change.table.name)
        if folded is None:
            folded = tables[change.table.name] = Folded(change.table)
        folded.apply(change)
    return tables
