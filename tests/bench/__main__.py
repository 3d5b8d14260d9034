"""`python -m tests.bench [--only LINE …] [--quick]`: measure, and print one table."""

import argparse
import importlib
import os
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import uvloop

from app.cli.running import spare_collections
from tests.bench.ground import ground, say
from tests.bench.measures import Measure, number
from tests.bench.table import table

LINES = {
    "commands": "commands/s, beside eventsourcing",
    "load": "an aggregate out of a million events",
    "projecting": "catch-up and rebuild, beside eventsourcing",
    "readable": "from a command to where its effect can be read",
    "pipeline": "seconds of work for a second of audio",
    "documents": "ingest of 1,000 documents; list and figures at 100,000",
    "api": "start and memory of the API process",
    "chat": "what we add to a model's time, 200 replies at once, sending in a long conversation",
    "live": "from a command accepted to a thousand sockets",
    "search": "answers from 100,000 passages, beside an exact search",
}
"""Each is a module here with a function `measure`."""


class Failed(NamedTuple):
    """A line that could not be measured, and why."""

    line: str
    why: str


async def bench(lines: Sequence[str], *, quick: bool) -> tuple[list[Measure], list[Failed]]:
    """What these lines measure, one after the other. One that fails does not keep the others from being measured."""
    measured: list[Measure] = []
    failed: list[Failed] = []
    async with ground(quick=quick) as here:
        for line in lines:
            say(f"measuring {line}: {LINES[line]}")
            began = time.monotonic()
            try:
                found = await importlib.import_module(f"tests.bench.{line}").measure(here)
            except Exception as failure:
                failed.append(Failed(line, f"{type(failure).__name__}: {failure}"))
                say(f"  failed: {failed[-1].why}")
                continue
            measured += found
            for each in found:
                say(f"  {each.name}: {number(each.median)} {each.unit}  {each.durability}")
            say(f"  took {time.monotonic() - began:.0f} s")
    return measured, failed


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="What Headwater does in a second, and how long it takes.",
        epilog="; ".join(f"{line}: {what}" for line, what in LINES.items()),
    )
    parser.add_argument("--only", nargs="+", choices=LINES, default=list(LINES), metavar="LINE")
    parser.add_argument(
        "--quick", action="store_true", help="one short run: shows that it works, not how fast"
    )
    asked = parser.parse_args()
    load, began = os.getloadavg()[0], time.monotonic()
    spare_collections()
    measured, failed = uvloop.run(bench(asked.only, quick=asked.quick))
    print(table(measured))
    print(
        f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}, {time.monotonic() - began:.0f} s; load average "
        f"{load:.1f} before, {os.getloadavg()[0]:.1f} after, of which 2 at most is ours: more makes every line worse"
    )
    for each in failed:
        print(f"{each.line} could not be measured: {each.why}")
    if asked.quick:
        print("quick: far too short and small for its figures to mean anything")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
