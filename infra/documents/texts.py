"""Bytes as text: UTF-8, UTF-16, UTF-32, the encoding that a web page names, or Windows' Western characters; and what
is no text at all."""

import codecs
import re

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
HEAD = 1024
"""Bytes in which a page says how it is encoded."""
_NAMED = re.compile(
    rb"<(?:meta\b[^>]*\bcharset|\?xml\b[^>]*\bencoding)\s*=\s*[\"']?([A-Za-z0-9_:.-]+)", re.IGNORECASE
)
_USUAL = re.compile(
    r"(?:windows-|cp)125\d|iso-8859-[2-9]\d?|koi8-|shift_jis|sjis|euc-|gb|big5", re.IGNORECASE
)
"""Names that pages use; what calls itself Latin 1 is Windows' own, as browsers take it."""
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def decoded(content: bytes, *, whole: bool = True) -> str | None:
    """The text, with `\\n` at the ends of lines; None for what is none. A part may end within a character."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return _strict(content[len(mark) :], encoding, whole)
    for likely in ("utf-8", _wide(content), _named(content)):
        if likely and (text := _strict(content, likely, whole)) is not None:
            return text
    return _western(content)


def _strict(content: bytes, encoding: str, whole: bool) -> str | None:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(content, whole)
    except (UnicodeDecodeError, LookupError):
        return None
    return None if _CONTROLS.search(text) else _lines(text)


def _wide(content: bytes) -> str | None:
    """UTF-16 without a mark: half of the bytes of a Western text are zero, and all on the same side."""
    head = content[:HEAD]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) // 4 or min(even, odd) > len(head) // 100:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _named(content: bytes) -> str | None:
    found = _NAMED.search(content[:HEAD])
    name = found[1].decode() if found else ""
    return name if _USUAL.match(name) else None


def _western(content: bytes) -> str | None:
    """Most of a Western text is ASCII; bytes at random are not."""
    foreign = len(content.translate(None, bytes(range(0x80))))
    if foreign > len(content) // 3:
        return None
    text = content.decode("cp1252", errors="replace")
    return None if _CONTROLS.search(text) or "\ufffd" in text else _lines(text)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
