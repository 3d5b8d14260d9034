"""The HTTP connections themselves: what is not HTTP gets a problem document too, and no traceback in the log."""

import logging
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from app.http.hardening import SERVER
from app.http.problems import problem
from app.http.tracking import HEADER

log = logging.getLogger(__name__)


class Connection(RequestHandler):
    """One connection; errors that no middleware sees end here."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what could not be parsed with 400, anything else with 500; the connection is closed after it."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer is under way already")
        request_id = str(uuid4())
        facts = {"request_id": request_id, "client": request.remote, "status": status}
        if status < 500:
            log.info("request unreadable", extra={**facts, "cause": type(exc).__name__})
            response = problem(
                status, "MALFORMED_REQUEST", "This is not HTTP/1.1.", instance="/", request_id=request_id
            )
        else:
            log.error("request failed", exc_info=exc, extra=facts)
            response = problem(
                500, "INTERNAL", "Something went wrong here.", instance="/", request_id=request_id
            )
        response.headers.update({HEADER: request_id, "Server": SERVER})
        response.force_close()
        return response


class Connections(web.Server):
    """Makes a `Connection` for every client."""

    def __call__(self) -> Connection:
        return Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """aiohttp's runner, with our connections."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        options: dict[str, Any] = made._kwargs
        return Connections(made.request_handler, request_factory=made.request_factory, **options)
