"""The parts of a `multipart/form-data` body, found as its bytes arrive."""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote

from app.http.problems import Malformed

HEADERS_LIMIT = 8 << 10
"""Bytes of one part's headers at most."""

_PARAMETER = re.compile(
    r';\s*(name|filename)="((?:[^"\\]|\\.)*)"|;\s*(name|filename)=([^";\s]+)', re.IGNORECASE
)
_EXTENDED = re.compile(r";\s*filename\*=utf-8'[^']*'([^\"';\s]+)", re.IGNORECASE)
"""RFC 5987: some clients write a name in other letters like this, beside a plain one that is worse, or alone."""
_ENCODED = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+")
"""RFC 7578: others, aiohttp's among them, write all that is no letter of ASCII as `%20`."""


@dataclass(frozen=True)
class Part:
    """One part: what its headers say, and its content, which can be read once and only before the next part."""

    name: str
    filename: str
    media_type: str
    content: AsyncIterator[bytes] = field(repr=False)


async def parts(body: AsyncIterator[bytes], boundary: bytes) -> AsyncIterator[Part]:
    """The parts in order. What a caller leaves of one is skipped; a malformed or truncated body is refused."""
    reader = _Reader(body, boundary)
    await reader.skip()  # the preamble, which nobody needs
    while await reader.another():
        headers = await reader.headers()
        yield _part(headers, reader.content())
        await reader.skip()
    async for _ in body:
        pass  # the epilogue: read, so that the connection can be used again


class _Reader:
    """Holds what has arrived and not been handed on: at most a chunk and a delimiter's length."""

    def __init__(self, body: AsyncIterator[bytes], boundary: bytes) -> None:
        self._body = body
        self._delimiter = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")  # so that the first delimiter looks like the others
        self._inside = True

    async def content(self) -> AsyncIterator[bytes]:
        """Bytes up to the next delimiter, which is consumed too."""
        buffer, delimiter = self._buffer, self._delimiter
        while self._inside:
            end = buffer.find(delimiter)
            if end >= 0:
                self._inside = False
                last = bytes(buffer[:end])
                del buffer[: end + len(delimiter)]
                if last:
                    yield last
                return
            safe = len(buffer) - len(delimiter) + 1
            if safe > 0:
                piece = bytes(buffer[:safe])
                del buffer[:safe]
                yield piece
            await self._more()

    async def skip(self) -> None:
        """Drops what is left of the part that is open."""
        async for _ in self.content():
            pass

    async def another(self) -> bool:
        """After a delimiter: whether another part follows it, or the end."""
        line = await self._line(HEADERS_LIMIT, end=b"--")
        if line is None:
            return False
        if line.strip(b" \t"):
            raise _malformed("a boundary is followed by something else")
        self._inside = True
        return True

    async def headers(self) -> dict[str, str]:
        """The headers of the part that begins here, by lower-case name."""
        headers: dict[str, str] = {}
        room = HEADERS_LIMIT
        while line := await self._line(room):
            room -= len(line) + 2
            name, colon, value = line.partition(b":")
            if not colon:
                raise _malformed("a part's header has no colon")
            try:
                headers[name.decode("ascii").strip().lower()] = value.decode().strip()
            except UnicodeDecodeError:
                raise _malformed("a part's header is not UTF-8") from None
        return headers

    async def _line(self, limit: int, end: bytes | None = None) -> bytes | None:
        """The bytes up to CRLF; None when `end` stands here instead."""
        while True:
            if end and self._buffer.startswith(end):
                return None
            stop = self._buffer.find(b"\r\n", 0, limit + 2)
            if stop >= 0:
                line = bytes(self._buffer[:stop])
                del self._buffer[: stop + 2]
                return line
            if len(self._buffer) > limit:
                raise _malformed("a part's headers are too long")
            await self._more()

    async def _more(self) -> None:
        chunk = await anext(self._body, b"")
        if not chunk:
            raise _malformed("it ends before its last boundary")
        self._buffer += chunk


def _part(headers: dict[str, str], content: AsyncIterator[bytes]) -> Part:
    kind, _, rest = headers.get("content-disposition", "").partition(";")
    found = {
        (match[1] or match[3]).lower(): re.sub(r'\\(["\\])', r"\1", match[2] or match[4] or "")
        for match in _PARAMETER.finditer(";" + rest)
    }
    if kind.strip().lower() != "form-data" or not found.get("name"):
        raise _malformed("a part has no name")
    extended = _EXTENDED.search(";" + rest)
    filename = extended[1] if extended else found.get("filename", "")
    return Part(found["name"], _plain_name(_decoded(filename)), headers.get("content-type", ""), content)


def _decoded(filename: str) -> str:
    """What a name says that has been percent-encoded as a whole; any other stays as it came."""
    if _ENCODED.fullmatch(filename):
        with suppress(UnicodeDecodeError):
            return unquote(filename, errors="strict")
    return filename


def _plain_name(filename: str) -> str:
    """A file's name without folders and control characters, 255 characters at most."""
    return re.sub(r"[\x00-\x1f\x7f]", "", re.split(r"[/\\]", filename)[-1])[-255:]


def _malformed(what: str) -> Malformed:
    return Malformed("MALFORMED_MULTIPART", f"The multipart body cannot be read: {what}.")
