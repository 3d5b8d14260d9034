"""Whatever goes wrong arrives as a problem document."""

import asyncio
import logging
from typing import Any

import pytest
from aiohttp import ClientError, ClientResponse

from app.http.bodies import Patience
from app.http.endpoints import Call, Endpoint, Reply
from app.http.failures import Outage
from app.http.problems import MEDIA_TYPE, status_of
from app.http.server import Timeouts
from app.http.tracking import Exchange
from handlers.refusals import Conflict
from tests.http.site import Site, serving


async def problem(response: ClientResponse, status: int, code: str) -> dict[str, Any]:
    """The problem document of a response, after checking all that every problem has."""
    assert (response.status, response.content_type) == (status, MEDIA_TYPE)
    document: dict[str, Any] = await response.json(content_type=MEDIA_TYPE)
    assert document["code"] == code
    assert document["status"] == status
    assert document["error"] == document["detail"] != ""
    assert document["type"] == f"urn:headwater:problem:{code.lower().replace('_', '-')}"
    assert document["title"]
    assert document["instance"] == response.url.raw_path
    assert document["requestId"] == response.headers["X-Request-Id"]
    assert set(document) <= {
        *("type", "title", "status", "detail", "instance", "code", "error", "requestId", "field"),
    }
    return document


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("missing", 404, "NOTE_NOT_FOUND"),
        ("conflict", 409, "NOTE_DELETED"),
        ("invalid", 422, "TITLE_TAKEN"),
        ("away", 503, "LOG_UNAVAILABLE"),
        ("refused", 503, "UNAVAILABLE"),
        ("late", 503, "UNAVAILABLE"),
        ("gone", 410, "GONE"),
        ("range", 416, "RANGE_NOT_SATISFIABLE"),
        ("bug", 500, "INTERNAL"),
        ("stored", 500, "INTERNAL"),
    ],
)
async def test_every_failure_is_a_problem_document(site: Site, how: str, status: int, code: str):
    async with site.client.get(f"/v1/fail/{how}") as response:
        document = await problem(response, status, code)
    assert "hunter2" not in str(document)
    assert "secret" not in str(document)


async def test_a_refusal_can_name_the_field_at_fault(site: Site):
    async with site.client.get("/v1/fail/invalid") as response:
        assert (await problem(response, 422, "TITLE_TAKEN"))["field"] == "title"


async def test_an_outage_says_when_to_come_back(site: Site):
    async with site.client.get("/v1/fail/away") as response:
        assert response.headers["Retry-After"] == "3"
    async with site.client.get("/v1/fail/refused") as response:
        assert response.headers["Retry-After"] == "1"


async def test_headers_that_belong_to_an_error_stay_with_it(site: Site):
    async with site.client.get("/v1/fail/range") as response:
        assert response.headers["Content-Range"] == "bytes */9"


async def test_a_bug_is_logged_with_its_traceback_and_request_id(
    site: Site, caplog: pytest.LogCaptureFixture
):
    async with site.client.get("/v1/fail/bug", headers={"X-Request-Id": "abc-1"}) as response:
        assert response.headers["X-Request-Id"] == "abc-1"
    failed = next(each for each in caplog.records if each.message == "request failed")
    assert failed.exc_info is not None
    assert isinstance(failed.exc_info[1], KeyError)


async def test_an_unknown_path_is_not_found(site: Site):
    async with site.client.get("/v1/nothing/here") as response:
        await problem(response, 404, "NOT_FOUND")


async def test_a_wrong_method_is_told_the_right_ones(site: Site):
    async with site.client.put("/v1/notes") as response:
        await problem(response, 405, "METHOD_NOT_ALLOWED")
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


async def test_outages_that_are_known_have_their_own_code():
    class Down(Exception):
        pass

    async with serving(
        outages=[Outage((ConnectionRefusedError, Down), "DATABASE_UNAVAILABLE", "Postgres is away.")]
    ) as site:
        async with site.client.get("/v1/fail/refused") as response:
            await problem(response, 503, "DATABASE_UNAVAILABLE")
        async with site.client.get("/v1/fail/late") as response:
            await problem(response, 503, "UNAVAILABLE")


