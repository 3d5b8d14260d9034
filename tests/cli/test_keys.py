"""`headwater keys`: made and revoked on the command line, in force on a running API at once."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from app import contexts
from infra import jetstream
from tests.deployment import KEY, Deployment, deployed

Ask = Callable[[str], Awaitable[int]]


@pytest.fixture
def ask(deployment: Deployment) -> Ask:
    return asking(deployment)


def asking(deployment: Deployment) -> Ask:
    """The status of a read with a key."""

    async def ask(secret: str) -> int:
        async with (
            aiohttp.ClientSession(deployment.url) as http,
            http.get("/v1/sessions", headers={"Authorization": f"Bearer {secret}"}) as answer,
        ):
            return answer.status

    return ask


async def soon(ask: Ask, secret: str, status: int) -> None:
    """Within a moment, which on a busy machine may be some seconds."""
    async with asyncio.timeout(20):
        while await ask(secret) != status:  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.02)


async def issue(deployment: Deployment, *arguments: str) -> tuple[str, str]:
    """The id and the secret of a new key."""
    issued = await deployment.cli("keys", "issue", *arguments)
    assert issued.status == 0, issued.err
    said = dict(line.split(None, 1) for line in issued.out.splitlines()[:2])
    return said["id"], said["secret"]


async def test_a_key_works_until_it_is_revoked(deployment: Deployment, ask: Ask) -> None:
    key_id, secret = await issue(
        deployment, "site phones", "--scope", "jobsite:read", "--scope", "jobsite:write"
    )
    await soon(ask, secret, 200)
    listed = await deployment.cli("keys", "list", "--json")
    keys = {each["id"]: each for each in map(json.loads, listed.out.splitlines())}
    assert (keys[key_id]["name"], keys[key_id]["scopes"]) == (
        "site phones",
        ["jobsite:read", "jobsite:write"],
    )
    shown = await deployment.cli("keys", "list")
    assert key_id in shown.out
    assert secret not in listed.out + shown.out
    revoked = await deployment.cli("keys", "revoke", key_id)
    assert (revoked.status, revoked.out) == (0, f"revoked {key_id}\n")
    await soon(ask, secret, 401)


async def test_a_key_opens_what_it_is_for_and_nothing_else(deployment: Deployment, ask: Ask) -> None:
    _, secret = await issue(deployment, "prometheus", "--scope", "metrics:read")
    await soon(ask, secret, 403)
    async with (
        aiohttp.ClientSession(deployment.url, headers={"X-Api-Key": secret}) as http,
        http.get("/metrics") as answer,
    ):
        assert answer.status == 200
        page = await answer.text()
    assert 'headwater_handler_lag_seconds{handler="transcribe"' in page
    assert 'headwater_troubles{kind="dead letters"' in page


async def test_every_scope_that_is_asked_for_can_be_given(deployment: Deployment) -> None:
    async with aiohttp.ClientSession(deployment.url) as http, http.get("/openapi.json") as answer:
        asked = set(re.findall(r"Needs the scope `([^`]+)`", await answer.text()))
    assert asked == set(contexts.SCOPES)


async def test_a_key_past_its_time_opens_nothing(deployment: Deployment, ask: Ask) -> None:
    _, secret = await issue(deployment, "guest", "--scope", "*", "--expires", "2020-01-31T00:00:00Z")
    _, later = await issue(deployment, "host", "--scope", "jobsite:read")
    await soon(ask, later, 200)
    assert await ask(secret) == 401


async def test_a_request_for_a_key_that_is_sent_again_is_answered_as_before(
    deployment: Deployment, ask: Ask
) -> None:
    asked = {"name": "site phones", "scopes": ["jobsite:read"]}
    again = {"Idempotency-Key": "phones-1"}
    async with deployment.client() as http:
        answers = [await http.post("/v1/keys", json=asked, headers=again) for _ in range(2)]
        assert [each.status for each in answers] == [201, 201]
        assert answers[0].headers["Headwater-Position"] == answers[1].headers["Headwater-Position"]
        made, same = [await each.json() for each in answers]
        assert made == same
        async with http.delete(f"/v1/keys/{made['id']}") as revoked:
            assert revoked.status == 204
        async with http.post("/v1/keys", json=asked, headers=again) as refused:
            assert (refused.status, (await refused.json())["code"]) == (409, "SECRET_SHOWN")
    assert await ask(made["secret"]) == 401


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("revoke", "0"), "'0' is no id; the list shows them."),
        (
            ("revoke", "00000000-0000-0000-0000-000000000001"),
            "There is no API key 00000000-0000-0000-0000-000000000001.",
        ),
        (
            ("issue", "x", "--scope", "*", "--expires", "soon"),
            "'soon' is no time; 2027-01-31T00:00:00Z would be.",
        ),
    ],
)
async def test_mistakes_are_answered_with_a_sentence(
    deployment: Deployment, arguments: tuple[str, ...], said: str
) -> None:
    mistaken = await deployment.cli("keys", *arguments)
    assert (mistaken.status, mistaken.err) == (1, f"{said}\n")


async def test_the_first_key_works_with_the_first_request() -> None:
    async with deployed(start=False) as fresh:
        await fresh.serve.start()
        async with fresh.client() as http, http.get("/v1/sessions") as answer:
            assert answer.status == 200
        kept = fresh.home / "api-key"
        assert (kept.read_text().strip(), kept.stat().st_mode & 0o777) == (KEY, 0o600)


async def test_what_cannot_be_read_of_one_key_leaves_the_others_in_force() -> None:
    async with deployed(start=False) as fresh:
        await fresh.serve.start()
        [first, lost, _] = [await issue(fresh, name, "--scope", "jobsite:read") for name in "abc"]
        [nats] = fresh.nats
        nc = await jetstream.connect(nats.operator_url, name="another tool")
        for subject in ("key", f"api_key.{first[0]}.issued", f"api_key.{lost[0]}.revoked"):
            await jetstream.publish(nc, jetstream.Message(f"identity.{subject}", b"{", {}))
        await nc.close()
        _, later = await issue(fresh, "d", "--scope", "jobsite:read")
        for _ in range(2):
            await soon(asking(fresh), later, 200)
            answers = [await asking(fresh)(secret) for secret in (KEY, first[1], lost[1])]
            assert answers == [200, 200, 401]
            await fresh.serve.stop()
            await fresh.serve.start()
