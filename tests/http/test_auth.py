"""Who may ask: keys, scopes, and where a key may be given."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from aiohttp import WSServerHandshakeError

from app.http.auth import ANONYMOUS, Principal, check_scopes
from app.http.keys import ApiKey, KeyRing, hash_of, key_from, new_key, seed_of
from handlers.refusals import Invalid
from tests.http.site import Site, issue, serving
from tests.http.test_problems import problem

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def key(secret: str, **changes: object) -> ApiKey:
    made = key_from(secret)
    facts = {"key_id": uuid4(), "name": "k", "hash": made.hash, "prefix": made.prefix, "scopes": ("*",)}
    return ApiKey(**{**facts, **changes})


async def test_a_key_may_come_in_either_header(site: Site):
    for headers in (
        {"X-Api-Key": site.key},
        {"Authorization": f"Bearer {site.key}"},
        {"Authorization": f"bearer  {site.key}"},
    ):
        async with site.client.get("/v1/notes", headers=headers) as response:
            assert response.status == 200


async def test_without_a_key_only_open_endpoints_answer(site: Site):
    async with site.client.get("/health") as response:
        assert response.status == 200
    async with site.client.get("/v1/notes") as response:
        await problem(response, 401, "CREDENTIALS_REQUIRED")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Api-Key": "hw_nobody"},
        {"Authorization": "Bearer hw_nobody"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
        {"X-Api-Key": "é\t☃"},
    ],
)
async def test_a_wrong_key_is_refused(site: Site, headers: dict[str, str]):
    async with site.client.get("/v1/notes", headers=headers) as response:
        await problem(response, 401, "INVALID_CREDENTIALS")


async def test_an_open_endpoint_does_not_mind_a_wrong_key(site: Site):
    async with site.client.get("/health", headers={"X-Api-Key": "hw_nobody"}) as response:
        assert response.status == 200


async def test_an_open_endpoint_waits_for_nobody(site: Site):
    async with site.client.get("/health", headers={"Headwater-After": "NOTES@999999"}) as response:
        assert response.status == 200


async def test_a_key_without_the_scope_is_told_which(site: Site):
    reader = issue(site.ring, "notes:read").secret
    async with site.client.get("/v1/notes", headers={"X-Api-Key": reader}) as response:
        assert response.status == 200
    async with site.client.post("/v1/notes", headers={"X-Api-Key": reader}, json={"title": "x"}) as response:
        assert "notes:write" in (await problem(response, 403, "SCOPE_REQUIRED"))["detail"]


async def test_a_revoked_key_stops_working_at_once(site: Site):
    made = issue(site.ring, "*").secret
    found = site.ring.find(made)
    assert found is not None
    site.ring.remove(found.key_id)
    async with site.client.get("/v1/notes", headers={"X-Api-Key": made}) as response:
        await problem(response, 401, "INVALID_CREDENTIALS")


async def test_only_sockets_and_streams_take_the_key_in_the_query(caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    async with serving() as site:
        async with site.client.ws_connect(f"/v1/ws/chat?access_token={site.key}") as ws:
            await ws.send_str("hi")
            assert await ws.receive_str() == "owner: hi"
        with pytest.raises(WSServerHandshakeError, match="401"):
            await site.client.ws_connect("/v1/ws/chat?access_token=hw_nobody")
        async with site.client.get(f"/v1/notes?access_token={site.key}") as response:
            await problem(response, 401, "CREDENTIALS_REQUIRED")
    ours = [each.__dict__ for each in caplog.records if each.name.startswith("app")]
    assert ours
    assert site.key not in str(ours)


def test_a_scope_is_held_by_name_by_area_or_altogether():
    assert Principal("1", "a", frozenset({"notes:read"})).may("notes:read")
    assert Principal("1", "a", frozenset({"notes:*"})).may("notes:write")
    assert Principal("1", "a", frozenset({"*"})).may("keys:write")
    assert not Principal("1", "a", frozenset({"notes:read"})).may("notes:write")
    assert not ANONYMOUS.may("notes:read")


def test_what_is_not_a_scope_is_refused():
    known = ("jobsite:read", "keys:write")
    check_scopes(["jobsite:read", "keys:*", "*"], known)
    for wrong in ("", "read", "a:b", "jobsite:raed", "*:read", "a:read "):
        with pytest.raises(Invalid):
            check_scopes([wrong], known)


def test_new_keys_are_long_random_and_recognisable():
    made, other = new_key(ID), new_key(ID)
    assert made.secret.startswith(f"hw_{ID.hex[-8:]}_")
    assert len(made.secret) == 55
    assert made.secret.isascii()
    assert made.secret != other.secret
    assert made.prefix == f"hw_{ID.hex[-8:]}"
    assert made.hash == hash_of(made.secret)
    assert made.secret not in repr(made)


def test_a_request_that_is_sent_again_finds_the_secret_that_it_made():
    seed = seed_of(b"server", "key:1", "monday-1")
    assert new_key(ID, seed).secret == new_key(ID, seed).secret
    for other in (b"other", "key:1", "monday-1"), (b"server", "key:2", "monday-1"), (b"server", "key:1", "2"):
        assert new_key(ID, seed_of(*other)).secret != new_key(ID, seed).secret


def test_a_chosen_secret_shows_little_of_itself():
    assert key_from("0123456789abcdef").prefix == "0123"
    assert key_from("01234567").prefix == "01"


def test_a_ring_finds_keys_by_secret_until_they_expire():
    clock = [NOON]
    ring = KeyRing(lambda: clock[0])
    ring.add(key("first-secret", expires_at=NOON + timedelta(hours=1)))
    assert ring.find("first-secret") is not None
    assert ring.find("second-secret") is None
    clock[0] = NOON + timedelta(hours=1)
    assert ring.find("first-secret") is None
    assert ring.identify("first-secret") is None


def test_adding_a_key_again_replaces_it():
    ring = KeyRing()
    ring.add(key("first-secret", key_id=ID))
    ring.add(key("second-secret", key_id=ID, name="renewed"))
    assert len(ring) == 1
    assert ring.find("first-secret") is None
    found = ring.identify("second-secret")
    assert found == Principal(id=f"key:{ID}", name="renewed", scopes=frozenset({"*"}), key_id=ID)


def test_removing_an_unknown_key_changes_nothing():
    ring = KeyRing()
    ring.add(key("first-secret"))
    ring.remove(ID)
    assert len(ring) == 1


def test_two_keys_with_one_secret_are_each_shut_out_alone():
    ring, other = KeyRing(), uuid4()
    ring.add(key("first-secret", key_id=ID, scopes=("notes:read",)))
    ring.add(key("first-secret", key_id=other))
    assert {each.key_id for each in ring} == {ID, other}
    principals = [each.principal for each in ring]
    assert ring.find("first-secret").key_id == other
    ring.remove(other)
    assert ring.find("first-secret").key_id == ID
    assert [ring.holds(each) for each in principals] == [True, False]
    ring.remove(ID)
    ring.remove(ID)
    assert ring.find("first-secret") is None
    assert len(ring) == 0
