"""Cursors lead back to the key they were made of, and to nothing else."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.cursor import from_cursor, to_cursor
from app.http.problems import Malformed

MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))


@given(MOMENTS, st.uuids(), st.floats(allow_nan=False, allow_infinity=False))
def test_a_cursor_leads_back_to_its_key(at: datetime, item: UUID, score: float):
    cursor = to_cursor(at, item, score)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?#")
    assert from_cursor(cursor, tuple[datetime, UUID, float]) == (at, item, score)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_other_text_is_refused(text: str):
    with pytest.raises(Malformed, match="INVALID_CURSOR"):
        from_cursor(text, tuple[datetime, UUID])


@pytest.mark.parametrize(
    "cursor", [to_cursor("a", 1), to_cursor(), to_cursor("x" * 2000, UUID(int=1)), "WwAA" * 200]
)
def test_a_cursor_of_another_list_is_refused(cursor: str):
    with pytest.raises(Malformed):
        from_cursor(cursor, tuple[datetime, UUID])


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "2026-11-27T10:00:00"])
def test_a_time_that_no_database_holds_is_no_place_in_a_list(at: str):
    with pytest.raises(Malformed):
        from_cursor(to_cursor(at, UUID(int=1)), tuple[datetime, UUID])


def test_a_cursor_cannot_smuggle_a_character_that_databases_refuse():
    with pytest.raises(Malformed):
        from_cursor(to_cursor("a\0"), tuple[str])
