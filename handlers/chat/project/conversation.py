"""What was said in a conversation, read back from the log as far as a reply needs it."""

from contextlib import aclosing
from functools import reduce
from typing import NamedTuple

from events.chat import Asked, MessageSent, ReplyEnded, SourceUsed
from events.envelope import Recorded
from handlers.chat.project.decide import PROJECTS, Project
from handlers.chat.reply.words import Words
from infra.generation import Turn
from infra.log import Log


class Spoken(NamedTuple):
    """The last messages of a branch, oldest first, and the sources that may have gone into them."""

    turns: list[Turn]
    sources: frozenset[SourceUsed]


async def branch(log: Log, words: Words, asked: Recorded[Asked], limit: int) -> Spoken:
    """The last messages of the branch that ends with what is to be replied to.

    A message is always newer than the one it follows, so one way back through the events meets them all.
    """
    wanted, turns, sources = asked.event.message_id, list[Turn](), set[SourceUsed]()
    async with aclosing(log.backwards(asked.stream, asked.position)) as past:  # type: ignore[type-var]
        async for each in past:
            match each.event:
                case MessageSent(message_id=found, content=content, parent_id=parent) if found == wanted:
                    turns.append(Turn("user", content))
                case ReplyEnded(reply_id=found, content=content, message_id=parent) if found == wanted:
                    if each.event.apart and (kept := await words.of(found)):
                        content = kept.text
                        sources.update(kept.sources)
                    if content:
                        turns.append(Turn("assistant", content))
                case _:
                    continue
            if parent is None or len(turns) == limit:
                break
            wanted = parent
    return Spoken(turns[::-1], frozenset(sources))


async def over(log: Log, asked: Recorded[Asked]) -> bool:
    """Whether the reply has ended already, or its conversation is gone. Costs the same however much has come since."""
    history = await log.load(asked.event.key, whole=PROJECTS.whole)
    state = reduce(PROJECTS.evolve, (each.event for each in history), PROJECTS.initial)
    running = state.running if isinstance(state, Project) else None
    return running is None or running.reply_id != asked.event.reply_id
