"""One call of a webhook: no redirects, no cookies, no proxy, bounded in time, and of the answer the status alone."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from infra.delivery import Undelivered
from infra.webhooks.addresses import ForbiddenAddress, PublicResolver, check_url, public_socket

TIMEOUT = 10.0
"""Seconds for the whole of a call."""
GONE = 410


class Caller:
    """Calls webhooks. `allow_private` lets them lead to addresses that are not public."""

    def __init__(self, *, allow_private: bool, timeout: float = TIMEOUT) -> None:
        self._allow_private = allow_private
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def call(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        """The status with which it was taken, as a receipt. Raises `Undelivered`."""
        try:
            target = check_url(url, allow_private=self._allow_private)
        except ValueError as wrong:
            raise Undelivered("URL_UNUSABLE", f"The URL {wrong}.", final=True) from wrong
        began = list[str]()
        try:
            async with self._session(began) as http:
                answer = await http.post(target, data=body, headers=headers, allow_redirects=False)
                answer.close()  # its body may be late, broken or endless, and changes nothing
                return _receipt(answer.status, answer.reason)
        except ForbiddenAddress:
            raise
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as failure:
            if isinstance(failure.__cause__, ForbiddenAddress):
                raise failure.__cause__ from None
            raise _undelivered(failure, sent=bool(began)) from failure

    def _session(self, began: list[str]) -> aiohttp.ClientSession:
        """`began` gets a member once a request is on its way."""
        guarded = (
            {} if self._allow_private else {"resolver": PublicResolver(), "socket_factory": public_socket}
        )
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(use_dns_cache=False, force_close=True, limit=1, **guarded),  # type: ignore[arg-type]
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            auto_decompress=False,
            trust_env=False,
            trace_configs=[_tracing(began)],
        )


def _tracing(began: list[str]) -> aiohttp.TraceConfig:
    async def note(_: object, __: object, request: Any) -> None:
        began.append(request.method)

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(note)
    return tracing


def _undelivered(failure: Exception, *, sent: bool) -> Undelivered:
    """Without a connection nothing can have been taken; of what was sent nobody knows until there is a status."""
    late = isinstance(failure, TimeoutError)
    if sent:
        detail = "No answer came in time." if late else "The connection broke before a whole answer came."
        return Undelivered("NO_ANSWER", detail, uncertain=True)
    detail = "No connection came about in time." if late else f"{type(failure).__name__}: {failure}"[:300]
    return Undelivered("UNREACHABLE", detail)


def _receipt(status: int, reason: str | None) -> str:
    """2xx is taken. What was moved or is gone will not come back; all else may."""
    said = f"{status} {reason or ''}".strip()[:100]
    if 200 <= status < 300:
        return said
    detail = f"It answered {said}" + ("; redirects are not followed." if 300 <= status < 400 else ".")
    raise Undelivered(f"HTTP_{status}", detail, final=300 <= status < 400 or status == GONE)
