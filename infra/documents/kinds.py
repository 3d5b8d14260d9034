"""What kind of document a file is: by its content, and among texts by what its name or its sender says."""

import re
from pathlib import PurePath
from typing import NamedTuple

from infra.documents.parsed import UnusableDocument
from infra.documents.texts import decoded

OFFICE = "application/vnd.openxmlformats-officedocument"
ZIP = b"PK\x03\x04"
PDF_MARK = b"%PDF-"
"""Readers look for it in the first 1,024 bytes; a text about PDFs may have it there, too."""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Kind(NamedTuple):
    """A kind of document, and the endings that its files have. Kinds of one family may be named for each other."""

    media_type: str
    label: str
    family: str
    suffixes: tuple[str, ...]


PDF = Kind("application/pdf", "a PDF", "pdf", ("pdf",))
DOCX = Kind(f"{OFFICE}.wordprocessingml.document", "a Word document", "docx", ("docx", "docm", "dotx"))
XLSX = Kind(f"{OFFICE}.spreadsheetml.sheet", "an Excel workbook", "xlsx", ("xlsx", "xlsm", "xltx"))
PPTX = Kind(
    f"{OFFICE}.presentationml.presentation", "a PowerPoint presentation", "pptx", ("pptx", "pptm", "ppsx")
)
RTF = Kind("application/rtf", "rich text", "rtf", ("rtf",))
PNG = Kind("image/png", "an image", "image", ("png",))
JPEG = Kind("image/jpeg", "an image", "image", ("jpg", "jpeg", "jpe"))
TIFF = Kind("image/tiff", "an image", "image", ("tif", "tiff"))
WEBP = Kind("image/webp", "an image", "image", ("webp",))
HTML = Kind("text/html", "a web page", "text", ("html", "htm", "xhtml"))
MARKDOWN = Kind("text/markdown", "Markdown", "text", ("md", "markdown"))
CSV = Kind("text/csv", "a table of values", "text", ("csv", "tsv"))
MAIL = Kind("message/rfc822", "an e-mail", "text", ("eml",))
TEXT = Kind("text/plain", "text", "text", ("txt", "text", "log"))

KINDS = (PDF, DOCX, XLSX, PPTX, RTF, PNG, JPEG, TIFF, WEBP, HTML, MARKDOWN, CSV, MAIL, TEXT)
PARTS = ((b"word/document", DOCX), (b"xl/workbook", XLSX), (b"ppt/presentation", PPTX))
"""What the archive of an Office document has in it, by name."""
TAKEN = "PDF, DOCX, XLSX, PPTX, RTF, HTML, Markdown, text, CSV, e-mail (.eml), PNG, JPEG, TIFF and WebP are taken."

PICTURE = re.compile(rb"/Subtype\s*/Image\b")
"""In a PDF with a picture in it."""
_PAGE = re.compile(r"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_SPACE = re.compile(r"\s*")
_MAIL = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]{1,40}:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}\r?\n?")
_SENDER = re.compile(r"^(?:from|received|return-path|message-id):", re.IGNORECASE | re.MULTILINE)


def kind_of(content: bytes, name: str = "", declared: str = "") -> Kind:
    """The kind of a file. `declared` is the media type that its sender gives it.

    Raises UnusableDocument where it is of no kind we read, or where its name promises another.
    """
    named = _named(name)
    found = _found(content, named, declared, whole=True)
    if found is None and content.startswith(OLE):
        _refuse_compound(content)
    if named and (found is None or found.family != named.family):
        raise UnusableDocument("DOCUMENT_MISLABELLED", _mislabelled(named, found))
    if found is None:
        raise UnusableDocument("DOCUMENT_UNSUPPORTED", f"This is no document that can be read. {TAKEN}")
    return found


def _mislabelled(named: Kind, found: Kind | None) -> str:
    says = f"Its name says that it is {named.label}, but"
    if found is None and named.family == "text":
        return f"{says} its content is none in UTF-8, UTF-16 or Windows-1252. If it is one, save it in UTF-8."
    actual = f"it is {found.label}" if found else "its content is something else"
    return f"{says} {actual}. Send it under its own name."


def guessed(head: bytes, name: str, declared: str) -> str:
    """The media type that a file seems to have, by its first bytes and its name; all of it is looked at later."""
    named = _named(name)
    if head.startswith((ZIP, OLE)):
        return named.media_type if named and named in (DOCX, XLSX, PPTX) else "application/octet-stream"
    found = _found(head, named, declared, whole=False)
    return found.media_type if found else "application/octet-stream"


def unnamed(media_type: str) -> str:
    """What a file of this type is called that has no name."""
    kind = next((each for each in KINDS if each.media_type == media_type), None)
    return f"document.{kind.suffixes[0]}" if kind else "document"


def _named(name: str) -> Kind | None:
    suffix = PurePath(name.lower()).suffix.removeprefix(".")
    return next((kind for kind in KINDS if suffix in kind.suffixes), None)


def _found(content: bytes, named: Kind | None, declared: str, *, whole: bool) -> Kind | None:
    found = _by_content(content)
    only_mentioned = (
        found is PDF and not content.startswith(PDF_MARK) and named is not None and named.family == "text"
    )
    if (found is None or only_mentioned) and decoded(content, whole=whole) is not None:
        return _text_kind(content, named, declared)
    return found


def _by_content(content: bytes) -> Kind | None:
    head = content[:1024]
    if head.startswith(ZIP):
        return next((kind for part, kind in PARTS if part in content), None)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    marks = (
        (b"\x89PNG\r\n\x1a\n", PNG),
        (b"\xff\xd8\xff", JPEG),
        (b"II*\0", TIFF),
        (b"MM\0*", TIFF),
        (b"{\\rtf", RTF),
    )
    found = next((kind for mark, kind in marks if head.startswith(mark)), None)
    return found or (PDF if PDF_MARK in head else None)


def _text_kind(content: bytes, named: Kind | None, declared: str) -> Kind | None:
    """Texts are told apart by name, then by what they look like, then by what their sender says."""
    text = decoded(content[:8192], whole=len(content) <= 8192)
    if text is None:
        return None
    if named and named.family == "text":
        return named
    if _is_page(text):
        return HTML
    if (headers := _MAIL.match(text)) and _SENDER.search(headers[0]):
        return MAIL
    texts = (HTML, MARKDOWN, CSV, MAIL)
    return next(
        (kind for kind in texts if declared.partition(";")[0].strip().lower() == kind.media_type), TEXT
    )


def _refuse_compound(content: bytes) -> None:
    """Old Office files, and new ones under a password, are of one and the same container."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise UnusableDocument(
            "DOCUMENT_ENCRYPTED", "The document is protected by a password. Send it without one."
        )
    raise UnusableDocument(
        "DOCUMENT_UNSUPPORTED", "Files of Office 97 to 2003 are not read. Save it as DOCX, XLSX or PPTX."
    )


def _is_page(text: str) -> bool:
    """Whether a web page begins, behind an XML declaration and comments.

    Not one expression: possessive groups, without which it takes for ever, are matched wrongly before Python 3.11.5.
    """
    at = _behind_space(text, 0)
    for opening, closing in (("<?xml", ">"), ("<!--", "-->")):
        while text.startswith(opening, at):
            end = text.find(closing, at + len(opening))
            if end < 0:
                return False
            at = _behind_space(text, end + len(closing))
            if opening == "<?xml":
                break
    return _PAGE.match(text, at) is not None


def _behind_space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]
