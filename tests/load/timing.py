"""Requests with the time they took, by endpoint, and what went wrong."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import aiohttp

AWAY = (aiohttp.ClientError, TimeoutError, ConnectionError)
PATIENT = aiohttp.ClientTimeout(total=60)


class Timings:
    """Seconds and errors by endpoint. What is done before `counting` is set warms things up."""

    def __init__(self) -> None:
        self.counting = False
        self.taken: dict[str, list[float]] = defaultdict(list)
        self.errors: dict[str, list[str]] = defaultdict(list)

    def took(self, endpoint: str, seconds: float) -> None:
        if self.counting:
            self.taken[endpoint].append(seconds)

    def failed(self, endpoint: str, why: str) -> None:
        self.errors[endpoint].append(why)

    @contextmanager
    def timed(self, endpoint: str) -> Iterator[None]:
        """Time the body; it has failed when it raises, which is noted here and nowhere else."""
        began = time.perf_counter()
        with suppress(*AWAY, Refused):
            try:
                yield
            except (*AWAY, Refused) as failure:
                self.failed(endpoint, f"{type(failure).__name__}: {failure}")
                raise
            self.took(endpoint, time.perf_counter() - began)


class Refused(Exception):
    """An answer that was not what it should be."""


class Caller:
    """A client whose requests are timed from the first byte sent to the last one read."""

    def __init__(self, http: aiohttp.ClientSession, timings: Timings) -> None:
        self.http = http
        self.timings = timings

    async def __call__(self, method: str, route: str, *ids: object, **options: Any) -> Any:
        """The body of a good answer, or None; `{}` in the route are ids, and its query is not part of its name."""
        body: Any = None
        with self.timings.timed(f"{method} {route.partition('?')[0]}"):
            async with self.asked(method, route.format(*ids), **options) as answer:
                body = (
                    await answer.json() if answer.content_type == "application/json" else await answer.read()
                )
        return body

    @asynccontextmanager
    async def asked(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """Raises `Refused` when the answer is an error."""
        async with self.http.request(method, path, timeout=PATIENT, **options) as answer:
            if answer.status >= 400:
                raise Refused(f"{answer.status} {(await answer.text())[:300]}")
            yield answer
