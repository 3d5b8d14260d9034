"""From what happens to a recording to those who are told, on the real servers and processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import ANY
from uuid import UUID, uuid4

import aiohttp
import pytest
from aiohttp import web

from events.envelope import Intent
from events.ids import new_id
from events.jobsite import Reported, SessionDeleted
from infra import jetstream
from infra.blobs import once
from infra.blobs.objects import ObjectBlobs
from infra.webhooks.signing import HEADER, verified
from tests.deployment import Deployment
from tests.jobsite.uploads import accepted, get, sound
from tests.notifications.facts import MONDAY
from tests.notifications.mail_server import DROP, STALL

Got = tuple[dict[str, Any], bytes]


@pytest.fixture
async def http(deployment: Deployment) -> AsyncIterator[aiohttp.ClientSession]:
    async with deployment.client() as client:
        yield client


async def until(found: Callable[[], Awaitable[Any]]) -> Any:
    """What is found, once there is something."""
    async with asyncio.timeout(60):
        while True:
            if got := await found():
                return got
            await asyncio.sleep(0.05)


async def post(http: aiohttp.ClientSession, path: str, body: Any = None) -> tuple[int, Any]:
    async with http.post(path, json=body) as answer:
        return answer.status, await answer.json() if answer.content_length else None


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, asyncio.Queue[Got]]]:
    """A place that is called; its URL, and what it was sent."""
    calls: asyncio.Queue[Got] = asyncio.Queue()

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        calls.put_nowait((dict(request.headers), await request.read()))
        return web.Response()

    runner = web.ServerRunner(web.Server(take))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", calls
    finally:
        await runner.cleanup()


class Site:
    """Facts as other handlers record them."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    async def report(self, *recipients: str, job: UUID | None = None, discrepancies: int = 0) -> UUID:
        """A session of which the report is written."""
        session = new_id()
        async with self._deployment.log() as log:
            text, html = await self._put(f"Two items of {session}."), await self._put(f"<p>{session}</p>")
            reported = Reported(
                session_id=session,
                job_id=job,
                transcript="0" * 64,
                corrections=0,
                summary="0" * 64,
                title="Boiler room",
                subject="Boiler room: two items",
                html=html,
                text=text,
                recipients=recipients,
                action_items=2,
                discrepancies=discrepancies,
            )
            await log.append([reported], intent(), past=())
        return session

    async def delete(self, session: UUID) -> None:
        async with self._deployment.log() as log:
            gone = SessionDeleted(session_id=session)
            past = [each.position for each in await log.load(gone.key)]
            await log.append([gone], intent(), past=past)

    async def _put(self, content: str) -> str:
        url = self._deployment.nats[0]
        nc = await jetstream.connect(url.url, name="tests")
        eraser = await jetstream.connect(url.eraser_url, name="tests")
        try:
            store = ObjectBlobs(nc, eraser, secret=b"tests")
            await store.prepare()
            return (await store.put(once(content.encode()), media_type="text/plain")).key
        finally:
            await nc.close()
            await eraser.close()


def intent() -> Intent:
    id = new_id()
    return Intent(command_id=id, actor="tests", at=MONDAY, correlation_id=id)


async def outbox(http: aiohttp.ClientSession, session: UUID, *statuses: str) -> Callable[[], Awaitable[Any]]:
    async def look() -> Any:
        items = (await get(http, f"/v1/outbox?sessionId={session}"))["items"]
        return items if items and all(each["status"] in statuses for each in items) else None

    return look


