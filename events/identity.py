"""Who may ask: API keys."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from events.envelope import Event


class ApiKeyEvent(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "identity"
    aggregate: ClassVar[str] = "api_key"
    api_key_id: UUID


class Issued(ApiKeyEvent, frozen=True, kw_only=True):
    """A key was made. Only its hash is kept."""

    label: str
    hash: str
    """Lower-case hex SHA-256 of the secret."""
    prefix: str
    """The first characters of the secret, by which its owner recognises it."""
    scopes: tuple[str, ...]
    expires_at: datetime | None = None


class Revoked(ApiKeyEvent, frozen=True, kw_only=True):
    """The key opens nothing any more."""


IDENTITY_EVENTS = (Issued, Revoked)
