"""The model server's part: what it writes, as slowly as a small model on a good machine."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.generation.ollama_server import OllamaServer, Say

FIRST = 0.4
"""Seconds until a model says anything."""
TOKEN = 0.03
"""Seconds from one piece of an answer to the next."""
QUOTE = "Mike to order fifty sheets of drywall by Friday"
COMMANDS = {
    "commands": [
        {
            "kind": "action_item",
            "text": "Order fifty sheets of drywall",
            "owner": "Mike",
            "due": None,
            "quote": QUOTE,
        }
    ]
}
SUMMARY = {
    "summary": "They looked at the boiler room. Fifty sheets of drywall are needed.",
    "actionItems": [],
    "discrepancies": [],
}
REPLY = "Fifty sheets of drywall are needed by Friday, as it was said in the boiler room [1]."


@contextmanager
def writing(server: OllamaServer) -> Iterator[None]:
    """Within this it hears commands, sums up and answers."""
    with ExitStack() as stack:
        stack.enter_context(
            server.says(lambda _: True, Say([f"{word} " for word in REPLY.split()], delay=TOKEN, first=FIRST))
        )
        for asked, answer in (("commands", COMMANDS), ("discrepancies", SUMMARY)):
            told = Say([json.dumps(answer)], first=FIRST)
            stack.enter_context(server.says(lambda body, asked=asked: _asks(body, asked), told))
        yield


def _asks(body: dict[str, Any], member: str) -> bool:
    """Whether structured output with such a member is asked for."""
    return member in str(body.get("format", ""))
