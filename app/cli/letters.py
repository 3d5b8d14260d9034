"""`headwater dead-letters list | show | redrive | discard`."""

import argparse
import sys
from collections.abc import AsyncIterator

import asyncpg
import msgspec

from app.cli.asked import intent, uuid_of
from app.kernel import Kernel
from app.main import database, standing
from app.operations import letters
from app.operations.letters import DeadLetterView
from app.places import places
from app.settings import Settings
from handlers.operations.decide import Discard
from handlers.refusals import Invalid


async def dead_letters(settings: Settings, asked: argparse.Namespace) -> int:
    """List, show, redrive or discard dead letters."""
    where = places(settings)
    async with standing(settings, where, "dead-letters") as kernel, database(where) as db:
        if asked.verb != "discard":
            await _reach(db)
        return await VERBS[asked.verb](kernel, db, asked)


async def _reach(db: asyncpg.Pool) -> None:
    try:
        await db.execute("select 1")
    except OSError as away:
        raise ConnectionError(f"the database does not answer: {away}") from away


async def _list_letters(_: Kernel, db: asyncpg.Pool, asked: argparse.Namespace) -> int:
    status, none = None if asked.status == "all" else asked.status, True
    async for each in _every(db, status=status, handler=asked.handler):
        none = False
        if asked.json:
            print(msgspec.json.encode(each).decode())
        else:
            print(
                f"{each.id}  {each.status:<10} {each.handler:<12} {each.stream}@{each.position:<8} "
                f"{each.attempts} attempts  {each.error[:100]}"
            )
    if none and not asked.json:
        print("no dead letters", file=sys.stderr)
    return 0


async def _every(
    db: asyncpg.Pool, *, status: str | None, handler: str | None
) -> AsyncIterator[DeadLetterView]:
    after = None
    while page := await letters.listed(db, after=after, status=status, handler=handler):
        for each in page:
            yield each
        after = (page[-1].stream, page[-1].position, page[-1].id)


async def _show_letter(kernel: Kernel, db: asyncpg.Pool, asked: argparse.Namespace) -> int:
    letter = await letters.shown(db, uuid_of(asked.id))
    print(msgspec.json.format(msgspec.json.encode(letter), indent=2).decode())
    try:
        event = await kernel.log.at(letter.stream, letter.position)
    except ValueError as undecodable:
        print(f"event: {undecodable}")
        return 0
    shown = msgspec.json.encode({"headers": event.headers, "data": event.event}) if event else b'"erased"'
    print(f"event: {msgspec.json.format(shown, indent=2).decode()}")
    return 0


async def _redrive_letters(kernel: Kernel, db: asyncpg.Pool, asked: argparse.Namespace) -> int:
    if bool(asked.id) == asked.all:
        raise Invalid("WHICH", "Name one dead letter, or give --all.")
    if asked.id:
        chosen = [uuid_of(asked.id)]
    else:
        chosen = [each.id async for each in _every(db, status="open", handler=asked.handler)]
    for each in chosen:
        await letters.redrive(db, kernel.commands, each, intent())
    print(f"redriven: {len(chosen)}")
    return 0


async def _discard_letter(kernel: Kernel, _: asyncpg.Pool, asked: argparse.Namespace) -> int:
    await kernel.commands.execute(Discard(dead_letter_id=uuid_of(asked.id), reason=asked.reason), intent())
    print(f"discarded {asked.id}")
    return 0


VERBS = {
    "list": _list_letters,
    "show": _show_letter,
    "redrive": _redrive_letters,
    "discard": _discard_letter,
}
