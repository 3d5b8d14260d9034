from datetime import UTC, datetime

import pytest

from app.http.cursor import Place, from_cursor
from app.http.moments import in_utc
from app.http.problems import Malformed


def test_a_time_is_kept_in_utc() -> None:
    assert in_utc(datetime.fromisoformat("2026-05-01T10:00:00+02:00"), "recordedAt") == datetime(
        2026, 5, 1, 8, tzinfo=UTC
    )
    assert in_utc(datetime.fromisoformat("2026-05-01T10:00:00+02:00"), "recordedAt").tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999999Z"],
)
def test_a_time_that_has_no_place_in_utc_or_means_infinity_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="recordedAt must lie between"):
        in_utc(datetime.fromisoformat(text), "recordedAt")


@pytest.mark.parametrize(
    "cursor", ["Wy0xXQ", "WzkyMjMzNzIwMzY4NTQ3NzU4MDhd", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"]
)
def test_a_cursor_with_a_position_that_no_database_holds_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed, match="INVALID_CURSOR"):
        from_cursor(cursor, tuple[Place])
