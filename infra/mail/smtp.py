"""Mail by SMTP: TLS on port 465, STARTTLS where it is offered, a connection for each mail."""

import ipaddress
from contextlib import suppress

import aiosmtplib
from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from infra.delivery import Undelivered
from infra.mail import Sender
from infra.mail.rendering import NotAnAddress, address, from_sender

TLS_PORT = 465
PATIENCE = 30.0
"""Seconds for a connection or the answer to a command."""
TAKING = 90.0
"""Seconds that a server has to take a mail."""


class SmtpMailer:
    """Sends through one server. Credentials travel encrypted only, except within this machine."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sender: Sender,
        user: str | None = None,
        password: str | None = None,
        patience: float = PATIENCE,
        taking: float = TAKING,
    ) -> None:
        self.sender = sender
        self._host = host
        self._port = port
        self._user = user
        self._password = password
        self._patience = patience
        self._taking = taking

    async def send(self, recipient: str, mail: bytes) -> str:
        """Everything up to the mail's last byte may fail without doubt; only then a missing answer leaves one."""
        client = self._client()
        try:
            await client.connect()
            await client.mail(self.sender.address)
            await client.rcpt(str(address(recipient)))
        except NotAnAddress as wrong:
            client.close()
            raise Undelivered("ADDRESS_UNUSABLE", str(wrong), final=True) from wrong
        except (SMTPException, OSError, ValueError) as failure:
            client.close()
            raise _undelivered(failure) from failure
        try:
            answer = await client.data(from_sender(mail, self.sender), timeout=self._taking)
        except SMTPResponseException as refused:
            client.close()
            raise _undelivered(refused) from refused
        except (SMTPException, OSError) as lost:
            client.close()
            detail = "The connection broke, or no answer came, while the server was taking the mail."
            raise Undelivered("NO_ANSWER", detail, uncertain=True) from lost
        with suppress(SMTPException, OSError):
            await client.quit(timeout=1.0)
        client.close()
        return f"{answer.code} {answer.message}"[:500]

    async def check(self) -> None:
        """Connect and sign in, as for a mail. Raises `Undelivered`."""
        client = self._client()
        try:
            await client.connect()
            await client.quit(timeout=1.0)
        except (SMTPException, OSError, ValueError) as failure:
            raise _undelivered(failure) from failure
        finally:
            client.close()

    def _client(self) -> SMTP:
        implicit, secret = self._port == TLS_PORT, self._user is not None
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            timeout=self._patience,
            use_tls=implicit,
            start_tls=True if secret and not implicit and not _is_here(self._host) else None,
            validate_certs=implicit or secret,  # where plain text would do, any encryption is better
        )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _undelivered(failure: Exception) -> Undelivered:
    """What a failure before the mail was under way, or a plain refusal of it, means: 5xx is final, all else is not."""
    if isinstance(failure, SMTPResponseException):
        said = " ".join(str(failure.message).split())[:300]
        return Undelivered(f"SMTP_{failure.code}", said, final=500 <= failure.code < 600)
    return Undelivered("SMTP_UNREACHABLE", f"{type(failure).__name__}: {failure}"[:300])
