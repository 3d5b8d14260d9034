"""A command that is sent again has happened once, and gets its first result."""

import asyncio
from dataclasses import replace

import pytest

from events.ids import new_id
from handlers.commands import Commands, Outcome
from handlers.refusals import Conflict, NotFound
from infra import jetstream
from infra.eraser import erase
from infra.log import Log
from tests.kernel.commanding import a_ledger_on, paid
from tests.kernel.ledger import Close, Name, Pay, intent
from tests.kernel.wiring import Proxy, connections, until


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
