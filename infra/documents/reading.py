"""What xberg makes of a document: its text page by page, and what it says of itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import xberg
from xberg import ConversionOptions, ExtractInput, ExtractInputKind, ExtractionConfig, OutputFormat

from infra.documents import kinds, tiffs
from infra.documents.kinds import PICTURE, Kind
from infra.documents.nesting import DEEPEST
from infra.documents.notes import with_footnotes, with_margins, with_spoken
from infra.documents.ocr import Ocr
from infra.documents.parsed import Limits, Page, Parsed, UnusableDocument, too_long

NESTED = 2 * DEEPEST
"""Elements in one another that xberg may follow: more than a page may have by our count, which is not quite its own."""
BREAK = "\n\n"
"""What stands between two pages in the text."""
CELLS = 1_000_000
"""Of a table at most."""
AS_MARKDOWN = (kinds.DOCX, kinds.XLSX, kinds.PPTX, kinds.HTML)
"""Whose headings and tables would be lost in plain text."""
_NAMES = {
    "subject": "subject",
    "created": "created_at",
    "modified": "modified_at",
    "producer": "created_by",
}


async def read(content: bytes, kind: Kind, limits: Limits, ocr: Ocr | None) -> Parsed:
    """Raises UnusableDocument, and whatever else the parser may raise."""
    if kind == kinds.PDF:
        _check_pages(content, limits)
    pictures = tiffs.pages(content) if kind == kinds.TIFF else iter((content,))
    found = told = await _ask(next(pictures, content), kind, limits, ocr if kind.family == "image" else None)
    if kind == kinds.HTML:  # its Markdown would begin with what its head says
        told = await _ask(content, kind, limits, None, plain=True)
    written = [(page.page_number, _written(page, kind)) for page in found.pages or ()]
    for number, picture in enumerate(pictures, start=2):
        if number > limits.pages:
            raise too_long(f"more than {limits.pages:,} pages")
        written.append((number, _clean((await _ask(picture, kind, limits, ocr)).content)))
    if kind == kinds.PDF and ocr and PICTURE.search(content):
        written = await _with_pictures(written, content, limits, ocr)
    written = _with_notes(written, found, content, kind)
    text, pages = _joined(written) if written else (_clean(found.content), ())
    return Parsed(
        text=text,
        pages=pages,
        media_type=kind.media_type,
        title=told.metadata.title or (told.metadata.subject if kind == kinds.MAIL else None) or None,
        language=told.metadata.language or None,
        metadata=_metadata(told.metadata, pages),
    )


def _written(page: Any, kind: Kind) -> str:
    content = _clean(page.content)
    if kind != kinds.XLSX or not page.sheet_name:
        return content
    heading = _clean(f"## {page.sheet_name}")
    if content in {"", heading}:  # an empty sheet says its name, though nothing is in it
        return ""
    return f"{heading}\n\n{content}"


def _with_notes(
    written: list[tuple[int, str]], found: Any, content: bytes, kind: Kind
) -> list[tuple[int, str]]:
    """Pages as their reader sees them: the parser leaves notes out of theirs, or gives them to another page."""
    if kind == kinds.DOCX:
        return list(with_margins(with_footnotes(written, _clean(found.content)), content))
    if kind == kinds.PPTX:
        return list(with_spoken(written, content))
    return written


async def _with_pictures(
    written: list[tuple[int, str]], content: bytes, limits: Limits, ocr: Ocr
) -> list[tuple[int, str]]:
    """Pages without text are read as pictures. Those that have some stay as they are: it is better than any guess."""
    silent = [number for number, text in written if not text]
    if not silent:
        return written
    seen = await _ask(content, kinds.PDF, limits, ocr, pictures=silent)
    heard = {page.page_number: _clean(page.content) for page in seen.pages or ()}
    return [(number, text or heard.get(number, "")) for number, text in written]


def _check_pages(content: bytes, limits: Limits) -> None:
    try:
        count = xberg.pdf_page_count(content)
    except MemoryError:
        raise
    except Exception as error:
        raise _unusable(str(error)) from None
    if count > limits.pages:
        raise too_long(f"{count:,} pages; {limits.pages:,} are read at most")


async def _ask(
    content: bytes,
    kind: Kind,
    limits: Limits,
    ocr: Ocr | None,
    *,
    plain: bool = False,
    pictures: list[int] | None = None,
) -> Any:
    markdown = kind in AS_MARKDOWN and not plain
    config = ExtractionConfig(
        use_cache=False,
        disable_ocr=ocr is None,
        ocr=ocr.config() if ocr else None,
        force_ocr_pages=pictures,
        output_format=OutputFormat("markdown" if markdown else "plain"),
        escape_markdown=False,
        html_options=ConversionOptions(extract_metadata=plain, skip_images=True, max_depth=NESTED),
        pages=xberg.PageConfig(extract_pages=True),
        concurrency=xberg.ConcurrencyConfig(max_threads=1, max_concurrent_ocr=1),
        security_limits=xberg.SecurityLimits(
            max_archive_size=limits.unpacked,
            max_content_size=limits.unpacked,
            max_pages=limits.pages,
            max_table_cells=CELLS,
        ),
        max_archive_depth=1,
    )
    asked = ExtractInput(kind=ExtractInputKind.BYTES, bytes=content, mime_type=kind.media_type)
    try:
        answer = await xberg.extract(asked, config)
    except MemoryError:
        raise
    except Exception as error:
        raise _unusable(str(error)) from None
    if answer.errors or not answer.results:
        raise _unusable("; ".join(each.message for each in answer.errors))
    return answer.results[0]


def _joined(written: Sequence[tuple[int, str]]) -> tuple[str, tuple[Page, ...]]:
    """The pages one after the other, and where each stands."""
    pages, at = [], 0
    for number, text in written:
        pages.append(Page(at, at + len(text), number))
        at += len(text) + len(BREAK)
    return BREAK.join(text for _, text in written), tuple(pages)


def _clean(text: str) -> str:
    return text.replace("\0", "").replace("\r\n", "\n").strip()


def _metadata(told: Any, pages: Sequence[Page]) -> Mapping[str, str]:
    known = {name: getattr(told, attribute) for name, attribute in _NAMES.items()}
    known["author"] = ", ".join(told.authors or ())
    known["keywords"] = ", ".join(told.keywords or ())
    if silent := sum(page.start_char == page.end_char for page in pages):
        known["pagesWithoutText"] = str(silent)
    return {name: _clean(str(value))[:1000] for name, value in known.items() if value}


def _unusable(message: str) -> UnusableDocument:
    """What the parser says, as something that its sender can act upon."""
    words = message.lower()
    if "encrypted" in words or "password" in words:
        return UnusableDocument(
            "DOCUMENT_ENCRYPTED", "The document is protected by a password. Send it without one."
        )
    if "security" in words:
        if long := next((each for each in ("pages", "cells") if each in words), None):
            return too_long(f"too many {long}")
        return UnusableDocument(
            "DOCUMENT_BOMB", "Unpacked, it is larger than any document that is read here."
        )
    return UnusableDocument("DOCUMENT_DAMAGED", "The file is damaged: it cannot be read as what it is.")
