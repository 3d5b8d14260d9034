"""`GET /v1/ws`: topics over a WebSocket."""

import msgspec
from aiohttp import web

from app.http.auth import ANY_KEY
from app.http.bodies import invalid
from app.http.endpoints import Call, Endpoint
from app.http.problems import Malformed, RateLimited, UpgradeNeeded
from app.live.client import Client
from app.live.clients import Clients, Following, cursors, listed
from app.live.conversation import Heartbeat, converse
from app.live.messages import (
    Message,
    Mistake,
    Ping,
    Pong,
    Request,
    Subscribe,
    Unsubscribe,
    Unsubscribed,
    message,
)
from handlers.refusals import Forbidden, Invalid, Refusal

_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


def endpoint(clients: Clients, heartbeat: Heartbeat) -> Endpoint:
    """The WebSocket."""

    async def socket(call: Call[Following, None]) -> web.StreamResponse:
        addresses = await clients.find(call.principal, listed(call.query.topics), call.query.filter)
        since = cursors(call.query.since)
        with clients.admit("ws", call) as client:
            for each in addresses:
                clients.follow(client, [each], since)
            return await converse(call, client, clients, Topics(client, clients), heartbeat)

    return Endpoint(
        method="GET",
        path="/v1/ws",
        handle=socket,
        summary="Follow topics over a WebSocket",
        description="Each topic needs a scope of its own. /asyncapi.json describes the messages.",
        tag="live",
        scope=ANY_KEY,
        query=Following,
        status=101,
        live=True,
        refusals=(RateLimited, Invalid, Forbidden, UpgradeNeeded),
    )


class Topics:
    """What a client may say of topics."""

    def __init__(self, client: Client, clients: Clients) -> None:
        self._client = client
        self._clients = clients
        self._topic: str | None = None
        """Of the message in hand."""

    async def hear(self, text: str) -> None:
        client, clients = self._client, self._clients
        self._topic = None
        asked = _read(text)
        self._topic = getattr(asked, "topic", None)
        match asked:
            case Ping():
                client.outbox.put(message(Pong()))
            case Subscribe(topic=topic, since=since, filter=filter):
                addresses = await clients.find(client.principal, [topic], filter)
                clients.follow(client, addresses, cursors(since))
            case Unsubscribe(topic=topic):
                [address] = await clients.find(client.principal, [topic], {})
                client.leave(str(address))
                client.outbox.put(message(Unsubscribed(topic=str(address))))

    def refuse(self, refusal: Refusal) -> Message:
        return message(Mistake(code=refusal.code, detail=refusal.detail, topic=self._topic))


def _read(data: str) -> Request:
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError as error:
        raise invalid("INVALID_MESSAGE", error, _decoder.type) from None
    except (msgspec.DecodeError, RecursionError):
        raise Malformed("MALFORMED_JSON", "This is not JSON that can be read.") from None
