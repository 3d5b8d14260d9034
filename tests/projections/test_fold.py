"""Folding changes nothing but the number of statements."""

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.changes import Change, Table, delete, increment, patch, upsert
from projections.fold import fold
from tests.projections.naive import folded, naive

LINES = Table(
    "lines",
    {
        "a": "int",
        "b": "int",
        "c": "int",
        "x": "int not null default 0",
        "y": "int",
        "t": "text default 'new'",
    },
    ("a", "b", "c"),
)
ONES = Table("ones", {"id": "int", "x": "int default 7", "y": "int"}, ("id",))

small = st.integers(0, 2)
amounts = st.integers(-3, 3)
settable = {"x": amounts, "y": st.none() | amounts, "t": st.sampled_from(["one", "two"])}


def one_of_each_kind(table: Table) -> st.SearchStrategy[Change]:
    key = st.fixed_dictionaries(dict.fromkeys(table.key, small))
    chosen: Any = {name: how for name, how in settable.items() if name in table.columns}
    some = st.fixed_dictionaries({}, optional=chosen)
    counted = st.fixed_dictionaries({}, optional={"x": amounts, "y": amounts})
    reach = st.integers(1, len(table.key))
    return st.one_of(
        st.builds(lambda key, values: upsert(table, **key, **values), key, some),
        st.builds(lambda key, values: patch(table, **key, **values), key, some),
        st.builds(lambda key, values: increment(table, **key, **values), key, counted),
        st.builds(
            lambda key, reach: delete(table, **{name: key[name] for name in table.key[:reach]}), key, reach
        ),
    )


changes = st.lists(one_of_each_kind(LINES) | one_of_each_kind(ONES), max_size=40)


@settings(max_examples=200, deadline=None)
@given(changes, changes, st.lists(st.integers(0, 40), max_size=4))
def test_any_batching_of_the_same_changes_gives_the_same_rows(
    earlier: list[Change], later: list[Change], cuts: list[int]
) -> None:
    before = naive(earlier, {})
    after = before
    edges = [0, *sorted(cuts), len(later)]
    for start, end in itertools.pairwise(edges):
        after = folded(later[start:end], after)
    expected = naive(later, before)
    assert {name: rows for name, rows in after.items() if rows} == {n: r for n, r in expected.items() if r}


@settings(max_examples=50, deadline=None)
@given(changes)
def test_folding_leaves_the_changes_as_they_were(given_changes: list[Change]) -> None:
    before = [(each.key, dict(each.values)) for each in given_changes]
    fold(given_changes)
    fold(given_changes)
    assert [(each.key, dict(each.values)) for each in given_changes] == before


def test_what_adds_to_nothing_known_stays_unknown() -> None:
    lines = fold([upsert(ONES, id=1, y=None), increment(ONES, id=1, y=5)])["ones"]
    assert lines.rows[(1,)].upsert == {"y": None}
