"""What a process does that reads one document."""

import math
import os
from pathlib import Path
from typing import NoReturn

import msgspec

from infra.child import MEMORY_EXIT, limit
from infra.documents.parsed import Limits, UnusableDocument

STACK = 8 << 20
"""Bytes for each thread of the parser, which calls itself for every element within another; it has 2 MiB otherwise."""


class Work(msgspec.Struct, frozen=True, array_like=True):
    """A file to read, and where to leave what it says, or what is wrong with it, and the process's last words."""

    source: str
    target: str
    said: str
    name: str
    declared: str
    limits: Limits


class Order(msgspec.Struct, array_like=True):
    """To the fork server: do this; without work: end the process that has the order of this number."""

    number: int
    work: Work | None = None


def read(work: Work) -> NoReturn:
    """Read the document within the limits given, and end this process. Raises OSError where the machine fails."""
    limits = work.limits
    limit(cpu=math.ceil(limits.seconds), written=16 * limits.characters + (1 << 20), data=limits.memory)
    try:
        Path(work.target).write_bytes(answer(Path(work.source), work.name, work.declared, limits))
    except MemoryError:
        os._exit(MEMORY_EXIT)
    os._exit(0)  # threads of the parser may still be there


def answer(source: Path, name: str, declared: str, limits: Limits) -> bytes:
    """What to tell the parent. Raises MemoryError, and OSError where this machine fails."""
    from infra.documents import ocr  # noqa: PLC0415 (whoever only gives the work need not know how)
    from infra.documents.extraction import as_told, extract  # noqa: PLC0415

    content = source.read_bytes()
    try:
        return as_told(extract(content, name, declared, limits, ocr.installed))
    except UnusableDocument as fault:
        return as_told(fault)
    except (MemoryError, OSError):
        raise
    except RecursionError:
        return as_told(UnusableDocument("DOCUMENT_DAMAGED", "What it holds is nested too deeply."))
    except BaseException as error:  # a panic of the parser is no Exception
        detail = f"The parser fails on this file ({type(error).__name__})."
        return as_told(UnusableDocument("DOCUMENT_DAMAGED", detail))
