"""The HTTP connections themselves: what never reaches a middleware gets a problem document too."""

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from app.http.hardening import SERVER
from app.http.problems import problem
from app.http.tracking import HEADER

log = logging.getLogger(__name__)

CONTINUE = "100-continue"


class Connection(RequestHandler):
    """One connection; what cannot be parsed, and errors that no middleware sees, end here."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers 400 or 431 where the request is at fault and 500 otherwise; the connection is closed after it."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer is under way already")
        if isinstance(exc, LineTooLong):
            detail = "A line of the request's head is too long: its address, or one of its headers."
            return _refuse(request, 431, "HEAD_TOO_LARGE", detail, exc)
        if status < 500:
            return _refuse(request, 400, "MALFORMED_REQUEST", "This is not HTTP/1.1.", exc)
        log.error("request failed", exc_info=exc)
        return _refuse(request, 500, "INTERNAL", "Something went wrong here.", exc)


class Connections(web.Server):
    """Makes a `Connection` for every client."""

    def __call__(self) -> Connection:
        return Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """aiohttp's runner with our connections; expectations other than to continue are refused before routing.

    aiohttp would stop reading from every connection the moment it stops, and so break off bodies on their way: here
    requests get `finish_within` seconds first.
    """

    def __init__(self, app: web.Application, *, finish_within: float, **options: Any) -> None:
        super().__init__(app, **options)
        self._finish_within = finish_within
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._told = False

    async def cleanup(self) -> None:
        """Take no more connections, call the hooks, let requests finish, close what is left."""
        for site in list(self.sites):
            await site.stop()
        if self.server:
            await self.shutdown()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._finish_within):
                    await self._idle.wait()
        await super().cleanup()

    async def shutdown(self) -> None:
        """Call the application's hooks, once."""
        if not self._told:
            self._told = True
            await super().shutdown()

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        serve = made.request_handler

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if request.headers.get("Expect", CONTINUE).lower() != CONTINUE:
                return _refuse(request, 417, "EXPECTATION_FAILED", f"Only {CONTINUE} can be expected.")
            self._under_way += 1
            self._idle.clear()
            try:
                return await serve(request)
            finally:
                self._under_way -= 1
                if not self._under_way:
                    self._idle.set()

        return Connections(handle, request_factory=made.request_factory, **made._kwargs)


def _refuse(
    request: web.BaseRequest, status: int, code: str, detail: str, cause: BaseException | None = None
) -> web.Response:
    request_id = str(uuid4())
    facts = {"request_id": request_id, "client": request.remote, "status": status}
    log.info("request refused unread", extra={**facts, "cause": type(cause).__name__ if cause else code})
    response = problem(
        status,
        code,
        detail,
        instance="/",
        request_id=request_id,
        headers={HEADER: request_id, "Server": SERVER},
    )
    response.force_close()
    return response
