"""Names that only one aggregate of a context may hold."""

import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest

from events.ids import new_id
from handlers.commands import Commands
from handlers.refusals import Conflict
from infra.log import Log
from infra.reservations import Taken
from tests.kernel.ledger import Close, Name, Pay, intent


@pytest.fixture
def commands(log, ledger) -> Commands:
    return Commands(log, [ledger.decider])


async def holder(commands: Commands, name: str):
    """Whose the name is: whoever asks for it now is told so by a refusal, or has it."""
    account = new_id()
    try:
        await commands.execute(Name(account_id=account, name=name), intent())
    except Conflict:
        return None
    return account


@pytest.mark.parametrize("fresh", [True, False])
async def test_of_two_at_once_one_gets_the_name(connect, ledger, log, fresh):
    async def claim(account):
        commands = Commands(Log(await connect(), ledger.catalogue), [ledger.decider])
        await commands.execute(Name(account_id=account, name="Ada"), intent(), fresh=fresh)
        return account

    results = await asyncio.gather(*(claim(new_id()) for _ in range(6)), return_exceptions=True)
    refusals = [each for each in results if isinstance(each, Conflict)]
    assert [each.code for each in refusals] == ["NAME_TAKEN"] * 5
    [winner] = [each for each in results if each not in refusals]
    assert [each.event.account_id async for each in log.scan(ledger.stream)] == [winner]
    assert await log.last_position(ledger.stream) == 2


async def test_a_refused_claim_says_whose_it_is_and_leaves_nothing_behind(log, ledger):
    first, second = new_id(), new_id()
    await log.append([ledger.Named(account_id=first, to="Ada")], intent(), past=[])
    with pytest.raises(Taken) as taken:
        await log.append(
            [*ledger.paid(second, 1), ledger.Named(account_id=second, to="Ada")], intent(), past=[]
        )
    assert (taken.value.claim.value, taken.value.holder) == ("Ada", first)
    assert await log.load(ledger.key(second)) == []
    assert await log.last_position(ledger.stream) == 2


@pytest.mark.parametrize(
    "release",
    [Name(account_id=new_id(), name=None), Close(account_id=new_id())],
    ids=["by a new name", "by closing"],
)
async def test_a_released_name_is_free_for_another(commands, release):
    first, second = release.account_id, new_id()
    await commands.execute(Name(account_id=first, name="Ada"), intent())
    with pytest.raises(Conflict, match="There is already a name 'Ada'"):
        await commands.execute(Name(account_id=second, name="Ada"), intent())
    await commands.execute(release, intent())
    await commands.execute(Name(account_id=second, name="Ada"), intent())
    with pytest.raises(Conflict, match="NAME_TAKEN"):
        await commands.execute(Name(account_id=new_id(), name="Ada"), intent(), fresh=True)


async def test_a_rename_takes_the_new_name_and_frees_the_old(commands, log, ledger):
    account = new_id()
    for name in ("Ada", "Bob", "Ada", "Cleo"):
        await commands.execute(Name(account_id=account, name=name), intent())
    assert await holder(commands, "Ada")
    assert await holder(commands, "Bob")
    assert not await holder(commands, "Cleo")
    assert [each.event.to for each in await log.load(ledger.key(account))] == ["Ada", "Bob", "Ada", "Cleo"]


async def test_a_name_may_pass_through_several_hands_within_one_append(log, ledger):
    account, other = new_id(), new_id()
    names = [None, "Ada", "Bob", "Ada", "Ada"]
    events = [ledger.Named(account_id=account, to=to, was=was) for was, to in pairwise(names)]
    await log.append(events, intent(), past=[])
    with pytest.raises(Taken):
        await log.append([ledger.Named(account_id=other, to="Ada")], intent(), past=[])
    await log.append([ledger.Named(account_id=other, to="Bob")], intent(), past=[])


async def test_names_are_exchanged_only_when_both_are_free(commands):
    first, second = new_id(), new_id()
    await commands.execute(Name(account_id=first, name="Ada"), intent())
    await commands.execute(Name(account_id=second, name="Bob"), intent())
    for account, name in ((first, "Bob"), (second, "Ada")):
        with pytest.raises(Conflict):
            await commands.execute(Name(account_id=account, name=name), intent())
    await commands.execute(Name(account_id=first, name="Cleo"), intent())
    await commands.execute(Name(account_id=second, name="Ada"), intent())
    await commands.execute(Name(account_id=first, name="Bob"), intent())


ODD = [
    "",
    " ",
    "a.b",
    ".",
    "*",
    ">",
    "a.*.>",
    "Räume & Höfe",
    "ada",
    "Ada",
    "\r\n",
    "\0",
    "=QWRh",
    "QWRh",
    "💥" * 500,
    "x" * 500,
]


async def test_any_value_is_its_own_name(commands):
    for value in ODD:
        assert await holder(commands, value), value
    for value in ODD:
        assert not await holder(commands, value), value


async def test_a_claim_sent_twice_by_the_same_command_is_one(connect, commands, ledger, log):
    account, why = new_id(), intent()
    first = await commands.execute(Name(account_id=account, name="Ada"), why)
    for fresh in (True, False):
        elsewhere = Commands(Log(await connect(), ledger.catalogue), [ledger.decider])
        again = await elsewhere.execute(Name(account_id=account, name="Ada"), why, fresh=fresh)
        assert (again.position, again.repeated) == (first.position, True)
    assert await log.last_position(ledger.stream) == 2


async def test_a_claim_on_a_wrong_past_takes_no_name(connect, commands, ledger):
    account = new_id()
    elsewhere = Commands(Log(await connect(), ledger.catalogue), [ledger.decider])
    await elsewhere.execute(Pay(account_id=account, amounts=()), intent())
    await commands.execute(Close(account_id=account), intent())
    with pytest.raises(Exception, match="moved on"):
        await Log(await connect(), ledger.catalogue).append(
            [ledger.Named(account_id=account, to="Ada")], intent(), past=[]
        )
    assert await holder(commands, "Ada")


async def test_names_taken_and_freed_by_many_at_once_have_one_holder_at_any_time(connect, ledger, log):
    async def fight(number: int) -> None:
        commands = Commands(Log(await connect(), ledger.catalogue), [ledger.decider])
        account = new_id()
        for _ in range(6):
            with suppress(Conflict):
                await commands.execute(Name(account_id=account, name="Ada"), intent())
                await commands.execute(Name(account_id=account, name=None), intent())

    await asyncio.gather(*(fight(number) for number in range(5)))
    held_by = None
    async for recorded in log.scan(ledger.stream):
        if recorded.event.to:
            assert held_by is None
            held_by = recorded.event.account_id
        else:
            assert held_by == recorded.event.account_id
            held_by = None
