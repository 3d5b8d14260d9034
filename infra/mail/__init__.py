"""Mail: what sends it, and how it is written."""

from typing import NamedTuple, Protocol


class Sender(NamedTuple):
    """Whom mail is from."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


NOBODY = Sender("Headwater", "headwater@localhost")
"""Whom mail is from that is only kept, because there is no server to send it."""


class Mailer(Protocol):
    """Sends one rendered mail to one recipient."""

    sender: Sender

    async def send(self, recipient: str, mail: bytes) -> str:
        """What the server said when it took the mail. Raises `Undelivered`."""
