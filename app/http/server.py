"""The HTTP server: middlewares in order, endpoints, one listening socket."""

import errno
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from app.http.cors import cors_headers, preflights
from app.http.endpoints import Endpoint
from app.http.failures import Outage, failures, mark_started
from app.http.hardening import harden
from app.http.preconditions import shown_by
from app.http.rates import by_address, tell_allowance
from app.http.routing import Desk, add_endpoint, unmetered
from app.http.tracking import Exchange, name_request, tracking
from app.http.wire import Runner

STOP_SECONDS = 5.0
"""How long requests under way may take to finish when the server stops."""
CLOSE_SECONDS = 0.5
"""How long what is left then may take to break off."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long a connection may keep the server waiting, in seconds."""

    request: float = 75.0
    """Without a complete request head: on a new connection, and between two requests."""
    lingering: float = 5.0
    """For the rest of a body that was refused, so that its sender can read why."""


class CannotListen(Exception):
    """The address cannot be listened on; the message says what to do about it."""


def ignore(exchange: Exchange) -> None:
    """Observes nothing."""


def application(
    *,
    endpoints: Collection[Endpoint],
    desk: Desk,
    origins: Collection[str] = (),
    outages: Sequence[Outage] = (),
    observe: Callable[[Exchange], None] = ignore,
    around: Sequence[Middleware] = (),
    on_shutdown: Sequence[Callable[[], Awaitable[None]]] = (),
) -> web.Application:
    """The application that serves the endpoints.

    `around` are further middlewares, such as tracing, that see every request with its id and every answer
    as it leaves. `on_shutdown` is called when the server stops, before requests under way are waited for.
    """
    limiter = desk.limiter
    limits = (by_address(limiter, unmetered(endpoints)),) if limiter else ()
    app = web.Application(
        middlewares=(tracking(observe), *around, preflights(origins), failures(outages), *limits),
        client_max_size=desk.patience.json_bytes,
    )
    dress = (mark_started, name_request, harden, cors_headers(origins), tell_allowance)
    app.on_response_prepare.extend(dress)
    for endpoint in endpoints:
        add_endpoint(app, endpoint, desk, shown_by(endpoint, endpoints))
    for hook in on_shutdown:
        app.on_shutdown.append(_without_app(hook))
    return app


@dataclass(frozen=True)
class Listening:
    """A server that takes requests until it is stopped."""

    host: str
    port: int
    runner: web.AppRunner

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{self.port}"

    async def stop(self) -> None:
        """Takes no more requests, finishes those under way, closes every connection."""
        await self.runner.cleanup()


async def listen(
    app: web.Application, *, host: str, port: int, timeouts: Timeouts | None = None
) -> Listening:
    """Starts serving; port 0 picks a free one."""
    patience = timeouts or Timeouts()
    runner = Runner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=patience.request,
        lingering_time=patience.lingering,
        auto_decompress=False,
        finish_within=STOP_SECONDS,
        shutdown_timeout=CLOSE_SECONDS,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise CannotListen(advice(error, host, port)) from error
    return Listening(host, runner.addresses[0][1], runner)


def advice(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8080
        return f"Port {port} on {host} is in use. Stop what uses it, or choose another: PORT={other} make run"
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than we have. Choose one above 1023: PORT=8080 make run"
    return f"Cannot listen on {host}, port {port}: {error.strerror or error}. Check HOST and PORT."


def _without_app(hook: Callable[[], Awaitable[None]]) -> Callable[[web.Application], Awaitable[None]]:
    async def call(_: web.Application) -> None:
        await hook()

    return call
