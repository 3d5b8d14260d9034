"""The compute process: documents and texts worked on for others; it knows no log and no database."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

from app.compute.routes import endpoints
from app.http import openapi as http_document
from app.http.docs import descriptions
from app.http.endpoints import Call, Endpoint, Reply
from app.http.keys import ApiKey, KeyRing, key_from
from app.http.rates import RateLimiter
from app.http.routing import Desk
from app.http.server import CannotListen, application, listen
from app.settings import Settings
from events.ids import new_id
from infra.compute import Compute
from infra.telemetry.logs import logger

log = logger(__name__)

LONG, SHORT = "/v1/compute/", "/"


async def serve(settings: Settings, compute: Compute, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `ready` is told the URL. Raises `CannotListen`."""
    if settings.api_key is None:
        raise CannotListen(
            "Set API_KEY: who asks for work must send it, and this process knows no other keys."
        )
    rates = settings.rate_limit_rps
    app = application(
        endpoints=served(compute),
        desk=Desk(
            identify=_ring(str(settings.api_key)).identify,
            limiter=RateLimiter(rps=rates, burst=settings.rate_limit_burst) if rates else None,
        ),
        origins=settings.cors_origins,
    )
    listening = await listen(app, host=settings.host, port=settings.port)
    log.info("computing", url=listening.url, embedder=compute.name)
    ready(listening.url)
    try:
        await asyncio.Event().wait()
    finally:
        await listening.stop()


def served(compute: Compute) -> tuple[Endpoint, ...]:
    """Each piece of work under its path in the API and under its bare name; and whether the process is alive."""
    work = endpoints(compute)
    bare = [replace(each, path=each.path.replace(LONG, SHORT, 1)) for each in work]
    alive = Endpoint(
        method="GET", path="/health", handle=_alive, summary="Whether this process runs", tag="platform",
        scope=None, answer=dict[str, str], metered=False,
    )  # fmt: skip
    everything = (alive, *work, *bare)
    about = {"title": "headwater compute", "version": version("headwater"), "description": "Stateless work."}
    return (*everything, *descriptions(http_document.openapi(everything, **about), {}))


async def _alive(call: Call[None, None]) -> Reply:
    return Reply(body={"status": "alive"})


def _ring(secret: str) -> KeyRing:
    ring, key = KeyRing(), key_from(secret)
    ring.add(ApiKey(key_id=new_id(), name="compute", hash=key.hash, prefix=key.prefix, scopes=("compute:*",)))
    return ring
