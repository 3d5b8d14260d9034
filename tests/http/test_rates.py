"""Rate limits: the law of the bucket, and how it shows."""

from itertools import pairwise

import pytest
from aiohttp import WSServerHandshakeError
from hypothesis import given
from hypothesis import strategies as st

from app.http.rates import RateLimiter, network_of
from tests.http.site import Site, issue, serving
from tests.http.test_problems import problem

EPSILON = 1e-6


def limited(rps: int, burst: int, capacity: int = 100) -> tuple[RateLimiter, list[float]]:
    clock = [1000.0]
    return RateLimiter(rps=rps, burst=burst, clock=lambda: clock[0], capacity=capacity), clock


@given(
    rps=st.integers(1, 50),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 2, allow_nan=False), min_size=1, max_size=120),
)
def test_no_stretch_of_time_grants_more_than_the_burst_and_its_share(
    rps: int, burst: int, pauses: list[float]
):
    limiter, clock = limited(rps, burst)
    granted: list[float] = []
    for pause in pauses:
        clock[0] += pause
        if limiter.take("address", "a").granted:
            granted.append(clock[0])
    refill = max(1, round(1000 * burst / rps)) / 1000 / burst
    for n, first in enumerate(granted):
        for m, last in enumerate(granted[n:]):
            assert m + 1 <= burst + (last - first) / refill + EPSILON


@given(rps=st.integers(1, 50), burst=st.integers(1, 20), pauses=st.lists(st.floats(0, 1), max_size=60))
def test_who_waits_as_long_as_told_is_granted_the_next(rps: int, burst: int, pauses: list[float]):
    limiter, clock = limited(rps, burst)
    for pause in pauses:
        clock[0] += pause
        allowance = limiter.take("address", "a")
        assert 0 <= allowance.remaining <= burst == allowance.limit
        if not allowance.granted:
            clock[0] += max(1, allowance.retry_after)
            assert limiter.take("address", "a").granted


def test_a_steady_caller_is_never_refused():
    limiter, clock = limited(rps=10, burst=1)
    for _ in range(100):
        assert limiter.take("key", "a").granted
        clock[0] += 0.1


def test_the_burst_is_granted_at_once_and_comes_back():
    limiter, clock = limited(rps=50, burst=100)
    taken = [limiter.take("key", "a") for _ in range(101)]
    assert [each.granted for each in taken] == [True] * 100 + [False]
    assert [each.remaining for each in taken[:3]] == [99, 98, 97]
    assert (taken[-1].retry_after, taken[-1].reset) == (1, 2)
    clock[0] += 1
    assert sum(limiter.take("key", "a").granted for _ in range(100)) == 50


def test_callers_do_not_share_and_kinds_do_not_mix():
    limiter, _ = limited(rps=1, burst=1)
    assert all(limiter.take(kind, who).granted for kind in ("key", "address") for who in ("a", "b"))
    assert not limiter.take("key", "a").granted


def test_memory_is_bounded_under_many_addresses():
    limiter, _ = limited(rps=1, burst=1, capacity=100)
    for n in range(10_000):
        assert limiter.take("address", str(n)).granted
    assert limiter.callers == 100
    assert not limiter.take("address", "9999").granted


def test_an_ipv6_household_counts_as_one():
    assert (
        network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2:ffff::1") != network_of("2001:db8:1:3::4")
    )
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("") == ""


async def test_past_the_limit_the_answer_is_429_and_says_when_to_come_back():
    async with serving(desk={"limiter": RateLimiter(rps=1, burst=3)}) as site:
        remaining = []
        for _ in range(3):
            async with site.client.get("/v1/notes", headers=site.auth) as response:
                assert (response.status, response.headers["RateLimit-Limit"]) == (200, "3")
                remaining.append(int(response.headers["RateLimit-Remaining"]))
        assert all(one > other for one, other in pairwise(remaining))
        async with site.client.get("/v1/notes", headers=site.auth) as response:
            await problem(response, 429, "RATE_LIMITED")
            assert response.headers["Retry-After"] == "1"
            assert response.headers["RateLimit-Remaining"] == "0"
            assert response.headers["RateLimit-Reset"] == "3"
        async with site.client.get("/health") as response:
            assert response.status == 200
            assert "RateLimit-Limit" not in response.headers


async def test_unknown_paths_and_wrong_keys_count_too():
    async with serving(desk={"limiter": RateLimiter(rps=1, burst=2)}) as site:
        async with site.client.get("/nothing") as response:
            assert response.status == 404
        async with site.client.get("/v1/notes", headers={"X-Api-Key": "hw_guess"}) as response:
            assert response.status == 401
        async with site.client.get("/v1/notes", headers={"X-Api-Key": "hw_another_guess"}) as response:
            assert response.status == 429
        with pytest.raises(WSServerHandshakeError, match="429"):
            await site.client.ws_connect("/ws/chat", headers=site.auth)


async def test_a_key_is_limited_wherever_it_is_used_from(monkeypatch: pytest.MonkeyPatch):
    addresses = iter(f"10.0.0.{n}" for n in range(10))
    monkeypatch.setattr("app.http.rates.network_of", lambda _: next(addresses))
    async with serving(desk={"limiter": RateLimiter(rps=1, burst=2)}) as site:
        other = issue(site.ring, "*").secret
        statuses = []
        for key in (site.key, site.key, site.key, other):
            async with site.client.get("/v1/notes", headers={"X-Api-Key": key}) as response:
                statuses.append(response.status)
        assert statuses == [200, 200, 429, 200]


async def test_a_socket_counts_once_however_much_is_said():
    async with serving(desk={"limiter": RateLimiter(rps=1, burst=2)}) as site:
        async with site.client.ws_connect("/ws/chat", headers=site.auth) as ws:
            for _ in range(20):
                await ws.send_str("x")
                await ws.receive_str()
        async with site.client.get("/v1/notes", headers=site.auth) as response:
            assert response.status == 200


async def test_where_nothing_is_limited_nothing_is_said_of_it(site: Site):
    async with site.client.get("/v1/notes", headers=site.auth) as response:
        assert "RateLimit-Limit" not in response.headers
