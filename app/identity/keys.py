"""API keys as every process knows them: read from the log, so that they work, and are revoked, without a database."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from app.http.keys import ApiKey, KeyRing, NewKey, key_from, new_key
from events.envelope import Event, Intent
from events.identity import Issued, Revoked
from events.ids import derived_id, new_id
from handlers.commands import Commands
from handlers.identity.decide import IssueApiKey
from infra.embedded.home import unusable, write_private
from infra.log import Log

STREAM = "IDENTITY"
KEY_FILE = "api-key"
FIRST_KEYS = UUID("0c7a1c52-6f0e-5d55-9b0f-4f3f4d1a7e90")
"""Name space of the ids of keys that are set or kept in a file, so that each is issued once."""


async def load(log: Log, ring: KeyRing, after: int = 0) -> int:
    """Put every key in force on the ring; the position up to which that holds. `after` is what it held so far."""
    position = after
    async for recorded in log.scan(STREAM, after=after):
        apply(ring, recorded.event)
        position = recorded.position
    return position


async def follow(log: Log, ring: KeyRing, after: int) -> None:
    """Keep the ring up to date, for ever."""
    async with log.reader(STREAM, after=after) as reader:
        while True:
            for recorded in await reader.take(100):
                apply(ring, recorded.event)


def apply(ring: KeyRing, event: Event) -> None:
    match event:
        case Issued() as e:
            ring.add(
                ApiKey(
                    key_id=e.api_key_id,
                    name=e.label,
                    hash=e.hash,
                    prefix=e.prefix,
                    scopes=e.scopes,
                    expires_at=e.expires_at,
                )
            )
        case Revoked() as e:
            ring.remove(e.api_key_id)


async def issue(
    commands: Commands,
    key: NewKey,
    *,
    key_id: UUID,
    label: str,
    scopes: tuple[str, ...],
    clock: Callable[[], datetime],
    actor: str,
    expires_at: datetime | None = None,
) -> None:
    """Append that a key was made. The secret itself stays with the caller."""
    command = IssueApiKey(
        api_key_id=key_id,
        label=label,
        hash=key.hash,
        prefix=key.prefix,
        scopes=scopes,
        expires_at=expires_at,
    )
    command_id = new_id()
    intent = Intent(command_id=command_id, actor=actor, at=clock(), correlation_id=command_id)
    await commands.execute(command, intent, fresh=True)


async def first_key(
    home: Path, chosen: str | None, ring: KeyRing, commands: Commands, clock: Callable[[], datetime]
) -> None:
    """See to it that there is a key with every scope: the one that is set, or one made at the first start.

    It is kept in `<home>/api-key`, which only its owner can read. A key that was revoked is not issued again.
    """
    kept = kept_key(home)
    secret = chosen or kept
    if secret is None and len(ring):
        return  # another process has the first key
    key = key_from(secret) if secret else new_key(new_id())
    await issue(
        commands,
        key,
        key_id=derived_id(FIRST_KEYS, key.hash),
        label="first key",
        scopes=("*",),
        clock=clock,
        actor="headwater",
    )
    if kept != key.secret:
        write_private(home / KEY_FILE, key.secret)


def kept_key(home: Path) -> str | None:
    """The key in the home folder, for commands on the same machine."""
    try:
        return (home / KEY_FILE).read_text().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(home, error) from None
