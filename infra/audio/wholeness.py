"""Evidence that a file was cut short: what it promises about its own length."""

from pathlib import Path
from typing import BinaryIO

from av.container import InputContainer

STREAMED = 0x7FFF_0000
"""A WAV chunk that claims to be this large (200 MB is the most we take) was written before its size was known."""


def promised_seconds(kind: str, path: Path, container: InputContainer) -> float:
    """The length the file itself gives for its sound; 0 if it gives none, or only a guess."""
    stream = container.streams.audio[0]
    own = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    match kind:
        case "audio/flac" | "audio/mp4" | "audio/ogg":
            return own
        case "audio/wav":
            return _wav_seconds(path)
        case "audio/mpeg" if _counts_frames(path):
            return own
        case "audio/webm" if len(container.streams) == 1 and container.duration:
            return container.duration / 1_000_000
    return 0.0


def is_cut(kind: str, path: Path) -> bool:
    """Whether the file ends in the middle of a part whose length it gives: an Ogg page, or a box of an MP4."""
    with path.open("rb") as file:
        match kind:
            case "audio/ogg":
                return _ends_inside_page(file)
            case "audio/mp4":
                return _ends_inside_box(file)
    return False


def _wav_seconds(path: Path) -> float:
    """By the size of the data chunk; recorders that cannot go back to fill it in leave 0 or the largest number."""
    with path.open("rb") as file:
        file.seek(12)
        bytes_per_second = 0
        while len(header := file.read(8)) == 8:
            size = int.from_bytes(header[4:], "little")
            if header[:4] == b"data":
                return size / bytes_per_second if bytes_per_second and size < STREAMED else 0.0
            if header[:4] == b"fmt ":
                bytes_per_second = int.from_bytes(file.read(12)[8:], "little")
                size -= 12
            file.seek(size + size % 2, 1)
    return 0.0


def _counts_frames(path: Path) -> bool:
    """Whether an MP3's first frame says how many follow. Otherwise its length is guessed from the bit rate."""
    with path.open("rb") as file:
        tag = file.read(10)
        file.seek(10 + _syncsafe(tag[6:10]) if tag[:3] == b"ID3" else 0)
        first = file.read(256)
    return b"Xing" in first or b"Info" in first


def _syncsafe(size: bytes) -> int:
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(size)))


def _ends_inside_page(file: BinaryIO) -> bool:
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_536))  # a page is at most 65,307 bytes
    tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0:
        return True
    lengths = tail[page + 27 : page + 27 + tail[page + 26]] if len(tail) > page + 26 else b""
    return len(tail) - page < 27 + len(lengths) + sum(lengths) or len(tail) <= page + 26


def _ends_inside_box(file: BinaryIO) -> bool:
    size, start = file.seek(0, 2), 0
    while start + 8 <= size:
        file.seek(start)
        header = file.read(16)
        length = int.from_bytes(header[:4])
        if length == 1:
            length = int.from_bytes(header[8:16])
        elif length == 0:  # the last box, to the end of the file
            return False
        if length < 8:
            return True
        start += length
    return start != size
