"""Pages of other origins."""

from collections.abc import AsyncIterator

import pytest

from tests.http.site import Site, serving

FRIEND, STRANGER = "https://app.example.com", "https://evil.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}


@pytest.fixture(scope="module")
async def open_site() -> AsyncIterator[Site]:
    async with serving(origins=frozenset({FRIEND})) as site:
        yield site


async def test_a_preflight_of_a_known_origin_is_answered(open_site: Site):
    async with open_site.client.options("/v1/notes", headers={"Origin": FRIEND, **PREFLIGHT}) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        for name in ("X-Api-Key", "Idempotency-Key", "Headwater-After", "Authorization", "Content-Type"):
            assert name in response.headers["Access-Control-Allow-Headers"]


async def test_a_preflight_of_a_stranger_is_not(open_site: Site):
    async with open_site.client.options("/v1/notes", headers={"Origin": STRANGER, **PREFLIGHT}) as response:
        assert (response.status, response.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("path", ["/health", "/v1/notes", "/v1/nothing", "/v1/fail/bug"])
async def test_answers_and_errors_can_be_read_by_a_known_origin_only(open_site: Site, path: str):
    async with open_site.client.get(path, headers={"Origin": FRIEND}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == FRIEND
        assert response.headers["Vary"] == "Origin"
        for name in (
            "Headwater-Position",
            "ETag",
            "Content-Range",
            "X-Request-Id",
            "Retry-After",
            "RateLimit-Remaining",
        ):
            assert name in response.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in response.headers
    for origin in ({"Origin": STRANGER}, {"Origin": "null"}, {}):
        async with open_site.client.get(path, headers=origin) as response:
            assert "Access-Control-Allow-Origin" not in response.headers
            assert response.headers["Vary"] == "Origin"


async def test_without_origins_nothing_is_allowed(site: Site):
    async with site.client.get("/health", headers={"Origin": FRIEND}) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Vary" not in response.headers


async def test_a_star_allows_every_origin():
    async with serving(origins=frozenset({"*"})) as site:
        async with site.client.options("/v1/notes", headers={"Origin": STRANGER, **PREFLIGHT}) as response:
            assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, "*")
        async with site.client.get("/health", headers={"Origin": STRANGER}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Vary" not in response.headers
