"""Mail as bytes, and by SMTP to a real server."""

import asyncio
import ssl
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP as POLICY
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from infra.delivery import Undelivered
from infra.mail import NOBODY, Sender
from infra.mail.reading import parts
from infra.mail.rendering import Mail, NotAnAddress, from_sender, message_id, rendered
from infra.mail.smtp import SmtpMailer
from tests.notifications.mail_server import DROP, STALL, MailServer, mail_server

ID = UUID(int=7)
SENDER = Sender("Headwater", "reports@example.com")
MONDAY = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
ANN = "ann@example.com"
MAIL = Mail(ID, SENDER, ANN, "Boiler room", "Two items.\n", "<p>Two items.</p>", MONDAY)
INJECTIONS = ["a\r\nBcc: e@example.com", "a@b\r\nBcc: e"]


def test_a_mail_is_the_same_bytes_each_time_with_text_and_html() -> None:
    assert rendered(MAIL) == rendered(MAIL)
    message = message_from_bytes(rendered(MAIL), policy=POLICY)
    assert message["Message-ID"] == message_id(ID, SENDER) == f"<{ID}@example.com>"
    assert message["Date"] == "Mon, 16 Nov 2026 07:30:00 +0000"
    assert message["From"] == "Headwater <reports@example.com>"
    assert (message["To"], message["Subject"]) == ("ann@example.com", "Boiler room")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    shown = parts(rendered(MAIL))
    assert (shown.text, shown.html) == ("Two items.\r\n", "<p>Two items.</p>\r\n")


def test_a_mail_without_html_is_plain() -> None:
    assert parts(rendered(MAIL._replace(html=None))) == ("Two items.\r\n", None)


@given(st.text(max_size=300))
def test_no_subject_and_no_name_makes_another_header(text: str) -> None:
    written = rendered(MAIL._replace(subject=text, sender=Sender(text, "reports@example.com")))
    message = message_from_bytes(written, policy=POLICY)
    assert message.keys()[:6] == ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
    assert set(message.keys()[6:]) == {"MIME-Version", "Content-Type"}
    assert not message.defects


@pytest.mark.parametrize("subject", ["a\r\nBcc: eve@example.com", "a\nBcc: eve@example.com", "a\u2028Bcc: e"])
def test_a_subject_is_one_line(subject: str) -> None:
    message = message_from_bytes(rendered(MAIL._replace(subject=subject)), policy=POLICY)
    assert message["Bcc"] is None
    assert message["Subject"].startswith("a Bcc: e")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "jörg@example.com",
        "a b@example.com",
        "a@[x",
        "a@[127.0.0.1]",
        *INJECTIONS,
    ],
)
def test_what_is_no_address_gets_no_mail(text: str) -> None:
    with pytest.raises(NotAnAddress):
        rendered(MAIL._replace(recipient=text))


def test_a_domain_may_have_any_letters() -> None:
    written = rendered(MAIL._replace(recipient="ann@bücher.example"))
    assert message_from_bytes(written, policy=POLICY)["To"] == "ann@xn--bcher-kva.example"


def test_mail_that_was_kept_gets_its_sender_when_it_is_sent() -> None:
    long = Sender("A name that is so long that its header does not fit on one line any more", "a@example.com")
    kept = rendered(MAIL._replace(sender=long))
    assert from_sender(kept, long) == kept
    sent = message_from_bytes(from_sender(rendered(MAIL._replace(sender=NOBODY)), SENDER), policy=POLICY)
    assert sent["From"] == "Headwater <reports@example.com>"
    assert sent["Message-ID"] == f"<{ID}@localhost>"


def mailer(server: MailServer, **options: float | str) -> SmtpMailer:
    return SmtpMailer(host="127.0.0.1", port=server.port, sender=SENDER, **options)  # type: ignore[arg-type]


async def test_a_mail_arrives_and_leaves_a_receipt() -> None:
    async with mail_server() as server:
        receipt = await mailer(server).send("ann@example.com", rendered(MAIL))
    assert receipt == "250 OK queued as 1"
    [received] = server.received
    assert (received.sender, received.recipient) == ("reports@example.com", "ann@example.com")
    assert received.message["Message-ID"] == message_id(ID, SENDER)


@pytest.mark.parametrize(
    ("treat", "code", "final", "uncertain"),
    [
        ("451 try later", "SMTP_451", False, False),
        ("554 no such thing", "SMTP_554", True, False),
        (DROP, "NO_ANSWER", False, True),
        (STALL, "NO_ANSWER", False, True),
    ],
)
async def test_how_a_mail_fails(treat: str, code: str, final: bool, uncertain: bool) -> None:
    async with mail_server() as server:
        server.treats["ann@example.com"].append(treat)
        with pytest.raises(Undelivered) as failure:
            await mailer(server, taking=0.3).send("ann@example.com", rendered(MAIL))
    assert (failure.value.code, failure.value.final, failure.value.uncertain) == (code, final, uncertain)


async def test_a_recipient_that_is_refused_is_refused_without_doubt() -> None:
    async with mail_server() as server:
        server.refuses["ann@example.com"] = "550 no such user"
        with pytest.raises(Undelivered) as failure:
            await mailer(server).send("ann@example.com", rendered(MAIL))
    assert (failure.value.code, failure.value.final, server.received) == ("SMTP_550", True, [])


async def test_a_server_that_is_away_is_tried_again() -> None:
    async with mail_server() as server:
        pass
    with pytest.raises(Undelivered) as failure:
        await mailer(server).send("ann@example.com", rendered(MAIL))
    assert (failure.value.code, failure.value.final) == ("SMTP_UNREACHABLE", False)


async def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Undelivered) as failure:
        await SmtpMailer(host="127.0.0.1", port=port, sender=SENDER, patience=0.2).send("a@b.example", b"")
    server.close()
    assert (failure.value.code, failure.value.uncertain) == ("SMTP_UNREACHABLE", False)


def certificate(folder: Path) -> Path:
    """Of `localhost`, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2126, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file


async def test_encryption_is_used_where_it_is_offered(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    async with mail_server(tls_context=context, require_starttls=True) as server:
        await mailer(server).send("ann@example.com", rendered(MAIL))
    assert len(server.received) == 1


async def test_credentials_do_not_travel_in_the_open_beyond_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infra.mail.smtp._is_here", lambda _: False)
    async with mail_server(auth_require_tls=False) as server:
        with pytest.raises(Undelivered) as failure:
            await mailer(server, user="me", password="secret").send("ann@example.com", rendered(MAIL))
    assert (failure.value.code, failure.value.final) == ("SMTP_UNREACHABLE", False)
    assert "secret" not in failure.value.detail
    assert server.received == []
