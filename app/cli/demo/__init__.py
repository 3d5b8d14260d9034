"""`make run`: the bundled recording and plan through the public API, what became of them, and what to try next."""

import asyncio
import sys
import time

import aiohttp

from app.cli.asked import here
from app.cli.demo.telling import tell, what_next
from app.cli.demo.uploading import send
from app.cli.demo.watching import watch
from app.client import Headwater, HeadwaterError, Patience
from app.identity.keys import kept_key
from app.settings import Settings

PATIENCE = Patience(attempts=40, first=0.2, longest=0.5)
"""With a part that has just been started and is not there yet."""


async def show(settings: Settings, began: float) -> None:
    """Upload, watch, read and ask as any client would; then print where everything is."""
    url = here(settings)
    await _until_ready(url)
    key = str(settings.api_key or kept_key(settings.home))
    print(f"ready after {time.monotonic() - began:.1f} s", file=sys.stderr)
    try:
        async with Headwater(url, key, patience=PATIENCE) as headwater:
            sent = await send(headwater)
            await watch(headwater, sent)
            await tell(headwater, sent)
    except HeadwaterError as failure:  # it goes on serving, so that one can look why
        print(f"\nThe demo ends here: {failure}")
    what_next(url, settings, key)


async def _until_ready(url: str) -> None:
    async with aiohttp.ClientSession(url, raise_for_status=True) as http:
        while True:
            try:
                async with http.get("/v1/health/ready"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
