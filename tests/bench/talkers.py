"""Many people who talk at once: `python -m tests.bench.talkers URL SOCKETS RAMP FILE`, the key in TALKERS_KEY.

Each asks once in a project of its own, one after the other within `RAMP` seconds. Says `ready` when they begin, and
leaves in the file `[said, received]` of every piece, in monotonic seconds, and how late a sleeping process was woken.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import uvloop


class Heard(msgspec.Struct):
    type: str
    content: str = ""


class Told(msgspec.Struct):
    """What was measured, in seconds."""

    times: list[tuple[float, float]]
    late: list[float]


_decode = msgspec.json.Decoder(Heard).decode


async def talk(url: str, sockets: int, ramp: float) -> Told:
    told = Told([], [])
    ready = asyncio.Barrier(sockets)

    async def one(http: aiohttp.ClientSession, n: int) -> None:
        async with http.post("/v1/projects", json={"title": "Bench"}) as answer:
            project: Any = (await answer.json())["id"]
        async with http.ws_connect("/ws/chat", params={"projectId": project}, compress=0) as ws:
            await ready.wait()
            if n == 0:
                print("ready", flush=True)
            await asyncio.sleep(n * ramp / sockets)
            await ws.send_json({"type": "chat_message", "content": "stamps"})
            while (heard := _decode(await ws.receive_str(timeout=60))).type != "message_complete":
                now = time.monotonic()
                if heard.type == "message_chunk":
                    told.times.extend((float(said), now) for said in heard.content.split())

    connector, headers = aiohttp.TCPConnector(limit=0), {"X-Api-Key": os.environ["TALKERS_KEY"]}
    async with (
        aiohttp.ClientSession(url, connector=connector, headers=headers, raise_for_status=True) as http,
        asyncio.TaskGroup() as group,
    ):
        waking = asyncio.create_task(_wake(told.late))
        await asyncio.gather(*(group.create_task(one(http, n)) for n in range(sockets)))
        waking.cancel()
    return told


async def _wake(late: list[float]) -> None:
    """How long the machine lets who has something to do wait: nothing can be told sooner."""
    while True:
        due = time.monotonic() + 0.01
        await asyncio.sleep(0.01)
        late.append(time.monotonic() - due)


if __name__ == "__main__":
    heard = uvloop.run(talk(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
    Path(sys.argv[4]).write_bytes(msgspec.json.encode(heard))
