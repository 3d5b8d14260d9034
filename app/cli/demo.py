"""`make run`: the bundled recording through the public API, every stage shown, then what to try next."""

import asyncio
import hashlib
import sys
import time
from http import HTTPStatus
from typing import Any

import aiohttp
from tqdm import tqdm

from app.identity.keys import kept_key
from app.settings import Settings
from infra.samples import SITE_NOTE

QUESTION = "how much drywall was ordered"


async def show(settings: Settings, began: float) -> None:
    """Upload, watch, read and search as any client would; then print where everything is."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    url = f"http://{host}:{settings.port}"
    async with aiohttp.ClientSession(url, raise_for_status=True) as http:
        await _until_ready(http)
        key = settings.api_key or kept_key(settings.home)
        http.headers["X-Api-Key"] = str(key)
        print(f"ready after {time.monotonic() - began:.1f} s", file=sys.stderr)
        session = await _upload(http)
        await _watch(http, session)
        await _tell(http, session)
    _what_next(url, settings, str(key))


async def _until_ready(http: aiohttp.ClientSession) -> None:
    while True:
        try:
            async with http.get("/v1/health/ready"):
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.1)


async def _upload(http: aiohttp.ClientSession) -> str:
    """Always under the same key: a second `make run` finds the session of the first."""
    recording = SITE_NOTE.read_bytes()
    key = f"demo-{hashlib.sha256(recording).hexdigest()[:16]}"
    form = aiohttp.FormData({"title": "Site note, Maple Street"})
    form.add_field("file", recording, filename=SITE_NOTE.name)
    async with http.post("/v1/upload/audio", data=form, headers={"Idempotency-Key": key}) as answer:
        accepted = await answer.json()
    print(f"\nuploaded {SITE_NOTE.name}: session {accepted['sessionId']}, {accepted['position']}")
    http.headers["Headwater-After"] = accepted["position"]
    return str(accepted["sessionId"])


async def _watch(http: aiohttp.ClientSession, session: str) -> None:
    """A bar for each stage; a line for each change where nobody sees bars."""
    stages: dict[str, Stage] = {}
    while True:
        status = await _get(http, f"/v1/upload/status/{session}")
        for told in status["stages"]:
            stages.setdefault(told["stage"], Stage(told["stage"])).show(told)
        if status["status"] in {"completed", "failed"}:
            break
        await asyncio.sleep(0.2)
    for stage in stages.values():
        stage.close()


async def _get(http: aiohttp.ClientSession, path: str) -> Any:
    """The answer, waited for while a part that has just been started is not there yet."""
    while True:
        async with http.get(path, raise_for_status=False) as answer:
            if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
                answer.raise_for_status()
                return await answer.json()
        await asyncio.sleep(0.2)


class Stage:
    """How far a stage is, on the terminal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._state = ""
        self._bar = (
            tqdm(total=100, desc=f"  {name:<10}", bar_format="{desc} {bar:30} {n:3.0f} % {postfix}")
            if sys.stderr.isatty()
            else None
        )

    def show(self, told: dict[str, Any]) -> None:
        state = told["state"]
        if self._bar is not None:
            self._bar.update(told["progress"] - self._bar.n)
            self._bar.set_postfix_str(state)
        elif state != self._state:
            print(f"  {self._name:<10} {state}", flush=True)
        self._state = state

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


async def _tell(http: aiohttp.ClientSession, session: str) -> None:
    found = await _get(http, f"/v1/sessions/{session}")
    if found["status"] == "failed":
        failed = next(stage for stage in found["stages"] if stage["state"] == "failed")
        print(f"\n{failed['stage']} failed: {failed['error']['detail']}")
        return
    print(f"\ntranscript ({found['seconds']:.0f} s, {found['transcript']['model']}):")
    for segment in found["transcript"]["segments"]:
        print(f"  {segment['start']:6.1f} s  {segment['text']}")
    async with http.post("/v1/search", json={"query": QUESTION, "limit": 1}) as answer:
        found = await answer.json()
    print(f"\nsearch: {QUESTION}? ({found['method']})")
    for hit in found["hits"]:
        print(f"  “{hit['moment']['text']}”")
        print(f"  said at {hit['moment']['start']:.1f} s in {hit['title']!r}, score {hit['score']:.2f}")
        print(f"  listen: {hit['audioUrl']}")


def _what_next(url: str, settings: Settings, key: str) -> None:
    home = "" if str(settings.home) == ".headwater" else f"HEADWATER_HOME={settings.home} "
    print(
        f"""
Headwater serves on  {url}
The API by example   {url}/docs
API key              {key}   (kept in {settings.home / "api-key"})
Logs                 {settings.home / "logs"}

Three things to try next, in another terminal:
  curl -H "X-Api-Key: $(cat {settings.home / "api-key"})" -F file=@YOUR.m4a {url}/v1/upload/audio
  curl -H "X-Api-Key: $(cat {settings.home / "api-key"})" "{url}/v1/search?q=drywall"
  {home}.venv/bin/headwater rebuild jobsite --dry-run

Ctrl-C stops everything.""",
        flush=True,
    )
