"""Commands are carried out once, however often they are sent, by however many, and whatever breaks meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from events.ids import new_id
from handlers.commands import Commands, Outcome
from handlers.refusals import Conflict, Invalid, NotFound, Unavailable
from infra import jetstream, streams
from infra.eraser import erase
from infra.jetstream import LogUnavailable
from infra.log import Log
from tests.kernel.ledger import Close, Ledger, Name, Pay, intent, new_ledger
from tests.kernel.wiring import Proxy, connections, until
from tests.kernel.writing import amounts

Another = Callable[[], Awaitable[Commands]]


@pytest.fixture
def commands(log, ledger) -> Commands:
    return Commands(log, [ledger.decider])


@pytest.fixture
def another(connect, ledger) -> Another:
    """Makes what another process would have: a connection and a cache of its own."""

    async def make() -> Commands:
        return Commands(Log(await connect(), ledger.catalogue), [ledger.decider])

    return make


@asynccontextmanager
async def a_ledger_on(server, **changes):
    """A stream on this server alone, perhaps unlike ours in some setting."""
    ledger = new_ledger()
    async with connections(server.url) as connect:
        nc = await connect()
        await streams.prepare(nc, [streams.context_stream(ledger.context, 1) | changes])
        yield ledger, Log(nc, ledger.catalogue)


async def paid(log: Log, ledger: Ledger, account) -> list[int]:
    return amounts(await log.load(ledger.key(account)))


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


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("size", [1, 3])
async def test_a_retry_gets_the_first_result(commands, another, ledger, size, fresh):
    account, why = new_id(), intent(fingerprint="the same request")
    command = Pay(account_id=account, amounts=(1,) * size)
    first = await commands.execute(command, why, fresh=fresh)
    await commands.execute(Pay(account_id=account), intent())
    for each in (commands, await another(), await another()):
        again = await each.execute(command, why, fresh=fresh)
        assert (again.position, again.repeated) == (first.position, True)
    assert await commands.execute(Pay(account_id=account, amounts=()), intent()) == Outcome(
        ledger.stream, size + 1
    )


async def test_a_retry_gets_its_first_result_even_when_it_would_be_refused_now(commands, another):
    account, why = new_id(), intent()
    first = await commands.execute(Pay(account_id=account), why)
    await commands.execute(Close(account_id=account), intent())
    for each in (commands, await another()):
        assert (await each.execute(Pay(account_id=account), why)).position == first.position
        with pytest.raises(NotFound):
            await each.execute(Pay(account_id=account), intent())


@pytest.mark.parametrize("size", [1, 3])
async def test_the_same_command_sent_by_many_at_once_happens_once(commands, another, log, ledger, size):
    account, why = new_id(), intent()
    senders = [commands, commands, await another(), await another(), await another()]
    command = Pay(account_id=account, amounts=(7,) * size)
    outcomes = await asyncio.gather(*(each.execute(command, why, fresh=True) for each in senders))
    assert {each.position for each in outcomes} == {size}
    assert sorted(each.repeated for each in outcomes) == [False, True, True, True, True]
    assert await paid(log, ledger, account) == [7] * size


async def test_another_request_under_the_same_key_is_refused(commands, another, log, ledger):
    account, why = new_id(), intent(fingerprint="one")
    await commands.execute(Pay(account_id=account), why)
    other = intent(why.command_id, fingerprint="two")
    for each in (commands, await another()):
        with pytest.raises(Conflict, match="IDEMPOTENCY_KEY_REUSED"):
            await each.execute(Pay(account_id=account, amounts=(2,)), other)
    assert await paid(log, ledger, account) == [1]


async def test_a_retry_after_a_restart_and_outside_any_window_gets_the_first_result(fresh_nats):
    window = 100_000_000  # nanoseconds, the least that JetStream takes
    async with a_ledger_on(fresh_nats, duplicate_window=window) as (ledger, log):
        account, why = new_id(), intent()
        first = await Commands(log, [ledger.decider]).execute(Pay(account_id=account, amounts=(1, 2)), why)
        fresh_nats.kill()
        await fresh_nats.start()
        await asyncio.sleep(0.2)  # the window is over
        for fresh in (True, False):
            restarted = Commands(log, [ledger.decider])
            again = await restarted.execute(Pay(account_id=account, amounts=(1, 2)), why, fresh=fresh)
            assert (again.position, again.repeated) == (first.position, True)
        assert await paid(log, ledger, account) == [1, 2]


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


async def test_a_command_whose_sender_gave_up_happens_once_or_not_at_all(commands, another, log, ledger):
    account = new_id()
    await commands.execute(Pay(account_id=account, amounts=(100,)), intent())
    for n in range(20):
        why = intent()
        sending = asyncio.create_task(commands.execute(Pay(account_id=account, amounts=(n,)), why))
        await asyncio.sleep(0.0003 * (n % 5))
        sending.cancel()
        await asyncio.wait([sending])
        await commands.execute(Pay(account_id=account, amounts=(n,)), why)
    assert await paid(log, ledger, account) == [100, *range(20)]


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


@pytest.mark.parametrize("command", [{"amounts": (5,)}, {"amounts": (5, 6)}, {"name": "Ada"}], ids=str)
@pytest.mark.parametrize("known", [True, False], ids=["known", "fresh"])
async def test_a_command_whose_answer_was_lost_happened_once(nats, monkeypatch, command, known):
    monkeypatch.setitem(jetstream.publish.__kwdefaults__, "timeout", 0.3)
    monkeypatch.setitem(jetstream.publish_batch.__kwdefaults__, "timeout", 0.3)
    async with (
        a_ledger_on(nats) as (ledger, direct),
        Proxy(nats.url) as proxy,
        connections(proxy.url) as connect,
    ):
        commands = Commands(Log(await connect(), ledger.catalogue), [ledger.decider])
        account = new_id()
        if known:
            await commands.execute(Pay(account_id=account, amounts=(1,)), intent())
        before = await direct.last_position(ledger.stream)
        make = Name if "name" in command else Pay
        proxy.deaf = True
        sending = asyncio.create_task(
            commands.execute(make(account_id=account, **command), intent(), fresh=not known)
        )

        async def stored() -> bool:
            return await direct.last_position(ledger.stream) > before

        await until(stored)
        await asyncio.sleep(0.1)  # the answer, too, has been lost by now
        proxy.cut()
        outcome = await sending
        end = await direct.last_position(ledger.stream)
        assert (outcome.position, end) == (end, before + (1 if command == {"amounts": (5,)} else 2))


async def test_a_batch_cut_off_in_the_middle_is_sent_again(nats, monkeypatch):
    """The commit alone arrives after a reconnection: JetStream calls the batch incomplete, and has stored nothing."""
    async with a_ledger_on(nats) as (ledger, log), connections(nats.url) as connect:
        nc, account = await connect(), new_id()
        publish = nc.publish

        async def lose(*args, **kwargs) -> None:
            monkeypatch.setattr(nc, "publish", publish)

        monkeypatch.setattr(nc, "publish", lose)
        commands = Commands(Log(nc, ledger.catalogue), [ledger.decider])
        await commands.execute(Pay(account_id=account, amounts=(1, 2, 3)), intent(), fresh=True)
        assert await paid(log, ledger, account) == [1, 2, 3]


async def test_a_retry_finds_its_result_although_its_name_has_a_new_holder(commands, another):
    first, second, why = new_id(), new_id(), intent()
    done = await commands.execute(Name(account_id=first, name="Ada"), why)
    stale = await another()
    elsewhere = await another()
    await stale.execute(Pay(account_id=first), intent())
    await elsewhere.execute(Name(account_id=first, name="Bob"), intent())
    await elsewhere.execute(Name(account_id=second, name="Ada"), intent())
    for each in (await another(), stale, commands):
        again = await each.execute(Name(account_id=first, name="Ada"), why, fresh=True)
        assert (again.position, again.repeated) == (done.position, True)


async def test_who_repeats_what_made_something_since_deleted_is_told_also_when_nothing_of_it_is_left(
    log, ledger, eraser
):
    account, why = new_id(), intent(fingerprint="one")
    made = [replace(ledger.decider, creates=(Name,))]
    commands = Commands(log, made)
    await commands.execute(Name(account_id=account, name="Eve"), why)
    await commands.execute(Pay(account_id=account), paid := intent(fingerprint="two"))
    gone = await commands.execute(Close(account_id=account), closed := intent(fingerprint="three"))
    for erased in (False, True):
        if erased:
            await erase(ledger.key(account), log=log, eraser=eraser)
        for each in (commands, Commands(log, made)):
            with pytest.raises(Conflict, match="DELETED_SINCE"):
                await each.execute(Name(account_id=account, name="Eve"), why, fresh=True)
            with pytest.raises(NotFound):
                await each.execute(Pay(account_id=account), paid)
            assert (await each.execute(Close(account_id=account), closed)).position == gone.position


async def test_a_request_that_is_older_than_what_is_loaded_is_found_where_its_edge_asks_for_it(log, ledger):
    account, why = new_id(), intent(fingerprint="one")
    rules = [replace(ledger.decider, whole=lambda event: isinstance(event, ledger.Named))]
    first = await Commands(log, rules).execute(Pay(account_id=account), why)
    for n in range(40):
        await Commands(log, rules).execute(Name(account_id=account, name=f"{account} {n}"), intent())
    again = await Commands(log, rules).first(ledger.key(account), why, behind=0)
    assert again
    assert (again.position, again.repeated, again.events) == (first.position, True, first.events)
    assert not await Commands(log, rules).first(ledger.key(account), why, behind=first.position)


async def test_whether_a_command_is_done_can_be_asked(commands, ledger):
    account, why = new_id(), intent()
    assert not await commands.done(ledger.key(account), why.command_id)
    await commands.execute(Pay(account_id=account), why)
    assert await commands.done(ledger.key(account), why.command_id)
