"""Commands are carried out once, however often they are sent, by however many, and whatever breaks meanwhile."""

import asyncio

import msgspec
import pytest

from events.ids import new_id
from handlers.commands import Commands
from handlers.refusals import Changed, Invalid, NotFound, Unavailable
from infra import jetstream
from infra.jetstream import LogUnavailable
from tests.kernel.commanding import a_ledger_on, paid
from tests.kernel.ledger import Close, Name, Pay, intent
from tests.kernel.writing import amounts


async def test_a_command_appends_what_was_decided(commands, log, ledger):
    account = new_id()
    outcome = await commands.execute(Pay(account_id=account, amounts=(1, 2)), intent())
    assert (outcome.position, outcome.cursor, outcome.repeated) == (2, f"{ledger.stream}@2", False)
    assert [event.amount for event in outcome.events] == [1, 2]
    assert await paid(log, ledger, account) == [1, 2]


async def test_a_new_aggregate_need_not_be_looked_for(commands, log, ledger):
    account = new_id()
    for _ in range(2):  # the second time the claim to be fresh is wrong
        await commands.execute(Pay(account_id=account), intent(), fresh=True)
    assert await paid(log, ledger, account) == [1, 1]


async def test_a_command_with_nothing_to_do_appends_nothing(commands, log, ledger):
    account = new_id()
    empty = await commands.execute(Pay(account_id=account, amounts=()), intent())
    assert (empty.position, empty.events) == (0, ())
    await commands.execute(Pay(account_id=account), intent())
    assert (await commands.execute(Pay(account_id=account, amounts=()), intent())).position == 1
    assert await log.last_position(ledger.stream) == 1


async def test_a_refusal_leaves_nothing_behind(commands, log, ledger):
    account = new_id()
    for fresh in (True, False):
        with pytest.raises(Invalid, match="OVERDRAWN"):
            await commands.execute(Pay(account_id=account, amounts=(5, -9)), intent(), fresh=fresh)
    assert await log.last_position(ledger.stream) == 0
    await commands.execute(Pay(account_id=account, amounts=(5, -5)), intent())


async def test_a_stale_state_neither_refuses_wrongly_nor_loses_anything(commands, another, log, ledger):
    account, elsewhere = new_id(), await another()
    await commands.execute(Pay(account_id=account, amounts=(1,)), intent())
    await elsewhere.execute(Pay(account_id=account, amounts=(10,)), intent())
    await commands.execute(Pay(account_id=account, amounts=(-11,)), intent())  # stale: 1
    with pytest.raises(Invalid):
        await elsewhere.execute(Pay(account_id=account, amounts=(-5,)), intent())  # stale: 11
    await elsewhere.execute(Close(account_id=account), intent())
    with pytest.raises(NotFound):
        await commands.execute(Pay(account_id=account), intent())
    done = await commands.execute(Close(account_id=account), intent())
    assert (done.position, done.events) == (4, ())
    assert amounts((await log.load(ledger.key(account)))[:-1]) == [1, 10, -11]


async def test_a_stale_state_that_sees_nothing_to_do_is_not_believed(commands, another, log, ledger):
    account, elsewhere = new_id(), await another()
    for each, name in ((commands, "Ada"), (elsewhere, "Bob"), (commands, "Ada"), (elsewhere, "Bob")):
        assert (await each.execute(Name(account_id=account, name=name), intent())).events
    names = [each.event.to for each in await log.load(ledger.key(account))]
    assert names == ["Ada", "Bob", "Ada", "Bob"]


async def test_what_happened_behind_a_position_keeps_a_command_from_being_carried_out(
    commands, another, ledger
):
    account, elsewhere = new_id(), await another()
    first = await commands.execute(Pay(account_id=account), intent())
    seen = msgspec.structs.replace(intent(), unchanged_since=first.position)
    done = await commands.execute(Pay(account_id=account), seen)
    assert await commands.execute(Pay(account_id=account), seen) == msgspec.structs.replace(
        done, events=(), repeated=True
    )
    for stale in (commands, elsewhere):
        for paying in ((1,), (-99,), ()):
            with pytest.raises(Changed):
                await stale.execute(
                    Pay(account_id=account, amounts=paying),
                    msgspec.structs.replace(intent(), unchanged_since=first.position),
                )


