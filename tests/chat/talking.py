"""A front end, as a test plays it: projects over HTTP and a real WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import WSMsgType

PATIENCE = 60


class Talk:
    """A socket on which somebody talks in a project."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.heard: list[dict[str, Any]] = []

    async def say(self, type: str, **more: Any) -> None:
        await self.ws.send_json({"type": type, **more})

    async def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message, or the next one of these kinds; all that come are kept."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.ws.receive()
                assert frame.type is WSMsgType.TEXT, frame
                said: dict[str, Any] = frame.json()
                self.heard.append(said)
                if not kinds or said["type"] in kinds:
                    return said

    async def told(self, message_id: str) -> str:
        """Follow a reply to its end; all its chunks since it began last."""
        while (await self.hear("message_complete", "error")).get("messageId") != message_id:
            pass
        return self.chunks(message_id)

    def chunks(self, message_id: str) -> str:
        """What the client shows of a reply: every chunk where it belongs, from the last beginning on."""
        text = ""
        for each in self.heard:
            if each.get("messageId") != message_id:
                continue
            if each["type"] == "message_start":
                text = ""
            elif each["type"] == "message_chunk":
                assert each["index"] == len(text), "a gap, or a double"
                text += each["content"]
        return text

    async def asked(self, content: str, **more: Any) -> dict[str, Any]:
        """Say something and hear the whole reply: its message_complete."""
        await self.say("chat_message", content=content, **more)
        ack = await self.hear("ack")
        await self.told(ack["replyId"])
        complete = self.heard[-1]
        assert complete["type"] == "message_complete", complete
        assert self.chunks(ack["replyId"]) == complete["fullContent"]
        return complete

    async def farewell(self) -> int | None:
        """The close code, after whatever was on its way."""
        async with asyncio.timeout(PATIENCE):
            while (frame := await self.ws.receive()).type is WSMsgType.TEXT:
                self.heard.append(frame.json())
        return self.ws.close_code


async def new_project(client: aiohttp.ClientSession, **body: Any) -> str:
    async with client.post("/api/projects", json=body) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


@asynccontextmanager
async def talking(client: aiohttp.ClientSession, project: str, **query: Any) -> AsyncIterator[Talk]:
    params = {"projectId": project, **{name: str(value) for name, value in query.items()}}
    async with client.ws_connect("/ws/chat", params=params) as ws:
        yield Talk(ws)


async def read(client: aiohttp.ClientSession, path: str, after: str | None = None) -> Any:
    headers = {"Headwater-After": after} if after else {}
    async with client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def chat_of(content: str) -> Callable[[dict[str, Any]], bool]:
    """Questions that end with what somebody says; what asks for a title does not."""
    return lambda body: bool(
        content in body["messages"][-1]["content"]
        and "Name the conversation" not in body["messages"][0]["content"]
    )


def word() -> str:
    """One that no other test says, so that what the model server says to it is this test's alone."""
    return f"w{uuid4().hex[:12]}"
