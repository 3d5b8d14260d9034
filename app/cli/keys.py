"""`headwater keys list | issue | revoke`."""

import argparse

import msgspec

from app import contexts
from app.cli.asked import ACTOR, intent, moment, uuid_of
from app.http.auth import check_scopes
from app.http.keys import KeyRing, new_key
from app.identity import keys as identity
from app.kernel import Kernel, now
from app.main import standing
from app.places import places
from app.settings import Settings
from events.ids import new_id
from handlers.identity.decide import RevokeApiKey


async def keys(settings: Settings, asked: argparse.Namespace) -> int:
    """List, issue or revoke API keys."""
    async with standing(settings, places(settings), "keys") as kernel:
        if asked.verb == "list":
            await _list_keys(kernel, as_json=asked.json)
        elif asked.verb == "issue":
            await _issue_key(kernel, asked)
        else:
            await kernel.commands.execute(RevokeApiKey(api_key_id=uuid_of(asked.id)), intent())
            print(f"revoked {asked.id}")
    return 0


async def _list_keys(kernel: Kernel, *, as_json: bool) -> None:
    ring = KeyRing()
    await identity.load(kernel.log, ring)
    for key in ring:
        if as_json:
            facts = {"id": key.key_id, "name": key.name, "prefix": key.prefix, "scopes": key.scopes}
            print(msgspec.json.encode({**facts, "expiresAt": key.expires_at}).decode())
        else:
            until = f"until {key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "no end"
            print(f"{key.key_id}  {key.prefix}…  {key.name:<20} {' '.join(key.scopes)}  {until}")


async def _issue_key(kernel: Kernel, asked: argparse.Namespace) -> None:
    check_scopes(asked.scope, contexts.SCOPES)
    key_id = new_id()
    key = new_key(key_id)
    await identity.issue(
        kernel.commands,
        key,
        key_id=key_id,
        label=asked.name,
        scopes=tuple(asked.scope),
        clock=now,
        actor=ACTOR,
        expires_at=moment(asked.expires),
    )
    print(f"id      {key_id}\nsecret  {key.secret}\nIt is shown this once; only its hash is kept.")
