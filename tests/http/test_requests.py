"""What endpoints are given: queries, bodies, ids, headers; and what their replies become."""

import asyncio

import msgspec
import pytest

from app.http import routing
from app.http.endpoints import Call, Endpoint, Reply
from app.http.positions import Position
from handlers.refusals import Unavailable
from tests.http.site import Note, Site, serving
from tests.http.test_problems import problem

NOTE = "/v1/notes/01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"maxItems": 20, "tag": [], "since": None, "minScore": None}),
        ("maxItems=5&tag=a&tag=b", {"maxItems": 5, "tag": ["a", "b"], "since": None, "minScore": None}),
        ("tag=a%26b&minScore=0.5", {"maxItems": 20, "tag": ["a&b"], "since": None, "minScore": 0.5}),
    ],
)
async def test_a_query_string_becomes_a_struct(site: Site, query: str, expected: object):
    async with site.client.get(f"/v1/notes?{query}", headers=site.auth) as response:
        assert (response.status, await response.json()) == (200, expected)


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("maxItems=many", "INVALID_PARAMETER", "maxItems"),
        ("maxItems=0", "INVALID_PARAMETER", "maxItems"),
        ("maxItems=1&maxItems=2", "INVALID_PARAMETER", "maxItems"),
        ("minScore=nan", "INVALID_PARAMETER", "minScore"),
        ("minScore=-inf", "INVALID_PARAMETER", "minScore"),
        ("since=yesterday", "INVALID_PARAMETER", "since"),
        ("tag=%00", "INVALID_PARAMETER", "tag"),
        ("maxitems=1", "UNKNOWN_PARAMETER", "maxitems"),
        ("access_token=abc", "UNKNOWN_PARAMETER", "access_token"),
    ],
)
async def test_a_bad_query_is_refused_by_the_name_of_its_parameter(
    site: Site, query: str, code: str, field: str
):
    async with site.client.get(f"/v1/notes?{query}", headers=site.auth) as response:
        assert (await problem(response, 400, code))["field"] == field


async def test_an_endpoint_without_parameters_takes_none(site: Site):
    async with site.client.get(f"{NOTE}?x=1", headers=site.auth) as response:
        await problem(response, 400, "UNKNOWN_PARAMETER")


async def test_a_json_body_becomes_a_struct_and_a_reply_becomes_json(site: Site):
    async with site.client.post(
        "/v1/notes", headers=site.auth, json={"title": "Milk", "unknown": 1}
    ) as response:
        assert response.status == 201
        assert response.headers["Headwater-Position"] == "NOTES@7"
        assert await response.json() == {"noteId": "00000000-0000-0000-0000-000000000001", "title": "Milk"}


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (b"", 422, "INVALID_BODY", "title"),
        (b"{}", 422, "INVALID_BODY", "title"),
        (b"[]", 422, "INVALID_BODY", None),
        (b'{"title": ""}', 422, "INVALID_BODY", "title"),
        (b'{"title": "x", "links": ["1"]}', 422, "INVALID_BODY", "links[0]"),
        (b'{"title": "x"', 400, "MALFORMED_JSON", None),
        (b'{"title": "x"} {}', 400, "MALFORMED_JSON", None),
        (b'{"title": "\xff"}', 400, "MALFORMED_JSON", None),
        (b'{"title": "\\ud800"}', 400, "MALFORMED_JSON", None),
        (b'{"title": "a\\u0000b"}', 400, "MALFORMED_JSON", None),
        (b"[" * 200_000, 422, "INVALID_BODY", None),
        (b'{"deep":' + b"[" * 200_000, 400, "MALFORMED_JSON", None),
        (b'{"title": "' + b"x" * (1 << 20) + b'"}', 413, "BODY_TOO_LARGE", None),
    ],
)
async def test_a_bad_body_is_refused(site: Site, body: bytes, status: int, code: str, field: str | None):
    headers = {**site.auth, "Content-Type": "application/json"}
    async with site.client.post("/v1/notes", headers=headers, data=body) as response:
        assert (await problem(response, status, code)).get("field") == field


