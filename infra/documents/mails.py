"""Mails as their parser likes them: without what their pages are styled and scripted with."""

import email
import email.policy
import re
from email.message import EmailMessage

_DRESS = re.compile(r"<(style|script)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)


def undressed(content: bytes) -> bytes:
    """The mail, its web pages reduced to what a reader sees; as it is where there is nothing to take away."""
    lowered = content.lower()
    if b"text/html" not in lowered:
        return content
    message = email.message_from_bytes(content, policy=email.policy.SMTP)
    try:
        changed = [_undress(part) for part in message.walk() if part.get_content_type() == "text/html"]
        return message.as_bytes() if any(changed) else content
    except (LookupError, ValueError, AttributeError, TypeError):  # a mail that breaks the rules of mails
        return content


def _undress(part: EmailMessage) -> bool:
    page = part.get_content()
    plain = _DRESS.sub("", page)
    if plain == page or part.is_attachment():
        return False
    part.set_content(plain, subtype="html")
    return True
