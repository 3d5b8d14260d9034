"""What commands are given, as values; where this Headwater is; and the envelope of what they append."""

from datetime import datetime
from uuid import UUID

from app.http.moments import in_utc
from app.kernel import now
from app.settings import Settings
from events.envelope import Intent
from events.ids import new_id
from handlers.refusals import Invalid

ACTOR = "cli"


def here(settings: Settings) -> str:
    """The address of the API for somebody on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{host}:{settings.port}"


def intent() -> Intent:
    command_id = new_id()
    return Intent(command_id=command_id, actor=ACTOR, at=now(), correlation_id=command_id)


def moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo:
            return in_utc(at, "the time")
    except ValueError:
        pass
    raise Invalid("INVALID_TIME", f"{text!r} is no time; 2027-01-31T00:00:00Z would be.")


def uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("INVALID_ID", f"{text!r} is no id; the list shows them.") from None
