"""API keys: made here, kept only as hashes, found by their secret."""

import hashlib
import hmac
import secrets
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from app.http.auth import Principal

_ALPHABET = string.ascii_letters + string.digits
_RANDOM_LENGTH = 43  # 256 bits in base 62
SEED = 64


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is remembered: never the secret itself, only its hash."""

    key_id: UUID
    name: str
    hash: str
    """Lower-case hex SHA-256 of the secret, which is random enough to need no salt."""
    prefix: str
    """The first characters of the secret, by which its owner recognises it."""
    scopes: tuple[str, ...]
    expires_at: datetime | None = None

    @property
    def principal(self) -> Principal:
        return Principal(
            id=f"key:{self.key_id}", name=self.name, scopes=frozenset(self.scopes), key_id=self.key_id
        )


@dataclass(frozen=True)
class NewKey:
    """Fresh key material. The secret is shown once and kept nowhere."""

    secret: str = field(repr=False)
    hash: str
    prefix: str


def new_key(key_id: UUID, seed: bytes | None = None) -> NewKey:
    """Makes the secret of a key: `hw_<end of the key's id>_<256 random bits>`, the same for the same seed."""
    number = int.from_bytes(seed or secrets.token_bytes(SEED))
    letters = (
        _ALPHABET[number // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(_RANDOM_LENGTH)
    )
    return key_from(f"hw_{key_id.hex[-8:]}_{''.join(letters)}")


def seed_of(server: bytes, principal: str, idempotency_key: str) -> bytes:
    """By which a request that is sent again finds the secret that it made, though only its hash is kept.

    The log knows of an idempotency key no more than what is derived from it, so that who can read the log and knows
    the server's secret still does not have those of its keys.
    """
    return hmac.digest(server, f"api key\0{principal}\0{idempotency_key}".encode(), "sha512")


def key_from(secret: str) -> NewKey:
    """The key material of a secret that was chosen elsewhere, such as the setting `API_KEY`."""
    shown = 11 if secret.startswith("hw_") else min(4, len(secret) // 4)
    return NewKey(secret=secret, hash=hash_of(secret), prefix=secret[:shown])


def hash_of(secret: str) -> str:
    """The form in which a secret is kept and looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class KeyRing:
    """The API keys in force, found by secret in constant time however many there are."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._keys: dict[UUID, ApiKey] = {}
        self._by_hash: dict[str, dict[UUID, ApiKey]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[ApiKey]:
        return iter(list(self._keys.values()))

    def add(self, key: ApiKey) -> None:
        """Lets a key in; one with the same id is replaced.

        Two may have one secret: one that was made, and the same as the setting `API_KEY`.
        """
        self.remove(key.key_id)
        self._keys[key.key_id] = key
        self._by_hash.setdefault(key.hash, {})[key.key_id] = key

    def remove(self, key_id: UUID) -> None:
        """Shuts a key out; an unknown one already is."""
        if held := self._keys.pop(key_id, None):
            same = self._by_hash[held.hash]
            del same[key_id]
            if not same:
                del self._by_hash[held.hash]

    def find(self, secret: str) -> ApiKey | None:
        """The key with this secret, unless it is revoked or past its time; of two, the one that came last."""
        hashed = hash_of(secret)
        same = reversed(self._by_hash.get(hashed, {}).values())
        return next(
            (key for key in same if hmac.compare_digest(key.hash, hashed) and self._in_force(key)), None
        )

    def identify(self, secret: str) -> Principal | None:
        """The owner of a secret, if anyone."""
        key = self.find(secret)
        return key.principal if key else None

    def holds(self, principal: Principal) -> bool:
        """Whether the key of somebody who was let in is still in force."""
        key = self._keys.get(principal.key_id) if principal.key_id else None
        return key is not None and self._in_force(key)

    def _in_force(self, key: ApiKey) -> bool:
        return key.expires_at is None or key.expires_at > self._now()
