"""Bytes as text: UTF-8, UTF-16 with a mark, or Windows' Western characters; and what is no text at all."""

import codecs
import re

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def decoded(content: bytes, *, whole: bool = True) -> str | None:
    """The text, with `\\n` at the ends of lines; None for what is none. A part may end within a character."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return _strict(content[len(mark) :], encoding, whole)
    text = _strict(content, "utf-8", whole)
    return text if text is not None else _western(content)


def _strict(content: bytes, encoding: str, whole: bool) -> str | None:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(content, whole)
    except UnicodeDecodeError:
        return None
    return None if _CONTROLS.search(text) else _lines(text)


def _western(content: bytes) -> str | None:
    """Most of a Western text is ASCII; bytes at random are not."""
    foreign = len(content.translate(None, bytes(range(0x80))))
    if foreign > len(content) // 3:
        return None
    text = content.decode("cp1252", errors="replace")
    return None if _CONTROLS.search(text) or "\ufffd" in text else _lines(text)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