async def test_a_backslash_before_u0000_is_only_text(site: Site):
    headers = {**site.auth, "Content-Type": "application/json"}
    async with site.client.post("/v1/notes", headers=headers, data=b'{"title": "a\\\\u0000"}') as response:
        assert (await response.json())["title"] == "a\\u0000"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, 415, "JSON_EXPECTED"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "JSON_EXPECTED"),
        ({"Content-Type": "application/json; charset=latin-1"}, 400, "UTF8_EXPECTED"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415, "COMPRESSED_BODY"),
        ({"Content-Type": "application/json; charset=UTF-8"}, 201, None),
        ({"Content-Type": "application/merge-patch+json"}, 201, None),
    ],
)
async def test_only_json_in_utf8_is_read(site: Site, headers: dict[str, str], status: int, code: str | None):
    async with site.client.post(
        "/v1/notes", headers={**site.auth, **headers}, data=b'{"title": "x"}'
    ) as response:
        assert response.status == status
        if code:
            await problem(response, status, code)


@pytest.mark.parametrize(
    "bad", ["1", "01890a5dac96774bbcceb302099a8057", "%00", "é", "01890a5d-ac96-774b-bcce-b302099a805g"]
)
async def test_an_id_in_the_path_must_be_a_uuid(site: Site, bad: str):
    async with site.client.get(f"/v1/notes/{bad}", headers=site.auth) as response:
        assert (await problem(response, 400, "INVALID_ID"))["field"] == "noteId"


async def test_no_name_in_the_path_holds_what_no_database_keeps(site: Site):
    async with site.client.get("/v1/fail/a%00b", headers=site.auth) as response:
        assert (await problem(response, 400, "INVALID_PATH"))["field"] == "how"


async def test_ids_are_answered_in_lower_case(site: Site):
    async with site.client.get(f"/v1/notes/{NOTE[10:].upper()}", headers=site.auth) as response:
        assert (await response.json())["noteId"] == NOTE[10:]


async def test_a_client_that_has_the_version_gets_no_body(site: Site):
    async with site.client.get(NOTE, headers=site.auth) as response:
        assert response.headers["ETag"] == '"v1"'
        assert response.headers["Cache-Control"] == "private, no-cache"
    for known in ('"v1"', '"v0", W/"v1"', "*"):
        async with site.client.get(NOTE, headers={**site.auth, "If-None-Match": known}) as response:
            assert (response.status, response.headers["ETag"], await response.read()) == (304, '"v1"', b"")
    async with site.client.get(NOTE, headers={**site.auth, "If-None-Match": '"v0"'}) as response:
        assert response.status == 200


async def test_head_answers_like_get_without_a_body(site: Site):
    async with site.client.head(NOTE, headers=site.auth) as response:
        assert (response.status, response.headers["ETag"], await response.read()) == (200, '"v1"', b"")
        assert int(response.headers["Content-Length"]) > 0


async def test_a_reply_without_a_body_has_none(site: Site):
    async with site.client.delete(NOTE, headers=site.auth) as response:
        assert (response.status, await response.read()) == (204, b"")


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
async def test_a_malformed_idempotency_key_is_refused(site: Site, key: str):
    headers = {**site.auth, "Idempotency-Key": key}
    async with site.client.post("/v1/notes", headers=headers, json={"title": "x"}) as response:
        await problem(response, 400, "INVALID_IDEMPOTENCY_KEY")


