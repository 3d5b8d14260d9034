"""Files on their way to the server: read while they are sent, with a word on how far they are."""

import asyncio
import hashlib
import mimetypes
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import msgspec

Progress = Callable[[int, int], None]
"""Told the bytes that have been sent, and how many there are; begins anew when the file has to be sent again."""

PIECE = 256 << 10


def no_progress(_: int, __: int) -> None:
    return None


@dataclass(frozen=True)
class Upload:
    """A file, the fields that go with it, and the key under which it is the same upload for ever."""

    path: Path
    fields: Mapping[str, str]
    key: str
    size: int

    def body(self, progress: Progress) -> tuple[AsyncIterator[bytes], dict[str, str]]:
        """The multipart body, from the beginning: fields before the file, so that bad ones are refused at once."""
        boundary = uuid4().hex
        head = b"".join(_field(boundary, name, value) for name, value in self.fields.items())
        head += _file(boundary, _name(self.path))
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + self.size + len(tail)),
        }
        return self._pieces(head, tail, progress), headers

    async def _pieces(self, head: bytes, tail: bytes, progress: Progress) -> AsyncIterator[bytes]:
        yield head
        progress(0, self.size)
        sent = 0
        with self.path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, min(PIECE, self.size - sent)):
                yield piece
                sent += len(piece)
                progress(sent, self.size)
        if sent < self.size:
            raise ValueError(f"{self.path} has become shorter while it was sent")
        yield tail


async def upload_of(path: Path, fields: Mapping[str, object], key: str | None = None) -> Upload:
    """What to send. Without a key of the caller's, the same file with the same fields is the same upload."""
    told = {name: _text(value) for name, value in fields.items() if value is not None}
    digest, size = await asyncio.to_thread(_digest, path)
    derived = hashlib.sha256(msgspec.json.encode([digest, _name(path), told])).hexdigest()[:40]
    return Upload(path, told, key or derived, size)


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _name(path: Path) -> str:
    """Its name as it can be sent: on disk it need not be in UTF-8."""
    return path.name.encode(errors="replace").decode()


def _text(value: object) -> str:
    encoded = msgspec.to_builtins(value)
    return encoded if isinstance(encoded, str) else msgspec.json.encode(value).decode()


def _field(boundary: str, name: str, value: str) -> bytes:
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{value}\r\n"
    ).encode()


def _file(boundary: str, name: str) -> bytes:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    written = quote(name.replace("\\", "_"), safe="")
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{written}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode()
