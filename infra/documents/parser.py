"""The process that reads one document: `python -m infra.documents.parser SOURCE TARGET NAME DECLARED LIMITS`."""

import math
import os
import sys
from pathlib import Path

import msgspec

from infra.child import MEMORY_EXIT, apart, limit, orders
from infra.documents.parsed import Limits, UnusableDocument

STACK = 8 << 20
"""Bytes for each thread of the parser, which calls itself for every element within another; it has 2 MiB otherwise."""


def main() -> None:
    """Read the document within the limits given and write what it says, or what is wrong with it, to TARGET."""
    apart()
    source, target, name, declared, told = sys.argv[1:]
    limits = msgspec.json.decode(told, type=Limits)
    os.environ["RUST_MIN_STACK"] = str(STACK)
    limit(cpu=math.ceil(limits.seconds), written=16 * limits.characters + (1 << 20), data=limits.memory)
    orders()
    try:
        Path(target).write_bytes(answer(Path(source), name, declared, limits))
    except MemoryError:
        os._exit(MEMORY_EXIT)
    os._exit(0)  # threads of the parser may still be there


def answer(source: Path, name: str, declared: str, limits: Limits) -> bytes:
    """What to tell the parent. Raises MemoryError, and OSError where this machine fails."""
    from infra.documents import ocr  # noqa: PLC0415 (the limits come first)
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


if __name__ == "__main__":
    main()
