"""What may leave the process beside its answers: plain JSON values of bounded size, secrets masked.

A second line of defence: whoever writes a log line still leaves secrets and payloads out of it.
"""

import re
from collections.abc import Collection, Mapping, Set
from datetime import datetime
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from events.envelope import timestamp

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

MASK = "***"
LONGEST = 2_000
"""Characters of one text; what is longer is cut."""
MOST = 50
"""Members of one list or mapping."""
DEEPEST = 4
WIDEST = 1 << 63

_NAME = (
    r"passw|passphrase|(?-i:(?<![a-z])pass|Pass|(?<![A-Z])PASS)(?![a-z])|pwd|secret|authori[sz]ation|cookie|credential|signature"
    r"|(?:api|access|private)[ _-]?key|token(?!s\b|s_|iz|is)"
)
_SECRETIVE = re.compile(rf"{_NAME}|tokens", re.IGNORECASE)
_HARMLESS = re.compile(r"(?:[_-]id|Id|[_-]prefix|Prefix)s?$")
_NAMED = re.compile(
    rf"((?:{_NAME})[\w.-]{{0,32}}[\"']?\s{{0,8}}[=:]\s{{0,8}}(?:(?:bearer|basic)\s{{1,8}})?)"
    r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[\"']?[^\s\"',;&)}\]]+)",
    re.IGNORECASE,
)
_API_KEY = re.compile(r"hw_(?:([A-Za-z0-9]{8}_)[A-Za-z0-9]|[A-Za-z0-9]{2})[A-Za-z0-9_-]{7,}")
_URL = re.compile(r"://[^\s\"'<>]+")
_BEARER = re.compile(r"\b(bearer\s{1,8})[\w.~+/=-]{8,}", re.IGNORECASE)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*")


def mask(text: str) -> str:
    """The text without API keys, tokens, credentials in URLs, and values that are called a secret."""
    if "://" in text and "@" in text:
        text = _URL.sub(_without_credentials, text)
    if "hw_" in text:
        text = _API_KEY.sub(lambda found: f"hw_{found[1] or ''}{MASK}", text)
    if "eyJ" in text:
        text = _JWT.sub(MASK, text)
    if "=" in text or ":" in text:
        text = _NAMED.sub(rf"\1{MASK}", text)
    if " " in text:
        text = _BEARER.sub(rf"\1{MASK}", text)
    return text


def _without_credentials(found: re.Match[str]) -> str:
    _, at, host = found[0].rpartition("@")
    return f"://{MASK}@{host}" if at else host


@lru_cache(maxsize=1024)
def secretive(name: str) -> bool:
    """Whether what goes by this name is a secret rather than something about one."""
    return bool(_SECRETIVE.search(name)) and not _HARMLESS.search(name)


def legible(text: str) -> str:
    """The text as a log line holds it: masked, valid Unicode, of bounded length."""
    if len(text) > LONGEST:
        masked = mask(text[: 4 * LONGEST])
        text = f"{masked[:LONGEST]}… ({len(text)} characters)"
    else:
        text = mask(text)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def plain(value: object, depth: int = DEEPEST) -> Json:
    """Any value as JSON for people to read: bytes become their size, what is too deep or too long is cut."""
    try:
        return legible(value) if type(value) is str else _plain(value, depth)
    except Exception:  # its own `str`, `len` or iterator fails
        return f"<{type(value).__name__}>"


def _plain(value: object, depth: int) -> Json:  # noqa: PLR0911 (a case a type)
    match value:
        case None | bool():
            return value
        case Enum():
            return plain(value.value, depth)
        case int() if -WIDEST <= value < WIDEST:
            return int(value)
        case float():
            return float(value)
        case str():
            return legible(repr(value) if type(value).__repr__ is not str.__repr__ else str(value))
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case datetime():
            return timestamp(value)
        case BaseException():
            return legible(f"{type(value).__name__}: {value}")
        case Mapping():
            return _members(value, depth) if depth else f"<{len(value)} members>"
        case list() | tuple() | Set():
            return _elements(value, depth) if depth else f"<{len(value)} members>"
        case _:
            return legible(str(value))


def _members(value: Mapping[object, object], depth: int) -> Json:
    shown = dict(named(str(plain(key, 0)), each, depth - 1) for key, each in islice(value.items(), MOST))
    return shown if len(value) <= MOST else shown | {"…": f"<{len(value)} members>"}


def _elements(value: Collection[object], depth: int) -> Json:
    shown = [plain(each, depth - 1) for each in islice(value, MOST)]
    return shown if len(value) <= MOST else [*shown, f"<{len(value)} members>"]


def named(name: str, value: object, depth: int = DEEPEST) -> tuple[str, Json]:
    """A name with its value, masked if the name says it is a secret. Numbers are not: `tokens` may be counted."""
    hidden = secretive(name) and not isinstance(value, int | float | None)
    return name, MASK if hidden else plain(value, depth)
