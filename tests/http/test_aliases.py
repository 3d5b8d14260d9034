"""One endpoint, several spellings of its address."""

import pytest
from aiohttp import FormData

from app.http.aliases import spellings
from tests.http.site import Site


@pytest.mark.parametrize("path", ["/v1/notes", "/api/v1/notes", "/api/notes"])
async def test_every_spelling_reaches_the_same_endpoint(site: Site, path: str):
    async with site.client.get(f"{path}?maxItems=3", headers=site.auth) as response:
        assert (response.status, (await response.json())["maxItems"]) == (200, 3)


@pytest.mark.parametrize(
    "path", ["/notes", "/v2/notes", "/api/v1/v1/notes", "/api/api/notes", "/v1/health", "/api/health"]
)
async def test_nothing_else_does(site: Site, path: str):
    async with site.client.get(path, headers=site.auth) as response:
        assert response.status == 404


async def test_uploads_stream_through_a_spelling(site: Site):
    form = FormData()
    form.add_field("file", b"x" * 100_000, filename="a.wav")
    async with site.client.post("/api/files", headers=site.auth, data=form) as response:
        assert (response.status, (await response.json())["bytes"]) == (202, 100_000)


@pytest.mark.parametrize("path", ["/v1/ws/chat", "/ws/chat", "/api/ws/chat", "/api/v1/ws/chat"])
async def test_sockets_open_through_every_spelling(site: Site, path: str):
    async with site.client.ws_connect(path, headers=site.auth) as ws:
        await ws.send_str("hello")
        assert await ws.receive_str() == "owner: hello"


async def test_a_spelling_knows_its_methods(site: Site):
    async with site.client.delete("/api/notes") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")


def test_the_rule():
    assert spellings("/v1/sessions/{id}") == (
        "/v1/sessions/{id}",
        "/api/v1/sessions/{id}",
        "/api/sessions/{id}",
    )
    assert spellings("/v1/ws") == ("/v1/ws", "/api/v1/ws", "/api/ws", "/ws")
    assert spellings("/v1/wsx") == ("/v1/wsx", "/api/v1/wsx", "/api/wsx")
    assert spellings("/health") == ("/health",)
