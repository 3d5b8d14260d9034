"""From the end of the first reply to the name of the conversation."""

import re
from contextlib import aclosing

from events.chat import MessageSent, ReplyEnded
from events.envelope import Recorded
from handlers.chat.project.commands import TitleProject
from handlers.handler import Attempt, Handler
from infra.generation import GenerationFailed, GenerationUnavailable, Generator, Turn
from infra.log import Log

LONGEST = 80
"""Characters of a title."""
WORDS = 8
THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.S)
"""What some models say to themselves first."""
SHOWN = 2000
"""Characters of the message that a model is shown."""
ASK = (
    "Name the conversation that begins with the message below: two to six words in its language, that say what it is "
    "about. Answer with the name only, without quotation marks."
)


def titler(*, log: Log, generator: Generator | None) -> Handler:
    """The handler of `reply_ended`."""

    async def title(recorded: Recorded[ReplyEnded], _: Attempt) -> TitleProject | None:
        event = recorded.event
        if event.titled or (message := await _message(log, recorded)) is None:
            return None
        made = None
        if generator and event.outcome == "completed":
            made = await _made(generator, message, event.model)
        return TitleProject(project_id=event.project_id, title=made or first_words(message))

    return Handler(name="title", on=ReplyEnded, effect=title, timeout=180.0, concurrency=16)


async def _message(log: Log, ended: Recorded[ReplyEnded]) -> str | None:
    async with aclosing(log.backwards(ended.stream, ended.position)) as past:  # type: ignore[type-var]
        async for each in past:
            if isinstance(each.event, MessageSent) and each.event.message_id == ended.event.message_id:
                return each.event.content
    return None


async def _made(generator: Generator, message: str, model: str | None) -> str | None:
    turns = (Turn("system", ASK), Turn("user", message[:SHOWN]))
    try:
        async with aclosing(generator.stream(turns, model=model, most=64)) as pieces:  # type: ignore[type-var]
            text = "".join([piece.text async for piece in pieces])
    except (GenerationUnavailable, GenerationFailed):
        return None
    text = THINKING.sub("", text)
    lines = [line.replace("\0", "").strip(" \t#*\"'`“”„«».") for line in text.splitlines()]
    line = next((line for line in lines if line), "")
    return line if 0 < len(line) <= LONGEST else None


def first_words(message: str) -> str:
    """A title where no model makes one."""
    words = message.split()
    title = " ".join(words[:WORDS])
    if len(title) > LONGEST:
        title = title[: LONGEST - 1].rstrip() + "…"
    elif len(words) > WORDS:
        title += " …"
    return title
