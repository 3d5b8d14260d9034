"""Requests that are tried again where that may help, and answers as structs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, TypeVar

import aiohttp
import msgspec

from app.client.errors import Refused, Unreachable, refused
from app.client.patience import Patience
from app.http.cursor import Page
from app.http.positions import AFTER, POSITION

T = TypeVar("T")
Body = Callable[[], tuple[Any, Mapping[str, str]]]
"""Makes a body anew for each attempt, with its headers."""

AWAY = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, ConnectionError)
"""The connection broke, or nothing came: nobody knows what became of the request."""
ERRORS = 400


def no_body() -> tuple[Any, Mapping[str, str]]:
    return None, {}


class Transport:
    """One server, one API key. A command brings a key of its own: it is carried out once however often it is sent."""

    def __init__(self, url: str, key: str, patience: Patience) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self.patience = patience
        self._http: aiohttp.ClientSession | None = None
        self.position: str | None = None
        """Where the newest command of this client ended up: its reads wait for that."""

    async def open(self) -> None:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=10, sock_read=self.patience.timeout, connect=None
        )
        self._http = aiohttp.ClientSession(headers={"X-Api-Key": self._key}, timeout=timeout)

    async def close(self) -> None:
        if self._http:
            await self._http.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("use it as `async with Headwater(url, key) as headwater:`")
        return self._http

    def at(self, path: str) -> str:
        return f"{self._url}{path}"

    async def get(self, path: str, answer: type[T], **query: object) -> T:
        """Read something."""
        return await self._decoded("GET", path, answer, params=_params(query), headers=self._after())

    async def pages(self, path: str, kind: type[Any], **query: object) -> AsyncIterator[Any]:
        """The items of a list, page after page."""
        cursor: str | None = None
        while True:
            page = await self.get(path, Page[kind], cursor=cursor, **query)  # type: ignore[valid-type]
            for each in page.items:
                yield each
            cursor = page.next_cursor
            if cursor is None:
                return

    async def send(
        self, method: str, path: str, answer: type[T], *, key: str | None, body: Body = no_body
    ) -> T:
        """Ask for something; `key` makes the second try the same request as the first.

        Without a key it must be something that may be done twice, and that waits for what this client did before.
        """
        headers = {"Idempotency-Key": key} if key else self._after()
        return await self._decoded(method, path, answer, body=body, headers=headers)

    async def _decoded(self, method: str, path: str, answer: type[T], **options: Any) -> T:
        content = await self.trying(lambda: self._once(method, path, **options))
        return msgspec.json.decode(content or b"null", type=answer)

    async def _once(
        self,
        method: str,
        path: str,
        *,
        body: Body = no_body,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str],
    ) -> bytes:
        data, described = body()
        async with self.http.request(
            method, self.at(path), data=data, params=params, headers={**headers, **described}
        ) as answer:
            content = await answer.read()
            if answer.status >= ERRORS:
                raise refused(answer.status, answer.headers, content)
            if method != "GET":
                self.position = answer.headers.get(POSITION, self.position)
            return content

    async def trying(self, attempt: Callable[[], Any]) -> Any:
        """Until it succeeds, cannot succeed, or patience is at its end. Raises `Refused`, `Unreachable`."""
        for number in range(1, self.patience.attempts + 1):
            try:
                return await attempt()
            except Refused as no:
                if not no.perhaps_later or number == self.patience.attempts:
                    raise
                pause = self.patience.delay(number, no.retry_after)
            except AWAY as away:
                if number == self.patience.attempts:
                    raise Unreachable(number, away) from away
                pause = self.patience.delay(number)
            await asyncio.sleep(pause)
        raise ValueError("patience needs one attempt at least")

    @asynccontextmanager
    async def streaming(
        self,
        path: str,
        *,
        method: str = "GET",
        content: object = None,
        key: str | None = None,
        query: Mapping[str, object] = MappingProxyType({}),
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One attempt at an answer that comes bit by bit. Raises `Refused`, or one of `AWAY`."""
        data, described = json_body(content)() if content is not None else no_body()
        once = {"Idempotency-Key": key} if key else {}
        headers = {"Accept": "text/event-stream", **once, **self._after(), **described}
        async with self.http.request(
            method, self.at(path), data=data, params=_params(query), headers=headers
        ) as answer:
            if answer.status >= ERRORS:
                raise refused(answer.status, answer.headers, await answer.read())
            yield answer

    def _after(self) -> dict[str, str]:
        return {AFTER: self.position} if self.position else {}


def _params(query: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}


def json_body(content: object) -> Body:
    """A body that can be sent any number of times."""
    encoded = msgspec.json.encode(content)
    return lambda: (encoded, {"Content-Type": "application/json"})
