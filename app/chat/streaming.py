"""An answer as Server-Sent Events: `sources`, `chunk` for each piece, then `complete` or `error`."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from aiohttp import web

from app.chat.answer_views import AnswerView, ChunkView, Fault, SourcesView
from app.chat.runs import Ended, Run
from handlers.refusals import Refusal
from infra.telemetry.logs import logger

log = logger(__name__)

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def wants_stream(request: web.Request) -> bool:
    """Whether the client asks for events."""
    return MEDIA_TYPE in request.headers.get("Accept", "")


async def stream(
    request: web.Request, answer_id: UUID, run: Run, complete: Callable[[Ended], Awaitable[AnswerView]]
) -> web.StreamResponse:
    """Tell an answer as it is made. Who hangs up misses it; it is made and recorded all the same."""
    response = await _opened(request, answer_id)
    try:
        async for heard in run.read():
            match heard:
                case SourcesView():
                    await response.write(_event("sources", heard))
                case ChunkView():
                    await response.write(_event("chunk", heard))
                case _:
                    await response.write(_ending(await complete(heard)))
    except ConnectionResetError:
        return response
    except Exception as failure:
        log.warning("an answer was broken off", answer=str(answer_id), cause=type(failure).__name__)
        code = failure.code if isinstance(failure, Refusal) else "UNAVAILABLE"
        detail = f"The answer broke off and is made later: GET /v1/chats/{answer_id} will have it."
        await response.write(_event("error", Fault(code=code, detail=detail)))
    await response.write_eof()
    return response


async def whole(request: web.Request, view: AnswerView) -> web.StreamResponse:
    """Tell an answer that there is already, to who asks again."""
    response = await _opened(request, view.id)
    await response.write(_ending(view))
    await response.write_eof()
    return response


async def _opened(request: web.Request, answer_id: UUID) -> web.StreamResponse:
    response = web.StreamResponse(headers={**HEADERS, "Location": f"/v1/chats/{answer_id}"})
    await response.prepare(request)
    return response


def _ending(view: AnswerView) -> bytes:
    return _event("error" if view.error else "complete", view)


def _event(name: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))
