"""Room that uploads share."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from infra.blobs.room import Room

SIZE = 10


@given(st.lists(st.tuples(st.integers(1, 15), st.integers(0, 3), st.booleans()), max_size=12))
async def test_no_more_is_taken_than_there_is_and_all_of_it_comes_back(
    asked: list[tuple[int, int, bool]],
) -> None:
    room, taken = Room(SIZE), 0

    async def use(size: int, turns: int) -> None:
        nonlocal taken
        await room.take(size)
        taken += min(size, SIZE)
        assert taken <= SIZE
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
        finally:
            taken -= min(size, SIZE)
            room.give(size)

    users = [asyncio.create_task(use(size, turns)) for size, turns, _ in asked]
    await asyncio.sleep(0)
    for user, (_, _, leaves) in zip(users, asked, strict=True):
        if leaves:
            user.cancel()
    async with asyncio.timeout(5):
        ends = await asyncio.gather(*users, return_exceptions=True)
        await room.take(SIZE)
    assert all(end is None or isinstance(end, asyncio.CancelledError) for end in ends)


async def test_who_waits_for_much_is_not_overtaken_and_may_give_up() -> None:
    room = Room(SIZE)
    await room.take(6)
    large = asyncio.create_task(room.take(8))
    small = asyncio.create_task(room.take(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not small.done()
    large.cancel()
    await asyncio.wait_for(small, 5)
    room.give(8)
    await asyncio.wait_for(room.take(SIZE), 5)
