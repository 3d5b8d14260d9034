"""What can be told of a document without a model: from what it says of itself, and from its text."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from infra.documents.language import keywords_of
from infra.documents.parsed import Parsed

TITLE = 120
"""Characters of a line that may be taken for a title."""


class Description(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a document is. `title` and `keywords` come from its text where it does not name them itself."""

    media_type: str
    title: str | None = None
    author: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    language: str | None = None
    """ISO 639 code."""
    pages: int = 0
    """Pages, slides or sheets; 0 for what has none."""
    characters: int = 0
    words: int = 0
    keywords: tuple[str, ...] = ()


def described(parsed: Parsed) -> Description:
    """The description of a document that was read."""
    told = parsed.metadata
    named = tuple(each.strip() for each in re.split(r"[;,]", told.get("keywords", "")) if each.strip())
    return Description(
        media_type=parsed.media_type,
        title=parsed.title or _first_line(parsed.text),
        author=told.get("author"),
        created_at=_moment(told.get("created")),
        modified_at=_moment(told.get("modified")),
        language=parsed.language,
        pages=len(parsed.pages),
        characters=len(parsed.text),
        words=len(parsed.text.split()),
        keywords=named or keywords_of(parsed.text),
    )


def _first_line(text: str) -> str | None:
    line = next((each.strip("#*| \t") for each in text.splitlines() if each.strip("#*|- \t")), "")
    return line if 0 < len(line) <= TITLE else None


def _moment(text: str | None) -> datetime | None:
    """Dates come as ISO 8601, or in mails as RFC 5322; one without a zone is taken for UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except ValueError:
            return None
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
