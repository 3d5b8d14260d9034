"""A model server in a process of its own: `python -m tests.bench.model PIECES DELAY`. Says its URL, then serves.

What contains `stamps` is answered with so many pieces, each the monotonic time at which it is said, `DELAY` seconds
apart; everything else is answered at once.
"""

import asyncio
import sys
import time
from collections.abc import Sequence

import uvloop

from tests.generation.ollama_server import Say, ollama_server


class Stamps(Sequence[str]):
    """Pieces that tell when they are said."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, n: int) -> str:  # type: ignore[override]
        if n >= self._count:
            raise IndexError(n)
        return f"{time.monotonic():.6f} "


async def serve(pieces: int, delay: float) -> None:
    async with ollama_server() as server:
        with server.says("stamps", Say(Stamps(pieces), delay=delay)):
            print(server.url, flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2])))
