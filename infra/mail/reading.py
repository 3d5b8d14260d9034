"""A rendered mail taken apart again, for those who look at it."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple


class Parts(NamedTuple):
    """What a mail shows."""

    text: str | None
    html: str | None


def parts(mail: bytes) -> Parts:
    """The plain and the HTML version."""
    message = message_from_bytes(mail, policy=SMTP)
    return Parts(_content(message, "plain"), _content(message, "html"))


def _content(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else None