def test_a_subclass_of_a_refusal_has_the_same_status():
    class Stale(Conflict):
        """A special kind of conflict."""

    assert status_of(Stale) == status_of(Conflict) == 409


@pytest.mark.parametrize("when", ["early", "late"])
async def test_an_answer_that_fails_midway_is_broken_off_and_never_mixed_with_a_problem(
    site: Site, when: str
):
    sent = await site.raw(f"GET /v1/broken/{when} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b"problem" not in sent
    assert not sent.endswith(b"0\r\n\r\n")
    with pytest.raises(ClientError):
        async with site.client.get(f"/v1/broken/{when}") as response:
            await response.read()


@pytest.mark.parametrize(
    "junk",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_gets_a_problem_too(site: Site, junk: bytes, caplog: pytest.LogCaptureFixture):
    answer = await site.raw(junk)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 400 " in head
    assert b"application/problem+json" in head
    assert b"aiohttp" not in answer
    assert b'"code":"MALFORMED_REQUEST"' in body
    assert not any(each.exc_info for each in caplog.records)


@pytest.mark.parametrize("line", [b"GET /%s HTTP/1.1\r\nHost: x", b"GET / HTTP/1.1\r\nHost: x\r\nX: %s"])
async def test_a_head_that_is_too_long_is_told_so(site: Site, line: bytes):
    answer = await site.raw(line % (b"a" * 10_000) + b"\r\n\r\n")
    assert b" 431 " in answer
    assert b'"code":"HEAD_TOO_LARGE"' in answer


@pytest.mark.parametrize("path", ["/health", "/nothing"])
async def test_an_unknown_expectation_is_refused(site: Site, path: str):
    for wish in (b"miracles", b"\x80"):
        answer = await site.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nExpect: ".encode() + wish + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 417")
        assert b'"code":"EXPECTATION_FAILED"' in answer


async def test_a_badly_framed_body_is_given_up():
    async with serving(patience=Patience(idle_seconds=0.1), timeouts=Timeouts(lingering=0.1)) as site:
        head = f"POST /v1/notes HTTP/1.1\r\nHost: x\r\nX-Api-Key: {site.key}\r\nContent-Type: application/json\r\n"
        answer = await site.raw(
            f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), b"zz\r\n{}\r\n", pause=0.05
        )
        assert answer.startswith(b"HTTP/1.1 4")
        assert b"application/problem+json" in answer


async def test_a_client_that_hangs_up_is_no_error(caplog: pytest.LogCaptureFixture):
    reading = asyncio.Event()
    seen: asyncio.Queue[Exchange] = asyncio.Queue()

    async def read(call: Call[None, None]) -> Reply:
        async for _ in call.chunks(limit=1000):
            reading.set()
        return Reply()

    endpoint = Endpoint(method="POST", path="/v1/raw", handle=read, scope=None, summary="Read", tag="Tests")
    async with serving([endpoint], observe=seen.put_nowait) as site:
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"POST /v1/raw HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nsome of it")
        await asyncio.wait_for(reading.wait(), 60)
        writer.transport.abort()
        assert (await asyncio.wait_for(seen.get(), 60)).status == 499
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


async def test_a_bug_is_logged_even_when_nobody_waits_for_the_answer(caplog: pytest.LogCaptureFixture):
    seen: asyncio.Queue[Exchange] = asyncio.Queue()

    async def stumble(call: Call[None, None]) -> Reply:
        try:
            async for _ in call.chunks(limit=1000):
                pass
        except ConnectionError:
            raise ValueError("in the clean-up") from None
        return Reply()

    endpoint = Endpoint(
        method="POST", path="/v1/raw", handle=stumble, scope=None, summary="Read", tag="Tests"
    )
    async with serving([endpoint], observe=seen.put_nowait) as site:
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"POST /v1/raw HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nsome of it")
        writer.write_eof()
        assert (await asyncio.wait_for(seen.get(), 60)).status == 499
    assert [each.message for each in caplog.records if each.levelno >= logging.ERROR] == ["request failed"]
