"""What the outbox shows of mail, and to whom, and what becomes of mail that waits, on the real servers."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from tests.deployment import Deployment
from tests.jobsite.uploads import completed, get, sound
from tests.notifications.test_slice import Site, outbox, post, until


@pytest.fixture
async def http(deployment: Deployment) -> AsyncIterator[aiohttp.ClientSession]:
    async with deployment.client() as client:
        yield client


async def test_what_a_report_says_is_shown_only_to_those_who_may_read_what_was_said(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    session = await Site(deployment).report(f"ann-{uuid4()}@example.com")
    [row] = await until(await outbox(http, session, "sent"))
    path = f"/v1/outbox/{row['id']}"
    scopes = ["notifications:read", "notifications:write"]
    _, key = await post(http, "/v1/keys", {"name": "gateway", "scopes": scopes})
    async with aiohttp.ClientSession(deployment.url, headers={"X-Api-Key": key["secret"]}) as gateway:
        shown = await get(gateway, path)
        assert (shown["text"], shown["html"], shown["rawUrl"]) == (None, None, None)
        assert (shown["receipt"], shown["subject"]) == (row["receipt"], row["subject"])
        async with gateway.get(f"{path}/raw") as answer:
            assert (answer.status, (await answer.json())["code"]) == (403, "SCOPE_REQUIRED")
    assert "Two items" in (await get(http, path))["text"]


async def test_mail_that_waits_for_its_server_leaves_with_the_newest_words_and_once(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    ann = f"ann-{uuid4()}@example.com"
    deployment.mail.refuses[ann] = "451 come back later"
    taken = await completed(http, sound(4.5), notifyEmail=ann)
    session = UUID(taken["sessionId"])
    [waiting] = await until(await outbox(http, session, "retrying"))
    segment = f"/v1/sessions/{session}/transcript/segments/0"
    async with http.patch(segment, json={"text": "Fifty windows are broken."}) as answer:
        assert answer.status == 200

    async def replaced() -> Any:
        return "Fifty windows" in ((await get(http, f"/v1/outbox/{waiting['id']}"))["text"] or "")

    await until(replaced)
    del deployment.mail.refuses[ann]
    await post(http, f"/v1/outbox/{waiting['id']}/resend")  # or it is being sent by itself just now
    [sent] = await until(await outbox(http, session, "sent"))
    [mail] = deployment.mail.of(ann)
    assert mail.message["Message-ID"] == waiting["messageId"] == sent["messageId"]
    body = mail.message.get_body(("plain",))
    assert body
    assert "Fifty windows are broken." in body.get_content()
