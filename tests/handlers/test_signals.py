"""What is worth something for minutes: the newest of each subject, and what others say in its place."""

import msgspec
import pytest

from infra import jetstream
from infra.jetstream import Message
from infra.signals import Signals
from tests.handlers.workshop import Floor


class Beat(msgspec.Struct, frozen=True):
    n: int


@pytest.mark.parametrize("junk", [b"", b"{bad", b"[1]", b'{"n":"x"}', b'"\xff"'])
async def test_what_is_no_signal_is_as_good_as_none(floor: Floor, junk: bytes) -> None:
    signals, subject, other = Signals(floor.nc), f"live.{floor.shop.context}", f"live.{floor.shop.context}.2"
    for said in (b'{"n":1}', junk):
        await jetstream.publish(floor.nc, Message(subject, said, {}))
    await jetstream.publish(floor.nc, Message(other, b'{"n":2}', {}))
    assert await signals.latest([subject, other], Beat) == {other: Beat(n=2)}
    assert await signals.past(subject, Beat) == [Beat(n=1)]
