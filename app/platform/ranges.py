"""What of a file is asked for: all of it, one range, or nothing that is not there already (RFC 9110, 13 and 14)."""

import re
from collections.abc import Mapping

from aiohttp import web

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def has_already(headers: Mapping[str, str], tag: str) -> bool:
    """Whether who asks holds the file already."""
    known = [each.strip().removeprefix("W/") for each in headers.get("If-None-Match", "").split(",")]
    return tag in known or "*" in known


def span_of(headers: Mapping[str, str], tag: str, size: int) -> tuple[int, int] | None:
    """The one range asked for, as start and end; None for the whole: several ranges, none that can be read, or one of
    another file (`If-Range`). Raises 416 for one behind the end."""
    match = RANGE.fullmatch(headers.get("Range", ""))
    if not match or not (match[1] or match[2]) or headers.get("If-Range", tag).strip() != tag:
        return None
    if match[1] and match[2] and int(match[2]) < int(match[1]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
    if start >= end:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return start, end
