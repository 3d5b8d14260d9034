"""Whether the key of somebody who came in still holds."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from app.http.auth import ANONYMOUS
from app.http.keys import ApiKey, KeyRing, new_key


def test_a_key_holds_until_it_expires_or_is_revoked():
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    ring = KeyRing(now=lambda: now[0])
    made = new_key(uuid4())
    key = ApiKey(
        key_id=uuid4(),
        name="test",
        hash=made.hash,
        prefix=made.prefix,
        scopes=(),
        expires_at=now[0] + timedelta(hours=1),
    )
    assert not ring.holds(key.principal)
    ring.add(key)
    assert ring.holds(key.principal)
    assert not ring.holds(ANONYMOUS)
    now[0] += timedelta(hours=1)
    assert not ring.holds(key.principal)
    now[0] -= timedelta(minutes=1)
    ring.remove(key.key_id)
    assert not ring.holds(key.principal)