async def test_a_report_is_told_mailed_and_called_once(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    job, ann, bob = uuid4(), f"ann-{uuid4()}@example.com", f"bob-{uuid4()}@example.com"
    async with receiver() as (url, calls), http.ws_connect(f"/v1/ws?topics=notifications&jobIds={job}") as ws:
        assert (await ws.receive_json())["type"] == "subscribed"
        wanted = {"url": url, "jobIds": [str(job)], "kinds": ["session_complete"]}
        status, hook = await post(http, "/v1/webhooks", wanted)
        assert (status, hook["secret"][:6]) == (201, "whsec_")
        await Site(deployment).report("nobody@example.com")
        session = await Site(deployment).report(ann, bob, job=job, discrepancies=1)
        told = [(await ws.receive_json())["data"] for _ in range(2)]
        assert {(each["kind"], each["source"]) for each in told} == {
            ("session_complete", str(session)),
            ("discrepancies", str(session)),
        }
        sent = await until(await outbox(http, session, "sent"))
        headers, body = await asyncio.wait_for(calls.get(), 60)
    assert verified(hook["secret"], body, headers[HEADER], now=int(headers[HEADER][2:12]))
    assert sorted(each["recipient"] for each in sent if each["channel"] == "mail") == [ann, bob]
    [mail] = deployment.mail.of(ann)
    [row] = [each for each in sent if each["recipient"] == ann]
    assert mail.message["Message-ID"] == row["messageId"]
    assert mail.message["Subject"] == "Boiler room: two items"
    detail = await get(http, f"/v1/outbox/{row['id']}")
    assert detail["text"].strip() == f"Two items of {session}."
    assert [each["outcome"] for each in detail["history"]] == ["sent"]
    assert detail["receipt"].startswith("250 OK queued")
    async with http.get(detail["rawUrl"]) as raw:
        assert (raw.status, raw.content_type) == (200, "message/rfc822")
    async with http.delete(f"/v1/webhooks/{hook['id']}") as answer:
        assert answer.status == 204


async def test_a_failed_stage_is_told_and_read_by_each_key_alone(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    taken = await accepted(http, sound(0), title="Silence")
    path = f"/v1/notifications?sessionId={taken['sessionId']}"

    async def told() -> Any:
        return (await get(http, path))["items"]

    [note] = await until(told)
    assert (note["kind"], note["read"], note["title"][:7]) == ("error", False, "Silence")
    _, key = await post(http, "/v1/keys", {"name": "phone", "scopes": ["notifications:read"]})
    async with aiohttp.ClientSession(deployment.url, headers={"X-Api-Key": key["secret"]}) as phone:
        before = (await get(phone, "/v1/notifications/unread-count"))["unread"]
        async with phone.post(f"/v1/notifications/{note['id']}/read") as answer:
            assert answer.status == 204
            after = {"Headwater-After": answer.headers["Headwater-Position"]}
        assert (await get(phone, "/v1/notifications/unread-count", **after))["unread"] == before - 1
        assert (await get(phone, f"/v1/notifications/{note['id']}"))["read"]
        assert not (await get(http, f"/v1/notifications/{note['id']}"))["read"]
        async with phone.post("/v1/notifications/read-all") as answer:
            after = {"Headwater-After": answer.headers["Headwater-Position"]}
        assert (await get(phone, "/v1/notifications/unread-count", **after))["unread"] == 0
        assert (await get(phone, "/v1/notifications?unread=true"))["items"] == []
        assert (await get(http, f"{path}&unread=true"))["items"] == [note]


async def test_a_mail_whose_receipt_was_lost_is_uncertain_and_keeps_its_id(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    ann = f"ann-{uuid4()}@example.com"
    deployment.mail.treats[ann] = [DROP, "451 later"]
    session = await Site(deployment).report(ann)
    [sent] = await until(await outbox(http, session, "sent"))
    assert (sent["uncertain"], sent["attempts"]) == (True, 3)
    history = (await get(http, f"/v1/outbox/{sent['id']}"))["history"]
    assert [(each["outcome"], each["code"]) for each in history] == [
        ("uncertain", "NO_ANSWER"),
        ("failed", "SMTP_451"),
        ("sent", None),
    ]
    assert [each.message["Message-ID"] for each in deployment.mail.of(ann)] == [sent["messageId"]] * 2


async def test_a_worker_that_is_killed_while_it_sends_leaves_a_doubt_and_the_same_message_id(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    ann = f"ann-{uuid4()}@example.com"
    deployment.mail.treats[ann] = [STALL]
    deployment.mail.stalled.clear()
    session = await Site(deployment).report(ann)
    async with asyncio.timeout(60):
        await deployment.mail.stalled.wait()
    await deployment.work.restart()
    [sent] = await until(await outbox(http, session, "sent"))
    assert (sent["uncertain"], sent["attempts"]) == (True, 2)
    history = (await get(http, f"/v1/outbox/{sent['id']}"))["history"]
    assert [(each["outcome"], each["code"]) for each in history] == [
        ("uncertain", "BROKEN_OFF"),
        ("sent", None),
    ]
    assert [each.message["Message-ID"] for each in deployment.mail.of(ann)] == [sent["messageId"]] * 2


async def test_a_refused_mail_is_sent_again_when_somebody_asks_and_only_then(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    ann = f"ann-{uuid4()}@example.com"
    deployment.mail.refuses[ann] = "550 no such user"
    session = await Site(deployment).report(ann)
    [failed] = await until(await outbox(http, session, "failed"))
    assert (failed["errorCode"], failed["attempts"]) == ("SMTP_550", 1)
    path = f"/v1/outbox/{failed['id']}"
    assert await post(http, f"{path}/cancel") == (409, ANY)
    del deployment.mail.refuses[ann]
    assert (await post(http, f"{path}/resend"))[0] == 202
    [sent] = await until(await outbox(http, session, "sent"))
    assert (sent["messageId"], sent["uncertain"]) == (failed["messageId"], False)
    assert len(deployment.mail.of(ann)) == 1
    status, refusal = await post(http, f"{path}/resend")
    assert (status, refusal["code"]) == (409, "DELIVERY_SENT")
    assert (await post(http, f"/v1/outbox/{uuid4()}/resend"))[0] == 404


async def test_a_deleted_session_leaves_only_to_whom_mail_was_sent(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    ann, bob = f"ann-{uuid4()}@example.com", f"bob-{uuid4()}@example.com"
    deployment.mail.refuses[bob] = "550 no such user"
    session = await Site(deployment).report(ann, bob)
    before = await until(await outbox(http, session, "sent", "failed"))
    await Site(deployment).delete(session)
    [left] = await until(await outbox(http, session, "deleted"))
    assert (left["recipient"], left["subject"], left["attempts"]) == (ann, None, 1)
    assert left["receipt"].startswith("250")

    async def forgotten() -> bool:
        return not (await get(http, f"/v1/notifications?sessionId={session}"))["items"]

    await until(forgotten)
    for each in before:
        async with http.get(f"/v1/outbox/{each['id']}/raw") as answer:
            assert answer.status == 404

    async def erased() -> Any:
        async with http.get(f"/v1/sessions/{session}/deletion") as answer:
            return await answer.json() if answer.status == 200 else None

    assert (await until(erased))["left"] == 0


async def test_a_webhook_is_tried_out_changed_and_gets_a_new_secret(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    async with receiver() as (url, calls):
        wish, key = {"url": url, "kinds": ["error"], "jobIds": [str(uuid4())]}, uuid4().hex
        made = [
            await http.post("/v1/webhooks", json=wish, headers={"Idempotency-Key": key}) for _ in range(2)
        ]
        hook, same = [await each.json() for each in made]
        assert [each.status for each in made] == [201, 201]
        assert same == hook
        path = f"/v1/webhooks/{hook['id']}"
        assert "secret" not in await get(http, path)
        again = {"Idempotency-Key": uuid4().hex}
        rotations = [await http.post(f"{path}/rotate", headers=again) for _ in range(2)]
        rotated, repeated = [await each.json() for each in rotations]
        assert rotated["secret"] != hook["secret"]
        assert repeated == rotated
        _, test = await post(http, f"{path}/test")
        headers, body = await asyncio.wait_for(calls.get(), 60)
        assert verified(rotated["secret"], body, headers[HEADER], now=int(headers[HEADER][2:12]))
        assert headers["Headwater-Delivery"] == test["deliveryId"]

        async def sent() -> Any:
            shown = await get(http, f"/v1/outbox/{test['deliveryId']}")
            return shown if shown["status"] == "sent" else None

        assert (await until(sent))["receipt"] == "200 OK"
        async with http.patch(path, json={"active": False}) as answer:
            after = {"Headwater-After": answer.headers["Headwater-Position"]}
        assert not (await get(http, path, **after))["active"]
        _, test = await post(http, f"{path}/test")

        async def failed() -> Any:
            shown = await get(http, f"/v1/outbox/{test['deliveryId']}")
            return shown if shown["status"] == "failed" else None

        assert (await until(failed))["errorCode"] == "WEBHOOK_GONE"
        async with http.delete(path) as answer:
            after = {"Headwater-After": answer.headers["Headwater-Position"]}
        async with http.get(path, headers=after) as answer:
            assert answer.status == 404
    log = deployment.serve.log.read_text() + deployment.work.log.read_text()
    assert hook["secret"] not in log


async def test_the_read_model_is_the_same_when_it_is_made_anew(deployment: Deployment) -> None:
    compared = await deployment.cli("rebuild", "notifications", "--dry-run")
    assert compared.status == 0, compared
    assert "DIFFERS" not in compared.out
