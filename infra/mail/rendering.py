"""A mail as bytes: multipart text and HTML, the same bytes each time it is written."""

import unicodedata
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple
from uuid import UUID

from infra.mail import Sender

LONGEST_SUBJECT = 200
POLICY = SMTP.clone(max_line_length=78)


class NotAnAddress(ValueError):
    """No mail can be sent there."""


class Mail(NamedTuple):
    """What is written to one recipient. `id` makes the Message-ID, which no retry changes."""

    id: UUID
    sender: Sender
    recipient: str
    subject: str
    text: str
    html: str | None
    at: datetime


def message_id(mail: UUID, sender: Sender) -> str:
    """The one Message-ID of a mail, however often it is sent."""
    return f"<{mail}@{sender.domain}>"


def rendered(mail: Mail) -> bytes:
    """The mail in the Internet Message Format. Raises `NotAnAddress`."""
    written = EmailMessage(policy=POLICY)
    written["From"] = Address(one_line(mail.sender.name), addr_spec=mail.sender.address)
    written["To"] = address(mail.recipient)
    written["Subject"] = one_line(mail.subject)[:LONGEST_SUBJECT]
    written["Date"] = format_datetime(mail.at)
    written["Message-ID"] = message_id(mail.id, mail.sender)
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(mail.text)
    if mail.html is not None:
        written.add_alternative(mail.html, subtype="html")
        written.set_boundary(f"=_{mail.id.hex}")
    return written.as_bytes()


def from_sender(mail: bytes, sender: Sender) -> bytes:
    """The mail with this sender: one that was kept was written before there was any."""
    end = mail.index(b"\r\n") + 2
    while mail[end : end + 1] in (b" ", b"\t"):
        end = mail.index(b"\r\n", end) + 2
    header = EmailMessage(policy=POLICY)
    header["From"] = Address(one_line(sender.name), addr_spec=sender.address)
    return header.as_bytes().rstrip(b"\r\n") + b"\r\n" + mail[end:]


def address(text: str) -> Address:
    """A mail address as headers have it; its domain in ASCII. Raises `NotAnAddress`."""
    local, at, domain = text.rpartition("@")
    try:
        if not (at and local.isascii() and local.isprintable() and domain.isprintable()) or "[" in domain:
            raise ValueError(text)
        return Address(addr_spec=f"{local}@{domain.encode('idna').decode()}")
    except (ValueError, MessageError, IndexError) as wrong:
        raise NotAnAddress(f"no mail can be sent to {text[:80]!r}") from wrong


def one_line(text: str) -> str:
    """The text without what could begin a new line or hide something in a header."""
    kept = (" " if unicodedata.category(each)[0] in "CZ" else each for each in text)
    return " ".join("".join(kept).split())
