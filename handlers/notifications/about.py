"""What a session is called, from its own events: what notifications say of it."""

from collections.abc import Iterable
from uuid import UUID

from events.envelope import Event, Key
from events.jobsite import AudioUploaded, SessionRenamed
from infra.log import Log

NAMELESS = "A recording"


async def title_of(log: Log, session_id: UUID) -> str:
    """As it is called now. Raises `LogUnavailable`."""
    return title_in(each.event for each in await log.load(Key("jobsite", "session", session_id)))


def title_in(history: Iterable[Event]) -> str:
    """What its facts call it: by its title, else by the name of its file."""
    title, file_name = None, ""
    for event in history:
        if isinstance(event, AudioUploaded):
            title, file_name = event.title, event.file_name
        elif isinstance(event, SessionRenamed):
            title = event.title
    return title or file_name or NAMELESS
