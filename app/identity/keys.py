"""API keys as every process knows them: read from the log, so that they work, and are revoked, without a database."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from app.http.keys import ApiKey, KeyRing, NewKey, key_from, new_key
from events.catalogue import Undecodable
from events.envelope import Event, Intent
from events.identity import Issued, Revoked
from events.ids import derived_id, new_id
from handlers.commands import Commands
from handlers.identity.decide import IssueApiKey
from infra.embedded.home import unusable, write_private
from infra.jetstream import patiently
from infra.log import Log
from infra.reader import Reader
from infra.telemetry import logs

logger = logs.logger(__name__)

STREAM = "IDENTITY"
KEY_FILE = "api-key"
FIRST_KEYS = UUID("0c7a1c52-6f0e-5d55-9b0f-4f3f4d1a7e90")
"""Name space of the ids of keys that are set or kept in a file, so that each is issued once."""


async def load(log: Log, ring: KeyRing, after: int = 0) -> int:
    """Put every key in force on the ring; the position up to which that holds. `after` is what it held so far."""
    end = await patiently(lambda: log.last_position(STREAM))
    async with log.reader(STREAM, after=after) as reader:
        while await patiently(lambda: reader.before(end)):
            await _take(reader, ring, wait=1.0)
        return reader.position


async def follow(log: Log, ring: KeyRing, after: int) -> None:
    """Keep the ring up to date, for ever."""
    async with log.reader(STREAM, after=after) as reader:
        while True:
            await _take(reader, ring)


async def _take(reader: Reader, ring: KeyRing, *, wait: float | None = None) -> None:
    """What cannot be read stops nobody from using other keys; where it is stored as a revocation, it is one."""
    try:
        for recorded in await reader.take(100, wait=wait):
            apply(ring, recorded.event)
    except Undecodable as unreadable:
        logger.error("an event of an API key cannot be read", position=reader.position + 1, cause=unreadable)
        reader.pass_over()
        for key in ring:
            if unreadable.subject == f"identity.api_key.{key.key_id}.{Revoked.name}":
                ring.remove(key.key_id)


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
    try:
        await issue(
            commands,
            key,
            key_id=derived_id(FIRST_KEYS, key.hash),
            label="first key",
            scopes=("*",),
            clock=clock,
            actor="headwater",
        )
    except Undecodable as unreadable:
        logger.error("an event of the first API key cannot be read", cause=unreadable)
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
