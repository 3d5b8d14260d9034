"""The pages of a TIFF, which is how scanners and faxes send them: its parser reads the first alone."""

import struct
from collections.abc import Iterator

SMALLER = 1
"""The bit that says of a picture that it is another one, made smaller."""
_KIND, _ENTRY, _NEXT = 254, 12, 4


def pages(content: bytes) -> Iterator[bytes]:
    """Each picture as a file that has no other. What leads nowhere or in a circle ends them."""
    order = "<" if content.startswith(b"II") else ">"
    place, seen = 4, set[int]()
    while at := _number(content, place, f"{order}I"):
        if at in seen:
            return
        seen.add(at)
        place = at + 2 + _ENTRY * _number(content, at, f"{order}H")
        if len(content) >= place + _NEXT and not _is_smaller(content, at, order):
            alone = bytearray(content)
            struct.pack_into(f"{order}I", alone, 4, at)
            struct.pack_into(f"{order}I", alone, place, 0)
            yield bytes(alone)


def _is_smaller(content: bytes, at: int, order: str) -> bool:
    entries = range(at + 2, at + 2 + _ENTRY * _number(content, at, f"{order}H"), _ENTRY)
    return any(
        _number(content, each, f"{order}H") == _KIND and _number(content, each + 8, f"{order}I") & SMALLER
        for each in entries
    )


def _number(content: bytes, at: int, form: str) -> int:
    """0 behind the end."""
    if at + struct.calcsize(form) > len(content):
        return 0
    found: int = struct.unpack_from(form, content, at)[0]
    return found
