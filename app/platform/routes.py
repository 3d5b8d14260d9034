"""HTTP of the whole: health, figures, metrics, and downloads by signed link."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from app.http.endpoints import Call, Endpoint, Reply
from app.http.problems import Problem
from app.platform.condition import Condition, Figures, Health
from app.platform.download import Link, download
from handlers.refusals import Forbidden, NotFound, Unavailable
from infra.blobs import Blobs
from infra.telemetry import exposition
from infra.telemetry.exposition import Samples

Refresh = Callable[[Figures], None]


def endpoints(
    *,
    condition: Condition,
    samples: Callable[[], Mapping[str, Samples]],
    observe: Refresh,
    blobs: Blobs,
    signing_secret: bytes,
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """The endpoints that belong to no context. `observe` is shown the figures before metrics are rendered."""

    async def health(call: Call[None, None]) -> Reply:
        return Reply(body=await condition.health(), headers={"Cache-Control": "no-store"})

    async def ready(call: Call[None, None]) -> Reply:
        state = await condition.health()
        return Reply(body=state, status=200 if state.status == "healthy" else 503)

    async def alive(call: Call[None, None]) -> Reply:
        return Reply(body={"status": "alive"})

    async def status(call: Call[None, None]) -> Reply:
        return Reply(body=await condition.figures(), headers={"Cache-Control": "no-store"})

    async def metrics(call: Call[None, None]) -> Reply:
        observe(await condition.figures())
        text = await asyncio.to_thread(
            exposition.render, samples()
        )  # thousands of lines; nobody else waits for them
        return Reply(body=text, headers={"Content-Type": exposition.CONTENT_TYPE})

    async def blob(call: Call[Link, None]) -> web.StreamResponse:
        return await download(call, blobs, signing_secret, clock)

    def opened(path: str, handle: Any, summary: str, answer: Any, **options: Any) -> Endpoint:
        return Endpoint(
            method="GET",
            path=path,
            handle=handle,
            summary=summary,
            tag="platform",
            scope=None,
            answer=answer,
            metered=path == "/status",
            **options,
        )

    return (
        opened("/health", health, "Whether the log and the database answer", Health),
        opened("/v1/health/live", alive, "Whether this process runs", dict[str, str]),
        opened(
            "/v1/health/ready",
            ready,
            "Whether everything this needs answers; 503 when not",
            Health,
            also={503: Health},
        ),
        opened("/status", status, "Counts, queues, processes and read models", Figures),
        Endpoint(
            method="GET",
            path="/metrics",
            handle=metrics,
            summary="Figures of all processes for Prometheus",
            tag="platform",
            scope="metrics:read",
            media_type="text/plain",
        ),
        Endpoint(
            method="GET",
            path="/v1/blobs/{key}",
            handle=blob,
            summary="Download by a signed, expiring link",
            description="Links are given by other answers, such as `audioUrl`; they need no key. Ranges are served.",
            tag="platform",
            scope=None,
            query=Link,
            media_type="*/*",
            also={206: None, 304: None, 416: Problem},
            refusals=(Forbidden, NotFound, Unavailable),
        ),
    )
