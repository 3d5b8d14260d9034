"""Work whose result nobody wants any more ends before it is done."""

import asyncio

import pytest

from handlers.knowledge.unwanted import unless_unwanted
from handlers.refusals import Unavailable


class Endless:
    ended = False

    async def work(self) -> int:
        try:
            await asyncio.Event().wait()
            return 1
        finally:
            self.ended = True


async def test_work_that_is_cancelled_meanwhile_ends_at_once() -> None:
    endless, looks = Endless(), iter([True, True, False])

    async def wanted() -> bool:
        return next(looks)

    assert await unless_unwanted(endless.work(), wanted, every=0.001) is None
    assert endless.ended


async def test_work_goes_on_while_nobody_knows_and_says_how_it_ended() -> None:
    async def wanted() -> bool:
        raise Unavailable("LOG_UNAVAILABLE", "The log does not answer.")

    async def work(fails: bool) -> int:
        await asyncio.sleep(0.01)
        if fails:
            raise ValueError("broken")
        return 7

    assert await unless_unwanted(work(fails=False), wanted, every=0.001) == 7
    with pytest.raises(ValueError, match="broken"):
        await unless_unwanted(work(fails=True), wanted, every=0.001)
