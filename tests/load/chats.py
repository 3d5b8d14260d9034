"""Those who ask and talk: questions with citations, in one piece and streamed, and conversations on sockets."""

import time
from itertools import count

from tests.load.timing import AWAY, Refused
from tests.load.world import World

PAUSE = 0.5
"""Seconds between an answer and the next question."""
FIRST = "POST /v1/chat, first chunk"
STREAMED = "POST /v1/chat, streamed"
ACK = "WS /v1/ws/chat, message to ack"
CHUNK = "WS /v1/ws/chat, message to first chunk"
COMPLETE = "WS /v1/ws/chat, message to complete"
ASKED = "POST /v1/chat"
AI = {ASKED, FIRST, STREAMED, CHUNK, COMPLETE}
"""Where a model's time is in it."""


async def asker(world: World) -> None:
    """Ask about everything, in turns at once and streamed; never the same question twice."""
    for n in count():
        if world.over.is_set():
            return
        question = {"question": f"How many sheets of drywall are needed, Mike? ({n}.{id(world.over)})"}
        if n % 2:
            await _streamed(world, question)
        elif answer := await world.call("POST", "/v1/chat", json=question):
            world.answers.append(answer["id"])
        await world.pause(PAUSE)


async def _streamed(world: World, question: dict[str, str]) -> None:
    began, first = time.perf_counter(), True
    headers = {"Accept": "text/event-stream"}
    with world.call.timings.timed(STREAMED):
        async with world.call.asked("POST", "/v1/chat", json=question, headers=headers) as answer:
            ended = ""
            async for line in answer.content:
                if line.startswith(b"event: "):
                    ended = line[7:].decode().strip()
                    if first and ended == "chunk":
                        world.call.timings.took(FIRST, time.perf_counter() - began)
                        first = False
            if ended != "complete":
                raise Refused(f"the stream ended with {ended or 'nothing'}")


async def talker(world: World) -> None:
    """Talk in a conversation of its own."""
    project = await world.call("POST", "/v1/projects", json={"title": "Load"})
    if project is None:
        return
    world.projects.append(project["id"])
    try:
        async with world.call.http.ws_connect("/v1/ws/chat", params={"projectId": project["id"]}) as ws:
            while not world.over.is_set():
                began = time.perf_counter()
                await ws.send_json({"type": "chat_message", "content": "What is next on the site?"})
                heard: set[str] = set()
                while "message_complete" not in heard:
                    said = await ws.receive_json(timeout=60)
                    _note(world, said, heard, time.perf_counter() - began)
                await world.pause(PAUSE)
    except (*AWAY, TypeError) as failure:  # a socket that was closed gives no JSON
        world.call.timings.failed(COMPLETE, f"{type(failure).__name__}: {failure}")


def _note(world: World, said: dict[str, str], heard: set[str], seconds: float) -> None:
    kind = said["type"]
    if kind == "error":
        world.call.timings.failed(COMPLETE, str(said))
        kind = "message_complete"
    elif kind not in heard and (
        name := {"ack": ACK, "message_chunk": CHUNK, "message_complete": COMPLETE}.get(kind)
    ):
        world.call.timings.took(name, seconds)
    heard.add(kind)
