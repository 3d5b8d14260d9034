"""Forms that texts may have to have, and what they are called by refusals, which people read."""

import ast
import re
from collections.abc import Mapping

EMAIL = r"^[^@\s,;<>]{1,64}@[^@\s,;<>\[\]]{1,190}$(?!\n)"
LETTER = r"\w"
VISIBLE = r"\S"
SHA256 = r"^[0-9a-f]{64}$(?!\n)"
SLUG = r"^(?![0-9a-f]{8}-[0-9a-f]{4}-)[a-z0-9][a-z0-9_-]{0,62}$(?!\n)"

CALLED: Mapping[str, str] = {
    EMAIL: "a mail address",
    LETTER: "a text with a letter or a digit",
    VISIBLE: "a text that is not blank",
    SHA256: "a SHA-256 in lower-case hex",
    SLUG: "a name of at most 63 lower-case letters, digits, - and _ that begins with a letter or a digit and is no id",
}

_REASON = re.compile(r"Expected `str` matching regex ('.*'|\".*\")")


def plainly(reason: str) -> str:
    """What a `ValidationError` says, with what a form is called in place of its pattern."""
    pattern = _REASON.fullmatch(reason)
    called = CALLED.get(ast.literal_eval(pattern[1])) if pattern else None
    return f"Expected {called}" if called else reason
