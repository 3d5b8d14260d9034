"""Code in Markdown: where each block begins and ends, in characters and in lines, also while the text still comes."""

import re
from collections.abc import Iterator
from itertools import pairwise

import msgspec
from markdown_it import MarkdownIt
from markdown_it.token import Token

PLAIN = "text"
"""The language of a block that names none."""
LINE = re.compile(r"\r\n|\r|\n")
CLOSING = re.compile(r"^[ \t>]*(?:`{3,}|~{3,})[ \t]*$")
"""A line that may end a fence, within quotes and lists too."""
ALLOWED, SHARE = 50_000, 20
"""Characters that are read again while a text comes: so many, and so many for each that came."""

PREFIX = re.compile(r"(?:[ \t>*+-]|\d{1,9}[.)])*")
"""What stands before a line within quotes and lists."""
COST = 200_000
"""Lines that may be looked at because of quotes: each that begins may go on through all lines that follow."""

_markdown = MarkdownIt("commonmark", {"maxNesting": 50}).disable(["inline"], ignoreInvalid=True)
_unquoted = MarkdownIt("commonmark", {"maxNesting": 50}).disable(["inline", "blockquote"], ignoreInvalid=True)
"""For texts of so many quotes that reading them would take minutes: `>` is a character like any other."""


class CodeBlock(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One block. Its code is without the marks of fences, quotes and lists around it; lines end with `\\n`."""

    language: str
    code: str
    start_index: int
    """Of its first character (of the opening fence), in characters from 0."""
    end_index: int
    """Behind its last character (of the closing fence)."""
    start_line: int
    """From 1."""
    end_line: int
    """The last one that belongs to it."""
    closed: bool = True
    """Whether it has come to its end: an unterminated fence goes on to the end of the text."""


def code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """All code blocks of a text, as CommonMark sees them: fenced and indented ones."""
    return tuple(block for block, _ in _blocks(text))


def _blocks(text: str) -> Iterator[tuple[CodeBlock, Token]]:
    if not text:
        return
    starts = [0, *(line.end() for line in LINE.finditer(text))]
    ends = [*(line.start() for line in LINE.finditer(text)), len(text)]
    for token in (_unquoted if _costly(text) else _markdown).parse(text):
        if token.type in ("fence", "code_block") and token.map:
            yield _block(token, text, starts, ends), token


def _costly(text: str) -> bool:
    if ">" not in text:
        return False
    lines = LINE.split(text)
    depths = [prefix[0].count(">") for line in lines if (prefix := PREFIX.match(line))]
    begun = sum(before < now for before, now in pairwise([0, *depths]))
    return begun * len(lines) > COST


def _block(token: Token, text: str, starts: list[int], ends: list[int]) -> CodeBlock:
    first, behind = token.map or (0, 0)
    last = max(first, min(behind, len(ends)) - 1)
    fenced = token.type == "fence"
    lines = token.content.count("\n") + (bool(token.content) and not token.content.endswith("\n"))
    closed = not fenced or behind - first - 1 - lines == 1
    while not closed and last > first and not text[starts[last] : ends[last]].strip(" \t>"):
        last -= 1
    opening = text.find(token.markup, starts[first], ends[first]) if fenced else starts[first]
    words = re.split(r"[\s{:,]", token.info.strip(), maxsplit=1)
    return CodeBlock(
        language=words[0].lower() or PLAIN,
        code=token.content.removesuffix("\n"),
        start_index=opening if opening >= 0 else starts[first],
        end_index=ends[last],
        start_line=first + 1,
        end_line=last + 1,
        closed=closed,
    )


class Unfolding:
    """A text that comes in pieces: tells each fenced block once it is closed, in time that grows with the text only.

    What is closed outside of quotes and lists is not read again. Where much would have to be, because a text is all
    fences in one endless list, blocks are told later, at the latest at the end.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        """Whole lines from the base on, in pieces."""
        self._begun: list[str] = []
        """The line that is not finished yet."""
        self._base = self._base_line = self._size = 0
        self._came = self._read = 0
        self._told: set[int] = set()

    def feed(self, piece: str) -> list[CodeBlock]:
        """The blocks that this piece closes."""
        self._came += len(piece)
        # A last \r may be the half of an end of line.
        end = max(piece.rfind("\n"), piece.rfind("\r", 0, -1)) + 1
        if not end:
            self._begun.append(piece)
            return []
        lines = "".join([*self._begun, piece[:end]])
        self._begun = [piece[end:]]
        self._lines.append(lines)
        self._size += len(lines)
        candidate = any(CLOSING.match(line) for line in LINE.split(lines))
        if not candidate or self._read + self._size > ALLOWED + SHARE * self._came:
            return []
        self._read += self._size
        return self._closed("".join(self._lines))

    def close(self) -> list[CodeBlock]:
        """The blocks that the end of the text closes: its last line needs no end."""
        last = "".join(self._begun)
        return self._closed("".join([*self._lines, last])) if CLOSING.match(last.rstrip("\r")) else []

    def _closed(self, text: str) -> list[CodeBlock]:
        found, base = [], 0
        for block, token in _blocks(text):
            if not block.closed or token.type != "fence":
                continue
            moved = self._moved(block)
            if moved.start_index not in self._told:
                self._told.add(moved.start_index)
                found.append(moved)
            if token.level == 0:
                base = block.end_index
        self._forget(text, base)
        return found

    def _moved(self, block: CodeBlock) -> CodeBlock:
        return msgspec.structs.replace(
            block,
            start_index=block.start_index + self._base,
            end_index=block.end_index + self._base,
            start_line=block.start_line + self._base_line,
            end_line=block.end_line + self._base_line,
        )

    def _forget(self, text: str, base: int) -> None:
        """Read no more what lies before the end of a closed block, up to the end of its line."""
        if base and (line := LINE.search(text, base)):
            base = line.end()
        self._base_line += sum(1 for _ in LINE.finditer(text, 0, base))
        self._base += base
        self._lines = [text[base:]]
        self._size = len(text) - base
