"""What row changes mean, as plainly as possible: dicts for tables, one change after the other."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from projections.changes import Change, Table
from projections.fold import Folded, Key, fold

Rows = dict[Key, dict[str, Any]]
Tables = dict[str, Rows]


def naive(changes: Iterable[Change], tables: Tables) -> Tables:
    """The tables after these changes, one at a time."""
    after = {name: {key: dict(row) for key, row in rows.items()} for name, rows in tables.items()}
    for change in changes:
        _change(after.setdefault(change.table.name, {}), change)
    return after


def folded(changes: Iterable[Change], tables: Tables) -> Tables:
    """The tables after these changes, folded and written in the order of the statements of `writer`."""
    after = {name: {key: dict(row) for key, row in rows.items()} for name, rows in tables.items()}
    for name, each in fold(changes).items():
        _write(after.setdefault(name, {}), each)
    return after


def defaults(table: Table) -> dict[str, Any]:
    """What a column has when an upsert does not name it."""
    found = {name: re.search(r"default (\S+)", sql) for name, sql in table.columns.items()}
    return {name: None if default is None else eval(default[1]) for name, default in found.items()}


def _change(rows: Rows, change: Change) -> None:
    match change.kind:
        case "delete":
            for key in [key for key in rows if key[: len(change.key)] == change.key]:
                del rows[key]
        case "upsert":
            rows.setdefault(change.key, _new(change.table, change.key)).update(change.values)
        case "patch":
            _update(rows, change.key, change.values, {})
        case "increment":
            _update(rows, change.key, {}, change.values)


def _write(rows: Rows, folded: Folded) -> None:
    for prefix in folded.sweeps:
        _change(rows, Change("delete", folded.table, prefix, {}))
    for key, row in folded.rows.items():
        if row.deleted:
            rows.pop(key, None)
    for key, row in folded.rows.items():
        _update(rows, key, row.set, row.add)
    for key, row in folded.rows.items():
        if row.upsert is not None:
            rows.setdefault(key, _new(folded.table, key)).update(row.upsert)
    for key, row in folded.rows.items():
        _update(rows, key, {}, row.more)


def _new(table: Table, key: Key) -> dict[str, Any]:
    return defaults(table) | dict(zip(table.key, key, strict=True))


def _update(rows: Rows, key: Key, put: Mapping[str, Any], add: Mapping[str, Any]) -> None:
    if (row := rows.get(key)) is None:
        return
    row.update(put)
    for name, amount in add.items():
        row[name] = None if row[name] is None else row[name] + amount
