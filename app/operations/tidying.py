"""Dead letters about what has been deleted since are put away: nothing that they could lead to is wanted."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from events.envelope import Intent
from events.ids import derived_id
from handlers.commands import Commands
from handlers.operations.decide import Discard
from handlers.refusals import Conflict
from infra.read_models import ReadModels

MOOT = UUID("0f5d5a52-90f8-5e0b-8a0c-5d4f0a3b6e27")
"""Name space of the commands that put letters away: one for each letter."""
REASON = "What it was about has been deleted."

OF_DELETED = """
select l.id from operations.dead_letters l join {name}.tombstones t on t.id =
    case when l.aggregate ~ '^{name}[.][a-z_]+[.][0-9a-f-]{{36}}$' then split_part(l.aggregate, '.', 3)::uuid end
where l.status = 'open' and l.subject not like '%.deleted'
"""
"""What failed to follow from the deletion itself is still to be done."""


async def discard_moot(models: ReadModels, commands: Commands, *, clock: Callable[[], datetime]) -> int:
    """Discard the open letters about what has been deleted; how many. Raises `NotReadable`, `Unavailable`."""
    query = " union all ".join(OF_DELETED.format(name=name) for name in models.streams)
    async with models.connected() as db:
        letters = [row["id"] for row in await db.fetch(query)]
    for letter in letters:
        command_id = derived_id(MOOT, str(letter))
        intent = Intent(command_id=command_id, actor="dead letters", at=clock(), correlation_id=command_id)
        with suppress(Conflict):  # driven again, and resolved, meanwhile
            await commands.execute(Discard(dead_letter_id=letter, reason=REASON), intent)
    return len(letters)
