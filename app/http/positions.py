"""Positions in the log as they travel: `JOBSITE@1234`."""

import re
from typing import NamedTuple

from app.http.problems import Malformed

POSITION = "Headwater-Position"
AFTER = "Headwater-After"

_FORM = re.compile(r"([A-Z][A-Z0-9_]{0,31})@([0-9]{1,18})")


class Position(NamedTuple):
    """A place in one stream of the log."""

    stream: str
    sequence: int

    def __str__(self) -> str:
        return f"{self.stream}@{self.sequence}"


def parse_position(text: str, where: str = AFTER) -> Position:
    """Reads a position; `where` names its header or parameter in the refusal."""
    match = _FORM.fullmatch(text.strip())
    if not match:
        raise Malformed(
            "INVALID_POSITION", f"{where} must look like JOBSITE@1234, as {POSITION} gives it.", field=where
        )
    return Position(match[1], int(match[2]))
