"""A real SMTP server in the tests' own loop, that refuses, stalls and breaks off as it is told."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

DROP = "drop"
"""The server has the whole mail, and the connection breaks before it says so."""
STALL = "stall"
"""The server has the whole mail, and says nothing."""


@dataclass
class Received:
    """One mail that the server has had in full."""

    sender: str
    recipient: str
    message: EmailMessage


@dataclass
class MailServer:
    """What it received, and how it is to treat a recipient's mails: a reply, or a fault, for each in turn."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    treats: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    refuses: dict[str, str] = field(default_factory=dict)
    """Replies to recipients as such, before any mail."""
    stalled: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, recipient: str) -> list[Received]:
        return [each for each in self.received if each.recipient == recipient]

    async def handle_RCPT(self, _: Any, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
        if reply := self.refuses.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:
        [recipient] = envelope.rcpt_tos
        treats = self.treats[recipient]
        treat = treats.pop(0) if treats else f"250 OK queued as {len(self.received) + 1}"
        if treat.startswith(("250", DROP, STALL)):
            message = message_from_bytes(envelope.original_content or b"", policy=POLICY)
            self.received.append(Received(envelope.mail_from or "", recipient, message))
        if treat == DROP and server.transport:
            server.transport.abort()
        if treat == STALL:
            self.stalled.set()
            await asyncio.sleep(60)
        return treat


@asynccontextmanager
async def mail_server(**options: Any) -> AsyncIterator[MailServer]:
    """A server on a port of its own; `options` are those of aiosmtpd."""
    made, loop = MailServer(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(made, hostname="mail.test", loop=loop, **options), "127.0.0.1", 0
    )
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
