"""Many sockets that follow one topic: `python -m tests.bench.followers URL SOCKETS EVENTS`, the key in FOLLOWERS_KEY.

Says `ready` when all are subscribed; in the end, for each event, the monotonic times at which it was received.
"""

import asyncio
import os
import resource
import sys
import time

import aiohttp
import msgspec
import uvloop


class Heard(msgspec.Struct):
    type: str


async def follow(url: str, sockets: int, events: int) -> list[list[float]]:
    subscribed = asyncio.Barrier(sockets + 1)
    times: list[list[float]] = [[] for _ in range(events)]
    kind = msgspec.json.Decoder(Heard)

    async def one(http: aiohttp.ClientSession) -> None:
        async with http.ws_connect(url, compress=0) as ws:
            while kind.decode(await ws.receive_str()).type != "subscribed":
                pass
            await subscribed.wait()
            heard = 0
            while heard < events:
                text = await ws.receive_str()
                at = time.monotonic()
                if kind.decode(text).type == "event":
                    times[heard].append(at)
                    heard += 1

    connector = aiohttp.TCPConnector(limit=0)
    headers = {"X-Api-Key": os.environ["FOLLOWERS_KEY"]}
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as http,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(sockets):
            group.create_task(one(http))
        await subscribed.wait()
        print("ready", flush=True)
    return times


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    received = uvloop.run(follow(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    sys.stdout.write(msgspec.json.encode(received).decode())
