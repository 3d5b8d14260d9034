"""Rules of API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, assert_never
from uuid import UUID

from events.identity import ApiKeyEvent, Issued, Revoked
from handlers.commands import Command, Decider, as_told
from handlers.refusals import NotFound


class IssueApiKey(Command, frozen=True, kw_only=True):
    api_key_id: UUID
    label: str
    hash: str
    prefix: str
    scopes: tuple[str, ...]
    expires_at: datetime | None = None


class RevokeApiKey(Command, frozen=True, kw_only=True):
    api_key_id: UUID


ApiKeyCommand = IssueApiKey | RevokeApiKey
State = Literal["absent", "in force", "revoked"]


def decide(command: ApiKeyCommand, state: State) -> Sequence[ApiKeyEvent]:
    match command, state:
        case IssueApiKey() as c, "absent":
            return [as_told(Issued, c)]
        case IssueApiKey(), _:
            return []
        case RevokeApiKey() as c, "absent":
            raise NotFound("API_KEY_NOT_FOUND", f"There is no API key {c.api_key_id}.")
        case RevokeApiKey() as c, "in force":
            return [Revoked(api_key_id=c.api_key_id)]
        case RevokeApiKey(), _:
            return []
    assert_never(command)


def evolve(state: State, event: ApiKeyEvent) -> State:
    match event:
        case Issued():
            return "in force"
        case Revoked():
            return "revoked"
    return state


API_KEYS: Decider[ApiKeyCommand, State] = Decider(
    "identity", "api_key", (IssueApiKey, RevokeApiKey), "absent", decide, evolve
)
