"""What follows when a session or a job is deleted: everything that belongs to it is deleted, too."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from events.envelope import Event, Key, Recorded
from events.jobsite import ActionItemAdded, AttachmentUploaded, JobDeleted, SessionDeleted
from handlers.commands import Command
from handlers.handler import Attempt, Handler
from handlers.jobsite.action_item.decide import DeleteActionItem
from handlers.jobsite.attachment.decide import DeleteAttachment
from handlers.jobsite.session.commands import DeleteSession
from infra.log import TOMBSTONE, Log
from infra.read_models import ReadModels

LONGEST = 600.0


class Part(NamedTuple):
    """A kind of thing that belongs to sessions or jobs."""

    table: str
    delete: Callable[[UUID], Command]


SESSIONS = Part("jobsite.sessions", lambda id: DeleteSession(session_id=id))
ATTACHMENTS = Part("jobsite.attachments", lambda id: DeleteAttachment(attachment_id=id))
ACTION_ITEMS = Part("jobsite.action_items", lambda id: DeleteActionItem(action_item_id=id))

PARTS: Mapping[type[Event], tuple[str, tuple[Part, ...]]] = {
    SessionDeleted: ("session_id", (ATTACHMENTS, ACTION_ITEMS)),
    JobDeleted: ("job_id", (SESSIONS, ATTACHMENTS, ACTION_ITEMS)),
}
"""What goes with what, and the column that tells what it belongs to."""

LATE: Mapping[type[Event], Callable[[UUID], Command]] = {
    AttachmentUploaded: ATTACHMENTS.delete,
    ActionItemAdded: ACTION_ITEMS.delete,
}
"""How things begin that may come to the log when what they belong to is deleted already."""


def cascades(*, models: ReadModels, log: Log) -> tuple[Handler, ...]:
    """The handlers of the tombstones, and of what comes too late for them."""
    return (
        *(_cascade(tombstone, column, parts, models) for tombstone, (column, parts) in PARTS.items()),
        *(_late(event, delete, log) for event, delete in LATE.items()),
    )


def _cascade(tombstone: type[Event], column: str, parts: tuple[Part, ...], models: ReadModels) -> Handler:
    async def delete_parts(recorded: Recorded[Any], _: Attempt) -> list[Command]:
        """What the read model knows at the tombstone; what comes behind it is late, and finds the tombstone."""
        after, owner = (recorded.stream, recorded.position), recorded.event.key.id
        found = [(part, await models.where(part.table, column, owner, after=after)) for part in parts]
        return [part.delete(id) for part, ids in found for id in ids]

    return Handler(name=f"{tombstone.aggregate}_parts", on=tombstone, effect=delete_parts, timeout=LONGEST)


def _late(event: type[Event], delete: Callable[[UUID], Command], log: Log) -> Handler:
    async def delete_late(recorded: Recorded[Any], _: Attempt) -> Command | None:
        owners = [
            Key("jobsite", kind, id)
            for kind in ("session", "job")
            if (id := getattr(recorded.event, f"{kind}_id", None))
        ]
        for owner in owners:
            history = await log.held(owner)
            if TOMBSTONE in history:
                return delete(recorded.event.key.id)
        return None

    return Handler(name=f"late_{event.aggregate}", on=event, effect=delete_late)
