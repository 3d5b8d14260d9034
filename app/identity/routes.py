"""HTTP of `identity`: API keys made, listed and revoked."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from app.http.auth import check_scopes
from app.http.cursor import Page, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.http.keys import ApiKey, KeyRing, new_key, seed_of
from app.http.moments import in_utc
from app.intents import created_id, intent
from handlers.commands import Commands
from handlers.identity.decide import IssueApiKey, RevokeApiKey
from handlers.refusals import Conflict, Forbidden, NotFound


class NewKeyBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the key is for and what it opens."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    scopes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=50)]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    def __post_init__(self) -> None:
        if self.expires_at:
            msgspec.structs.force_setattr(self, "expires_at", in_utc(self.expires_at, "expiresAt"))


class KeysQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which API keys to list, by id."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class KeyView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An API key without its secret."""

    id: UUID
    name: str
    prefix: str
    """The first characters of the secret."""
    scopes: tuple[str, ...]
    expires_at: datetime | None = None


class NewKeyView(KeyView, frozen=True, kw_only=True):
    secret: str
    """Shown in the answer to this request only; its hash is what is kept."""


def endpoints(
    *,
    commands: Commands,
    ring: KeyRing,
    secret: bytes,
    scopes: Collection[str],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """The endpoints of API keys. `secret` is the server's own; `scopes` are those that there are."""

    async def make(call: Call[None, NewKeyBody]) -> Reply:
        body = call.body
        check_scopes(body.scopes, scopes)
        beyond = [scope for scope in body.scopes if not call.principal.may(scope)]
        if beyond:
            raise Forbidden(
                "SCOPE_REQUIRED", f"Your key cannot give what it does not hold: {', '.join(beyond)}."
            )
        made = intent(call, clock, body)
        key_id = created_id(made, "api_key")
        again = call.idempotency_key
        key = new_key(key_id, seed_of(secret, call.principal.id, again) if again else None)
        command = IssueApiKey(
            api_key_id=key_id,
            label=body.name,
            hash=key.hash,
            prefix=key.prefix,
            scopes=body.scopes,
            expires_at=body.expires_at,
        )
        outcome = await commands.execute(command, made, fresh=True)
        if not outcome.repeated:
            ring.add(_held(command))
        elif (held := ring.find(key.secret)) is None or held.key_id != key_id:
            raise Conflict(
                "SECRET_SHOWN",
                f"This request made the key {key_id}; its secret was shown then. Revoke it, make another.",
            )
        view = NewKeyView(
            id=key_id,
            name=body.name,
            prefix=key.prefix,
            scopes=body.scopes,
            expires_at=body.expires_at,
            secret=key.secret,
        )
        return Reply(body=view, position=outcome.cursor, headers={"Cache-Control": "no-store"})

    async def listing(call: Call[KeysQuery, None]) -> Reply:
        after = from_cursor(call.query.cursor, tuple[UUID])[0] if call.query.cursor else None
        held = sorted(
            (key for key in ring if after is None or key.key_id > after), key=lambda key: key.key_id
        )
        page = held[: call.query.limit]
        more = to_cursor(page[-1].key_id) if len(held) > len(page) else None
        return Reply(body=Page([_view(key) for key in page], more))

    async def revoke(call: Call[None, None]) -> Reply:
        key_id = call.ids["keyId"]
        outcome = await commands.execute(RevokeApiKey(api_key_id=key_id), intent(call, clock, key_id))
        ring.remove(key_id)
        return Reply(position=outcome.cursor)

    return (
        Endpoint(
            method="POST",
            path="/v1/keys",
            handle=make,
            summary="Make an API key",
            tag="keys",
            scope="keys:write",
            body=NewKeyBody,
            example=NewKeyBody(name="site phones", scopes=("jobsite:write", "jobsite:read")),
            answer=NewKeyView,
            status=201,
            refusals=(Forbidden, Conflict),
        ),
        Endpoint(
            method="GET",
            path="/v1/keys",
            handle=listing,
            summary="List the API keys in force",
            tag="keys",
            scope="keys:read",
            query=KeysQuery,
            answer=Page[KeyView],
        ),
        Endpoint(
            method="DELETE",
            path="/v1/keys/{keyId}",
            handle=revoke,
            summary="Revoke an API key",
            tag="keys",
            scope="keys:write",
            status=204,
            refusals=(NotFound,),
        ),
    )


def _held(c: IssueApiKey) -> ApiKey:
    return ApiKey(
        key_id=c.api_key_id,
        name=c.label,
        hash=c.hash,
        prefix=c.prefix,
        scopes=c.scopes,
        expires_at=c.expires_at,
    )


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.key_id, name=key.name, prefix=key.prefix, scopes=key.scopes, expires_at=key.expires_at
    )