async def test_many_writers_of_one_aggregate_lose_nothing(another, log, ledger):
    account, paid_in = new_id(), []

    async def pay(number: int) -> None:
        commands = await another()
        for n in range(10):
            amount = 10 * number + n
            await commands.execute(Pay(account_id=account, amounts=(amount,)), intent())
            paid_in.append(amount)

    await asyncio.gather(*(pay(number) for number in range(8)))
    history = await paid(log, ledger, account)
    assert sorted(history) == sorted(paid_in) == list(range(80))
    for number in range(8):  # each writer's own are in its order
        own = [each for each in history if each // 10 == number]
        assert own == sorted(own)


async def test_tasks_of_one_process_take_turns(commands, log, ledger):
    accounts = [new_id() for _ in range(4)]
    await asyncio.gather(
        *(
            commands.execute(Pay(account_id=each, amounts=(n,)), intent())
            for n in range(20)
            for each in accounts
        )
    )
    for account in accounts:
        assert sorted(await paid(log, ledger, account)) == list(range(20))


async def test_an_aggregate_that_fell_out_of_the_cache_is_read_again(log, ledger):
    commands = Commands(log, [ledger.decider], cached=2)
    accounts = [new_id() for _ in range(5)]
    for n in range(3):
        for account in accounts:
            await commands.execute(Pay(account_id=account, amounts=(n,)), intent())
    assert len(commands._cache) == 2
    for account in accounts:
        assert await paid(log, ledger, account) == [0, 1, 2]


async def test_without_the_log_a_command_is_unavailable_and_leaves_no_stale_state(fresh_nats, monkeypatch):
    monkeypatch.setattr(jetstream, "PATIENCE", 0.2)
    monkeypatch.setitem(jetstream.api.__kwdefaults__, "timeout", 0.5)
    monkeypatch.setitem(jetstream.publish.__kwdefaults__, "timeout", 0.5)
    async with a_ledger_on(fresh_nats) as (ledger, log):
        commands, account = Commands(log, [ledger.decider]), new_id()
        await commands.execute(Pay(account_id=account), intent())
        fresh_nats.kill()
        for each in (account, new_id()):
            with pytest.raises(Unavailable, match="LOG_UNAVAILABLE") as refusal:
                await commands.execute(Pay(account_id=each), intent())
            assert refusal.value.retry_after == 1
        assert not commands._cache
        with pytest.raises(LogUnavailable):
            await log.load(ledger.key(account))
        await fresh_nats.start()
        monkeypatch.undo()
        await commands.execute(Pay(account_id=account), intent())
        assert await paid(log, ledger, account) == [1, 1]


async def test_a_full_log_takes_nothing_and_says_to_ask_again(fresh_nats, monkeypatch):
    """Of several events none is stored when not all find room, and what is there can still be read."""
    monkeypatch.setattr(jetstream, "PATIENCE", 0.2)
    async with a_ledger_on(fresh_nats, max_bytes=6000) as (ledger, log):
        commands, first, account = Commands(log, [ledger.decider]), new_id(), new_id()
        await commands.execute(Pay(account_id=first), intent())
        with pytest.raises(Unavailable, match="LOG_UNAVAILABLE"):
            await commands.execute(Pay(account_id=account, amounts=(1,) * 20), intent())
        assert await paid(log, ledger, account) == []
        assert await paid(log, ledger, first) == [1]
        await commands.execute(Pay(account_id=account), intent())


@pytest.mark.parametrize("size", [1, 3])
async def test_a_command_waits_for_a_log_that_comes_back_soon(fresh_nats, monkeypatch, size):
    monkeypatch.setitem(jetstream.publish.__kwdefaults__, "timeout", 0.5)
    monkeypatch.setitem(jetstream.publish_batch.__kwdefaults__, "timeout", 0.5)
    async with a_ledger_on(fresh_nats) as (ledger, log):
        commands, account = Commands(log, [ledger.decider]), new_id()
        await commands.execute(Name(account_id=account, name="Ada"), intent())
        fresh_nats.kill()
        waiting = [
            asyncio.create_task(commands.execute(Pay(account_id=account, amounts=(n,) * size), intent()))
            for n in range(3)
        ]
        renamed = asyncio.create_task(commands.execute(Name(account_id=account, name="Bob"), intent()))
        await asyncio.sleep(0.3)
        await fresh_nats.start()
        await asyncio.gather(*waiting, renamed)
        history = [each.event for each in await log.load(ledger.key(account))]
        payments = [event.amount for event in history if isinstance(event, ledger.Paid)]
        assert sorted(payments) == sorted(list(range(3)) * size)
