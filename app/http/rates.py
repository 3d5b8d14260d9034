"""Rate limits: so many requests a second with a burst, per address and per key, in bounded memory."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from limits.limits import Granularity, RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.http.problems import RateLimited

CAPACITY = 50_000
"""Callers remembered at most, about 10 MB; past that the one seen longest ago starts afresh."""


class PerMillisecond(RateLimitItem):
    """An amount in a number of milliseconds, so that any rate and burst make a whole window."""

    GRANULARITY = Granularity(1, "millisecond")


class Buckets(MemoryStorage):
    """Token buckets (GCRA): one number a caller, the millisecond at which its bucket is full again.

    The library's own memory storage keeps a list of hits a caller, walks all callers in a new thread
    after a hit, and forgets nobody.
    """

    def __init__(self, clock: Callable[[], float], capacity: int) -> None:
        super().__init__()
        self._clock = clock
        self._capacity = capacity
        self._full_at: OrderedDict[str, float] = OrderedDict()

    @property
    def callers(self) -> int:
        """How many have a bucket."""
        return len(self._full_at)

    def now(self) -> float:
        """Milliseconds."""
        return self._clock() * 1000

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = self.now()
        full_at = max(self._full_at.get(key, now), now) + amount * expiry / limit
        if full_at - now > expiry * (1 + 1e-9):
            return False
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._capacity:
            self._full_at.popitem(last=False)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = self.now()
        full_at = max(self._full_at.get(key, now), now)
        return full_at - expiry, math.ceil((full_at - now) * limit / expiry - 1e-6)


@dataclass(frozen=True)
class Allowance:
    """What is left to a caller after a request."""

    granted: bool
    limit: int
    remaining: int
    reset: int
    """Seconds until the full burst is there again."""
    retry_after: int
    """Seconds until one more request is granted; 0 when one would be now."""


ALLOWANCE = web.RequestKey("allowance", Allowance)


class RateLimiter:
    """`rps` requests a second to each caller, saved up to `burst`."""

    def __init__(
        self, *, rps: int, burst: int, clock: Callable[[], float] = time.monotonic, capacity: int = CAPACITY
    ) -> None:
        self._limit = PerMillisecond(burst, max(1, round(1000 * burst / rps)))
        self._buckets = Buckets(clock, capacity)
        self._limiter = MovingWindowRateLimiter(self._buckets)

    @property
    def callers(self) -> int:
        """How many are remembered."""
        return self._buckets.callers

    def take(self, kind: str, caller: str) -> Allowance:
        """Counts one request of `caller`, an address or a key according to `kind`."""
        granted = self._limiter.hit(self._limit, kind, caller)
        full_at, remaining = self._limiter.get_window_stats(self._limit, kind, caller)
        until_full = full_at - self._buckets.now()
        refill = self._limit.multiples / self._limit.amount
        until_one = until_full + refill - self._limit.multiples
        return Allowance(
            granted=granted,
            limit=self._limit.amount,
            remaining=remaining,
            reset=max(0, math.ceil(until_full / 1000)),
            retry_after=max(0, math.ceil(until_one / 1000)),
        )

    def charge(self, request: web.Request, kind: str, caller: str) -> None:
        """Counts the request, and refuses it when the caller has none left."""
        allowance = self.take(kind, caller)
        before = request.get(ALLOWANCE)
        if before is None or allowance.remaining <= before.remaining:
            request[ALLOWANCE] = allowance
        if not allowance.granted:
            seconds = max(1, allowance.retry_after)
            raise RateLimited(
                "RATE_LIMITED",
                f"Too many requests from this {kind}. Send the next one in {seconds} s.",
                retry_after=seconds,
            )


def by_address(limiter: RateLimiter, exempt: Collection[str]) -> Middleware:
    """Counts every request, known path or not, against the address it came from; `exempt` are paths."""

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in exempt:
            limiter.charge(request, "address", network_of(request.remote or ""))
        return await handler(request)

    return limit


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Whom an address stands for: itself, or for IPv6 its /64, which one household has to itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(parsed.ipv4_mapped or ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))


async def tell_allowance(request: web.Request, response: web.StreamResponse) -> None:
    """Adds the `RateLimit-*` headers of the tighter of the two limits."""
    if allowance := request.get(ALLOWANCE):
        response.headers["RateLimit-Limit"] = str(allowance.limit)
        response.headers["RateLimit-Remaining"] = str(allowance.remaining)
        response.headers["RateLimit-Reset"] = str(allowance.reset)
