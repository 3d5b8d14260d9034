"""The index that answered before a promotion is kept for a while; then its chunks are dropped."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from events.envelope import Intent
from events.ids import derived_id
from handlers.commands import Commands
from handlers.knowledge.collection.decide import DropIndex
from infra.read_models import ReadModels

GRACE = UUID("5b0c5a9e-7a4e-5f0e-9b0d-3f8a3c2c7a11")
"""Name space of the commands that end a grace period: one for each promotion."""

OVERDUE = "select id, previous, promoted_at from knowledge.collections where previous is not null and promoted_at < $1"


async def drop_overdue(
    models: ReadModels, commands: Commands, *, grace: timedelta, clock: Callable[[], datetime]
) -> int:
    """Drop indexes whose grace period is over; how many. Raises `NotReadable`, `Unavailable`."""
    now = clock()
    async with models.connected() as db:
        rows = await db.fetch(OVERDUE, now - grace)
    for row in rows:
        command_id = derived_id(GRACE, str(row["id"]), str(row["previous"]), row["promoted_at"].isoformat())
        intent = Intent(command_id=command_id, actor="grace period", at=now, correlation_id=command_id)
        await commands.execute(DropIndex(collection_id=row["id"], number=row["previous"]), intent)
    return len(rows)