async def test_a_call_carries_the_keys_and_waits_for_the_position():
    waited: list[Position] = []

    async def catch_up(position: Position) -> None:
        waited.append(position)
        if position.sequence > 100:
            raise Unavailable("NOT_YET", "The model is not there yet.", retry_after=2)

    async def echo(call: Call[None, Note]) -> Reply:
        return Reply(body={"key": call.idempotency_key, "after": str(call.after), "who": call.principal.name})

    endpoint = Endpoint(
        method="POST",
        path="/v1/echo",
        handle=echo,
        body=Note,
        scope="notes:read",
        summary="Echo",
        tag="Tests",
    )
    async with serving([endpoint], desk={"catch_up": catch_up, "streams": ["NOTES"]}) as site:
        headers = {**site.auth, "Idempotency-Key": "k-1", "Headwater-After": "NOTES@12"}
        async with site.client.post("/v1/echo", headers=headers, json={"title": "x"}) as response:
            assert await response.json() == {"key": "k-1", "after": "NOTES@12", "who": "owner"}
        headers["Headwater-After"] = "NOTES@101"
        async with site.client.post("/v1/echo", headers=headers, json={"title": "x"}) as response:
            await problem(response, 503, "NOT_YET")
            assert response.headers["Retry-After"] == "2"
        headers["Headwater-After"] = "NOISE@1"
        async with site.client.post("/v1/echo", headers=headers, json={"title": "x"}) as response:
            await problem(response, 400, "INVALID_POSITION")
    assert waited == [Position("NOTES", 12), Position("NOTES", 101)]


@pytest.mark.parametrize(
    "position", ["", "12", "NOTES", "NOTES@", "NOTES@x", "notes@1", "NOTES@1@2", "NOTES@" + "9" * 19]
)
async def test_a_malformed_position_is_refused(site: Site, position: str):
    async with site.client.get("/v1/notes", headers={**site.auth, "Headwater-After": position}) as response:
        await problem(response, 400, "INVALID_POSITION")


async def test_a_sane_request_id_is_kept_and_another_is_replaced(site: Site):
    async with site.client.get("/health", headers={"X-Request-Id": "trace/1:a"}) as response:
        assert response.headers["X-Request-Id"] == "trace/1:a"
    for strange in ("", "a b", "x" * 129, 'q"uote'):
        async with site.client.get("/health", headers={"X-Request-Id": strange}) as response:
            assert response.headers["X-Request-Id"] not in ("", strange)


async def test_answers_tell_browsers_what_not_to_do(site: Site):
    for path in ("/health", "/v1/nothing", "/v1/fail/bug"):
        async with site.client.get(path) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Server"] == "headwater"


async def test_every_exchange_is_observed_and_logged_without_its_query(caplog: pytest.LogCaptureFixture):
    seen = []
    caplog.set_level("INFO", logger="app.http.tracking")
    async with serving(observe=seen.append) as site:
        async with site.client.get("/api/notes?tag=private", headers=site.auth):
            pass
        async with site.client.get("/nothing"):
            pass
        async with site.client.get("/v1/fail/me@example.com", headers=site.auth):
            pass
    assert [(each.method, each.route, each.status) for each in seen] == [
        ("GET", "/v1/notes", 200),
        ("GET", "", 404),
        ("GET", "/v1/fail/{how}", 500),
    ]
    served = [each for each in caplog.records if each.message == "request served"]
    assert served[0].__dict__["path"] == "/api/notes"
    assert served[0].__dict__["principal"].startswith("key:")
    assert served[2].__dict__["path"] == "/v1/fail/{how}"
    assert "private" not in str([each.__dict__ for each in served])
    assert msgspec.json.encode(served[0].__dict__["request_id"])


async def test_a_settled_command_waits_until_it_can_be_read_though_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(routing, "SETTLING", 0.05)
    waited: list[Position] = []

    async def catch_up(position: Position) -> None:
        waited.append(position)
        if position.sequence == 2:
            raise Unavailable("NOT_YET", "The model is not there yet.")
        if position.sequence == 3:
            await asyncio.Event().wait()

    positions = iter(["NOTES@1", "NOTES@2", "NOTES@3", None])

    async def command(call: Call[None, None]) -> Reply:
        return Reply(position=next(positions))

    endpoint = Endpoint(
        method="POST", path="/v1/do", handle=command, summary="Do", tag="Tests", scope="notes:write",
        status=204,
    )  # fmt: skip
    async with serving([endpoint], desk={"catch_up": catch_up, "streams": ["NOTES"]}) as site:
        for _ in range(4):
            async with site.client.post("/v1/do", headers=site.auth) as response:
                assert response.status == 204
    assert [each.sequence for each in waited] == [1, 2, 3]
