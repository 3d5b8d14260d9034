"""Looks into an archive before anybody unpacks it: how much is in it, and whether all of it is there."""

import re
import zipfile
import zlib
from io import BytesIO
from typing import IO

from infra.documents.parsed import UnusableDocument

ENTRIES = 10_000
RATIO = 200
"""How many times larger what is in it may be than the archive, once that is more than SMALL bytes."""
SMALL = 20 << 20
DEPTH = 3
"""Archives within archives; an Office document may hold others."""
PIECE = 1 << 20
HEAD = 4096
"""Bytes in which XML declares what it is of."""
_DECLARED = re.compile(rb"<!(?:DOCTYPE|ENTITY)\b")


class Guard:
    """Counts what is in an archive and in those within it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._total = 0
        self._entries = 0

    def check(self, content: bytes) -> None:
        """Raises UnusableDocument for a bomb, a damaged archive and an encrypted one."""
        self._archive(BytesIO(content), len(content), 1)

    def _archive(self, file: IO[bytes], size: int, depth: int) -> None:
        if depth > DEPTH:
            raise _bomb("It holds archives within archives within archives")
        try:
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
                self._count(entries, size)
                for entry in entries:
                    self._entry(archive, entry, depth)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
            if isinstance(error, UnusableDocument):
                raise
            raise UnusableDocument(
                "DOCUMENT_DAMAGED", "The file is cut off or damaged: not all of it can be unpacked."
            ) from None

    def _count(self, entries: list[zipfile.ZipInfo], size: int) -> None:
        total = sum(entry.file_size for entry in entries)
        self._total += total
        self._entries += len(entries)
        if self._entries > ENTRIES:
            raise _bomb(f"It holds more than {ENTRIES:,} files")
        if self._total > self._most:
            raise _bomb(f"It holds more than {self._most >> 20} MB")
        if total > SMALL and total > RATIO * size:
            raise _bomb(f"It holds more than {RATIO} times its own size")

    def _entry(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, depth: int) -> None:
        """Read it all once: that finds damage, and sizes that lie. An archive in it is looked into."""
        if entry.flag_bits & 1:
            raise UnusableDocument(
                "DOCUMENT_ENCRYPTED", "What it holds is protected by a password. Send it without one."
            )
        with archive.open(entry) as file:
            head = file.read(HEAD)
            if head.startswith(b"PK\x03\x04"):
                self._archive(BytesIO(head + file.read()), entry.compress_size, depth + 1)
                return
            if entry.filename.endswith((".xml", ".rels")) and _DECLARED.search(head.replace(b"\0", b"")):
                raise _bomb("It declares entities, as XML bombs do and no Office document does")
            while file.read(PIECE):
                pass


def _bomb(what: str) -> UnusableDocument:
    return UnusableDocument("DOCUMENT_BOMB", f"{what}; such a document is not unpacked here.")
