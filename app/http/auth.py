"""Who is asking, and what they may do."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import web

from app.http.problems import Unauthenticated
from handlers.refusals import Forbidden, Invalid

EVERYTHING = "*"
ANY_KEY = "any"
"""Stands in the place of a scope where every key may ask; what is asked for decides further on."""
TOKEN_PARAMETER = "access_token"  # noqa: S105 (its name, not its value)


@dataclass(frozen=True)
class Principal:
    """Somebody who may ask for things: the owner of a key, or nobody in particular."""

    id: str
    name: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    key_id: UUID | None = None

    def may(self, scope: str) -> bool:
        """Whether a scope is held, by name, as `<area>:*` or as `*`."""
        area = scope.partition(":")[0]
        return scope == ANY_KEY or not self.scopes.isdisjoint((scope, f"{area}:{EVERYTHING}", EVERYTHING))


ANONYMOUS = Principal(id="anonymous", name="anonymous")


def check_scopes(scopes: Iterable[str], known: Collection[str]) -> None:
    """Refuses what opens nothing: there are the known scopes, each area's `<area>:*`, and `*`."""
    areas = {f"{scope.partition(':')[0]}:{EVERYTHING}" for scope in known}
    for scope in scopes:
        if scope not in known and scope not in areas and scope != EVERYTHING:
            there = ", ".join(sorted({*known, *areas, EVERYTHING}))
            raise Invalid("INVALID_SCOPE", f"{scope!r} is not a scope; there are {there}.", field="scopes")


def authenticate(
    request: web.Request, identify: Callable[[str], Principal | None], *, token_in_query: bool
) -> Principal | None:
    """Who sends this request; None when it does not say, refused when what it says is not true.

    `token_in_query` is for WebSockets and event streams, on which browsers cannot set headers.
    """
    secret = _secret(request, token_in_query=token_in_query)
    if secret is None:
        return None
    principal = identify(secret)
    if principal is None:
        raise Unauthenticated("INVALID_CREDENTIALS", "This key is unknown, revoked or expired.")
    return principal


def authorize(principal: Principal | None, scope: str) -> Principal:
    """The principal, if it holds the scope."""
    if principal is None:
        raise Unauthenticated(
            "CREDENTIALS_REQUIRED", "Send an API key as X-Api-Key, or as Authorization: Bearer."
        )
    if not principal.may(scope):
        raise Forbidden("SCOPE_REQUIRED", f"This key does not hold the scope {scope}.")
    return principal


def _secret(request: web.Request, *, token_in_query: bool) -> str | None:
    if key := request.headers.get("X-Api-Key"):
        return key
    if given := request.headers.get("Authorization"):
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("INVALID_CREDENTIALS", "Authorization must be `Bearer <key>`.")
        return token.strip()
    return request.query.get(TOKEN_PARAMETER) if token_in_query else None
