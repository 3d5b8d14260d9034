"""What is asked of a database that hangs."""

import asyncio
from contextlib import suppress

import pytest

from app.platform.condition import within


async def test_an_answer_that_comes_in_time_is_given() -> None:
    assert await within(5, asyncio.sleep(0, "healthy")) == "healthy"


async def test_a_question_that_cannot_be_taken_back_is_not_waited_for() -> None:
    answered = asyncio.Event()

    async def stubborn() -> None:
        while not answered.is_set():
            with suppress(asyncio.CancelledError):
                await answered.wait()

    with pytest.raises(TimeoutError):
        await within(0.01, stubborn())
    answered.set()
