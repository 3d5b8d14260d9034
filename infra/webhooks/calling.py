"""One call of a webhook: no redirects, no cookies, no proxy, bounded in time and in what is read."""

from collections.abc import Mapping

import aiohttp

from infra.delivery import Undelivered
from infra.webhooks.addresses import ForbiddenAddress, PublicResolver, check_url, public_socket

TIMEOUT = 10.0
"""Seconds for the whole of a call."""
MOST = 16 << 10
"""Bytes of an answer that are read; nothing of it is kept."""
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
        try:
            async with (
                self._session() as http,
                http.post(target, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                await answer.content.read(MOST)
                return _receipt(answer.status, answer.reason)
        except ForbiddenAddress:
            raise
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as failure:
            if isinstance(failure.__cause__, ForbiddenAddress):
                raise failure.__cause__ from None
            late = isinstance(failure, TimeoutError)
            raise Undelivered(
                "NO_ANSWER" if late else "UNREACHABLE",
                "No answer came in time." if late else f"{type(failure).__name__}: {failure}"[:300],
            ) from failure

    def _session(self) -> aiohttp.ClientSession:
        guarded = (
            {} if self._allow_private else {"resolver": PublicResolver(), "socket_factory": public_socket}
        )
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(use_dns_cache=False, force_close=True, limit=1, **guarded),  # type: ignore[arg-type]
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            auto_decompress=False,
            trust_env=False,
        )


def _receipt(status: int, reason: str | None) -> str:
    """2xx is taken. What was moved or is gone will not come back; all else may."""
    said = f"{status} {reason or ''}".strip()[:100]
    if 200 <= status < 300:
        return said
    detail = f"It answered {said}" + ("; redirects are not followed." if 300 <= status < 400 else ".")
    raise Undelivered(f"HTTP_{status}", detail, final=300 <= status < 400 or status == GONE)
