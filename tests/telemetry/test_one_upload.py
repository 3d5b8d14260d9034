"""One upload, followed by its trace from HTTP through the log into every handler and the read model."""

import asyncio
import os
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infra.samples import SITE_NOTE
from tests.servers import temporary_home
from tests.speech.whisper_server import MODEL, whisper_server

WITHIN = 60.0
KEY = "a-key-for-this-test-only"
PATH_OF_AN_UPLOAD = {
    "POST /v1/upload/audio",
    "append jobsite.session.audio_uploaded",
    "handle transcribe",
    "append jobsite.session.transcribed",
    "handle understand",
    "append jobsite.session.understood",
    "handle summarise",
    "append jobsite.session.summarised",
    "handle report",
    "append jobsite.session.reported",
    "handle index",
    "append jobsite.session.indexed",
    "project jobsite",
}


class Collector:
    """Takes spans over OTLP/HTTP, as any collector does."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = defaultdict(set)
        self.arrived = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        export = ExportTraceServiceRequest.FromString(await request.read())
        for resource in export.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.names[span.trace_id.hex()].add(span.name)
        self.arrived.set()
        return web.Response(content_type="application/x-protobuf")

    async def until(self, trace: str, names: set[str]) -> set[str]:
        async with asyncio.timeout(WITHIN):
            while not names <= self.names[trace]:
                self.arrived.clear()
                await self.arrived.wait()
        return self.names[trace]


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    collector = Collector()
    app = web.Application(client_max_size=16 << 20)
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield collector, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@asynccontextmanager
async def everything(**settings: str) -> AsyncIterator[str]:
    """A whole Headwater in processes of its own; its URL once it is ready."""
    with temporary_home() as home:
        port = free_port()
        environment = {
            **os.environ,
            "HEADWATER_HOME": str(home),
            "PORT": str(port),
            "API_KEY": KEY,
            **settings,
        }
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "app.cli", "up", env=environment)
        url = f"http://127.0.0.1:{port}"
        try:
            await ready(url)
            yield url
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0


async def ready(url: str) -> None:
    async with asyncio.timeout(WITHIN), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{url}/v1/health/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def test_an_upload_is_one_trace_through_all_processes() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with (
        collecting() as (collector, endpoint),
        whisper_server() as whisper,
        everything(
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
            OTEL_BSP_SCHEDULE_DELAY="200",
            WHISPER_URL=whisper.url,
            WHISPER_MODEL=MODEL,
        ) as url,
        aiohttp.ClientSession(url, headers={"X-Api-Key": KEY}) as http,
    ):
        form = aiohttp.FormData()
        form.add_field("file", SITE_NOTE.read_bytes(), filename="note.ogg")
        asked = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        async with http.post("/v1/upload/audio", data=form, headers=asked) as answer:
            assert answer.status == 202
        assert await collector.until(trace, PATH_OF_AN_UPLOAD)
