"""What those who make the load share: where Headwater is, what is in it by now, and whether it is over."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.load.timing import Caller

SAID = "We looked at the boiler room this morning.\nMike to order fifty sheets of drywall by Friday."
PLAN = "Plan of the boiler room.\n\nDrywall: 40 sheets.\n\nWater pipe: 12 feet.\n"


@dataclass
class World:
    """Ids are of what has been made so far."""

    call: Caller
    recording: Callable[[], bytes]
    """Another one each time."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    jobs: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    projects: list[str] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    """Answers to uploads of recordings."""

    async def pause(self, seconds: float) -> None:
        """Of somebody who thinks; short when it is over."""
        try:
            async with asyncio.timeout(seconds):
                await self.over.wait()
        except TimeoutError:
            pass
