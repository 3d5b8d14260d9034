"""Whatever is sent, the answer is never that something went wrong on our side."""

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from app.http.problems import Problem
from tests.http.site import Site

MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PATHS = (
    "/v1/notes",
    "/api/v1/notes",
    "/v1/files",
    "/v1/notes/01890a5d-ac96-774b-bcce-b302099a8057",
    "/health",
    "/v1/ws/chat",
)
HEADERS = (
    *(
        "Content-Type",
        "Content-Encoding",
        "Accept",
        "Authorization",
        "X-Api-Key",
        "Idempotency-Key",
        "Expect",
        "Upgrade",
    ),
    *(
        "Headwater-After",
        "If-None-Match",
        "X-Request-Id",
        "Origin",
        "Access-Control-Request-Method",
        "Cookie",
        "Range",
    ),
)
VALUES = st.one_of(
    st.binary(max_size=40).map(lambda raw: bytes(each for each in raw if each not in b"\r\n\0")),
    st.sampled_from(
        [
            b"application/json",
            b"multipart/form-data; boundary=b",
            b"multipart/form-data; boundary*=utf-8''%ff",
            b"*",
            b'"v1"',
            b"websocket",
            b"NOTES@1",
            b"gzip",
            b"Bearer x",
            b"100-continue",
        ]
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["title", "bodyText", "links", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)
FORM = (
    b"--b",
    b"--b--",
    b"\r\n",
    b'Content-Disposition: form-data; name="file"',
    b'; filename="x"',
    b"title",
    b"\xff",
    b":",
)
BODIES = st.one_of(
    st.binary(max_size=300), JSON.map(msgspec.json.encode), st.lists(st.sampled_from(FORM)).map(b"".join)
)


def acceptable(answer: bytes) -> None:
    """The first answer is HTTP below 500, and a problem document where it is an error."""
    head, _, body = answer.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    assert status < 500, answer
    assert b"Traceback" not in answer
    if status >= 400 and not head.startswith(b"HTTP/1.1 426"):
        length = int(
            dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"content-length"]
        )
        if body:
            assert msgspec.json.decode(body[:length], type=Problem).status == status


@MANY
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]),
    st.sampled_from(PATHS),
    st.dictionaries(st.sampled_from(HEADERS), VALUES, max_size=5),
    BODIES,
)
async def test_any_headers_and_any_body(
    site: Site, method: str, path: str, headers: dict[str, bytes], body: bytes
):
    lines = [
        f"{method} {path} HTTP/1.1".encode(),
        b"Host: x",
        b"Connection: close",
        b"Content-Length: %d" % len(body),
    ]
    if "X-Api-Key" not in headers and "Authorization" not in headers:
        lines.append(f"X-Api-Key: {site.key}".encode())
    lines += [name.encode() + b": " + value for name, value in headers.items()]
    acceptable(await site.raw(b"\r\n".join(lines) + b"\r\n\r\n" + body))


@MANY
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["maxItems", "tag", "since", "minScore"]) | st.text(max_size=5),
            st.text(max_size=20),
        ),
        max_size=4,
    )
)
async def test_any_query(site: Site, pairs: list[tuple[str, str]]):
    encodable = [pair for pair in pairs if "".join(pair).encode("utf-8", "ignore").decode() == "".join(pair)]
    url = URL(f"{site.url}/v1/notes").with_query(encodable)
    async with site.client.get(url, headers=site.auth) as response:
        assert response.status < 500


@MANY
@given(st.binary(max_size=60))
async def test_any_target(site: Site, target: bytes):
    cleaned = bytes(each for each in target if each > 32)
    acceptable(await site.raw(b"GET /" + cleaned + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))


@MANY
@given(st.binary(min_size=1, max_size=200))
async def test_any_bytes(site: Site, junk: bytes):
    answer = await site.raw(junk + b"\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    if answer:
        acceptable(answer)
