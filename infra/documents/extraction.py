"""From a file's bytes to its text, in the process that may die of it."""

import asyncio
import re
from collections.abc import Callable

import msgspec

from infra.documents import kinds, texts
from infra.documents.archives import Guard
from infra.documents.kinds import Kind
from infra.documents.language import language_of
from infra.documents.mails import undressed
from infra.documents.nesting import DEEPEST, is_too_deep
from infra.documents.ocr import Ocr
from infra.documents.parsed import Limits, Parsed, UnusableDocument, too_long
from infra.documents.wholeness import is_cut

NEEDED = "needs tesseract, which is not installed on the server"
AS_THEY_ARE = (kinds.TEXT, kinds.MARKDOWN, kinds.CSV)


def extract(
    content: bytes, name: str, declared: str, limits: Limits, find_ocr: Callable[[], Ocr | None]
) -> Parsed:
    """Read one document. Raises UnusableDocument, and whatever the parser may raise."""
    if not content:
        raise UnusableDocument("DOCUMENT_EMPTY", "The file is empty.")
    if content.startswith(kinds.ZIP):
        Guard(limits.unpacked).check(content)
    kind = kinds.kind_of(content, name, declared)
    if is_cut(kind, content):
        raise UnusableDocument(
            "DOCUMENT_DAMAGED", f"The file is cut off: it is {kind.label} without its end."
        )
    ocr = find_ocr() if kind == kinds.PDF or kind.family == "image" else None
    as_it_is = kind in AS_THEY_ARE
    if as_it_is and len(content) > 4 * limits.characters:
        raise too_long(f"more than {limits.characters:,} characters")
    parsed = _text(content, kind) if as_it_is else _read(content, kind, limits, ocr)
    if len(parsed.text) > limits.characters:
        raise too_long(f"more than {limits.characters:,} characters")
    if not parsed.text.strip():
        raise _nothing(content, kind, ocr)
    if unread := _unread(parsed, content, kind, ocr):
        parsed = msgspec.structs.replace(parsed, metadata={**parsed.metadata, "unread": unread})
    return parsed if parsed.language else msgspec.structs.replace(parsed, language=language_of(parsed.text))


def _read(content: bytes, kind: Kind, limits: Limits, ocr: Ocr | None) -> Parsed:
    from infra.documents.reading import read  # noqa: PLC0415 (0.1 s and 40 MB that texts need not pay)

    return asyncio.run(read(_plain(content, kind), kind, limits, ocr))


def _plain(content: bytes, kind: Kind) -> bytes:
    """A web page in UTF-8, since its parser knows no other encoding; a mail without its styles."""
    if kind == kinds.HTML:
        page = texts.decoded(content) or ""
        if is_too_deep(page):
            raise UnusableDocument(
                "DOCUMENT_TOO_DEEP", f"Its elements stand more than {DEEPEST} deep in one another."
            )
        return page.encode()
    return undressed(content) if kind == kinds.MAIL else content


def _text(content: bytes, kind: Kind) -> Parsed:
    text = texts.decoded(content) or ""
    title = re.search(r"^#\s+(.+?)\s*#*$", text, re.MULTILINE) if kind == kinds.MARKDOWN else None
    return Parsed(text=text, media_type=kind.media_type, title=title[1] if title else None)


def _nothing(content: bytes, kind: Kind, ocr: Ocr | None) -> UnusableDocument:
    if _is_pictured(content, kind) and ocr is None:
        return UnusableDocument("OCR_UNAVAILABLE", f"It is a picture of text, and reading those {NEEDED}.")
    return UnusableDocument("DOCUMENT_NO_TEXT", "There is no text in it.")


def _unread(parsed: Parsed, content: bytes, kind: Kind, ocr: Ocr | None) -> str | None:
    """In a sentence, that pages without text are among the others, and what may be missing to read them."""
    silent = int(parsed.metadata.get("pagesWithoutText", 0))
    if not silent:
        return None
    said = f"{silent} of {len(parsed.pages)} pages {'has' if silent == 1 else 'have'} no text"
    return (
        f"{said}; reading pictures of it {NEEDED}."
        if _is_pictured(content, kind) and ocr is None
        else f"{said}."
    )


def _is_pictured(content: bytes, kind: Kind) -> bool:
    return kind.family == "image" or (kind == kinds.PDF and kinds.PICTURE.search(content) is not None)


def as_told(parsed: Parsed | UnusableDocument) -> bytes:
    """What the process writes for its parent."""
    if isinstance(parsed, UnusableDocument):
        return b"!" + msgspec.msgpack.encode((parsed.code, parsed.detail))
    return b"=" + parsed.encode()
