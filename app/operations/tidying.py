"""Dead letters that nothing is left to do about are put away: what they were about has been deleted, or done since."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import asyncpg

from events.envelope import Intent
from events.ids import derived_id
from handlers.commands import Commands
from handlers.operations.decide import Discard
from handlers.refusals import Conflict
from infra.read_models import ReadModels

MOOT = UUID("0f5d5a52-90f8-5e0b-8a0c-5d4f0a3b6e27")
"""Name space of the commands that put letters away: one for each letter."""
DELETED = "What it was about has been deleted."
DONE = "It has been done since."

OF_DELETED = """
select l.id from operations.dead_letters l join {name}.tombstones t on t.id =
    case when l.aggregate ~ '^{name}[.][a-z_]+[.][0-9a-f-]{{36}}$' then split_part(l.aggregate, '.', 3)::uuid end
where l.status = 'open' and l.subject not like '%.deleted'
"""
"""What failed to follow from the deletion itself is still to be done."""
OF_DONE = """
select l.id from operations.dead_letters l join {thing}s t on l.aggregate = '{thing}.' || t.id
where l.status = 'open' and l.handler = any($1) and t.status = 'completed' and t.updated_at > l.updated_at
"""


async def discard_moot(
    models: ReadModels,
    commands: Commands,
    *,
    staged: Collection[str],
    stages: Collection[str],
    clock: Callable[[], datetime],
) -> int:
    """Discard the open letters about what has been deleted or done since; how many.

    `staged` are things that run through stages (`jobsite.session`), `stages` the handlers whose failure makes them
    failed: one that is completed after all has been retried. Raises `NotReadable`, `Unavailable`.
    """
    deleted = " union all ".join(OF_DELETED.format(name=name) for name in models.streams)
    done = " union all ".join(OF_DONE.format(thing=thing) for thing in staged)
    async with models.connected() as db:
        moot = dict.fromkeys(await _ids(db, done, list(stages)), DONE)
        moot |= dict.fromkeys(await _ids(db, deleted), DELETED)
    for letter, reason in moot.items():
        command_id = derived_id(MOOT, str(letter))
        intent = Intent(command_id=command_id, actor="dead letters", at=clock(), correlation_id=command_id)
        with suppress(Conflict):  # driven again, and resolved, meanwhile
            await commands.execute(Discard(dead_letter_id=letter, reason=reason), intent)
    return len(moot)


async def _ids(db: asyncpg.Connection, query: str, *arguments: object) -> list[UUID]:
    return [row["id"] for row in await db.fetch(query, *arguments)]
