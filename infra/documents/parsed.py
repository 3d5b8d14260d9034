"""What a document says, what is known of it, and the two ways in which finding out can fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

MEDIA_TYPE = "application/vnd.headwater.parsed+msgpack"


class Page(NamedTuple):
    """Where a page (a slide, a sheet) stands in the text."""

    start_char: int
    """Offsets count Unicode code points."""
    end_char: int
    number: int
    """From 1, as readers count."""


class Parsed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A document as text. Pages come in their order and do not overlap; what has none is one stretch."""

    version: int = 1
    text: str
    pages: tuple[Page, ...] = ()
    media_type: str
    """By content; of texts, also by name."""
    title: str | None = None
    language: str | None = None
    """ISO 639 code, where the document or its words tell."""
    metadata: Mapping[str, str] = {}
    """What the document says of itself: `author`, `subject`, `keywords`, `created`, `modified`, `producer`; and where
    pages have no text, how many (`pagesWithoutText`), and in a sentence why they may have none (`unread`)."""

    def encode(self) -> bytes:
        """As MessagePack, for the blob store: the same document always gives the same bytes."""
        return _encoder.encode(self)

    @classmethod
    def decode(cls, content: bytes) -> "Parsed":
        """Raises msgspec.DecodeError for anything that `encode` did not make."""
        return _decoder.decode(content)


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Parsed)


@dataclass(frozen=True)
class Limits:
    """How much of a document is taken, and what reading it may cost."""

    size: int = 200 << 20
    """Bytes."""
    pages: int = 5000
    characters: int = 10_000_000
    seconds: float = 120.0
    """Of processor time."""
    memory: int = 1 << 30
    """Bytes, of the process that reads it."""
    unpacked: int = 400 << 20
    """Bytes that an archive such as a DOCX may hold."""


class UnusableDocument(ValueError):
    """The file itself is at fault, so trying again changes nothing. `code` is stable, `detail` is prose."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def too_long(what: str) -> UnusableDocument:
    """The refusal of a document that has too much of something."""
    return UnusableDocument("DOCUMENT_TOO_LONG", f"The document is too long: it has {what}.")


class ParserUnavailable(ConnectionError):
    """The document is not to blame: the same work may succeed later. The text says what to mend."""
