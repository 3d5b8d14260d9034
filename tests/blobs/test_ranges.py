"""Downloads go on where they broke off, and only in the same file."""

import pytest
from aiohttp import web

from app.platform.ranges import has_already, span_of

TAG = '"abc"'


@pytest.mark.parametrize(
    ("headers", "span"),
    [
        ({}, None),
        ({"Range": "bytes=0-9"}, (0, 10)),
        ({"Range": "bytes=90-"}, (90, 100)),
        ({"Range": "bytes=-5"}, (95, 100)),
        ({"Range": "bytes=-500"}, (0, 100)),
        ({"Range": "bytes=5-2"}, None),
        ({"Range": "bytes=0-1,4-5"}, None),
        ({"Range": "bytes=0-9", "If-Range": TAG}, (0, 10)),
        ({"Range": "bytes=0-9", "If-Range": '"of another"'}, None),
        ({"Range": "bytes=200-", "If-Range": '"of another"'}, None),
    ],
)
def test_a_range_is_of_the_file_that_is_meant(headers: dict[str, str], span: tuple[int, int] | None) -> None:
    assert span_of(headers, TAG, 100) == span


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(asked: str) -> None:
    with pytest.raises(web.HTTPRequestRangeNotSatisfiable) as refused:
        span_of({"Range": asked}, TAG, 100)
    assert refused.value.headers["Content-Range"] == "bytes */100"


def test_a_file_that_is_known_is_not_sent_again() -> None:
    known = [has_already({"If-None-Match": each}, TAG) for each in (TAG, f'"x", W/{TAG}', "*", '"x"')]
    assert known == [True, True, True, False]
