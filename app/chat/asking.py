"""From a request to a question in the log."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.chat.answer_views import ChatBody
from app.chat.answerer import scope_of
from app.http.endpoints import Call
from app.intents import created_id, intent
from app.search.searcher import Searcher
from events.chat import AnswerAsked, AnswerScope
from events.envelope import Intent
from handlers.chat.answer.decide import ANSWERS, Ask, Open
from handlers.commands import Commands
from handlers.refusals import Unavailable

WAIT = 30.0
"""Seconds in which the answer of another process is waited for."""
PAUSE = 0.2


class Accepted(NamedTuple):
    """A question that is in the log."""

    asked: AnswerAsked
    intent: Intent
    repeated: bool
    """It was there already: somebody is at it, or has answered."""


class Followed(NamedTuple):
    """The question that another one follows: where it looked."""

    scope: AnswerScope
    contexts: tuple[str, ...]


class Asking:
    """Accepts questions."""

    def __init__(self, *, searcher: Searcher, commands: Commands, clock: Callable[[], datetime]) -> None:
        self._searcher = searcher
        self._commands = commands
        self._clock = clock

    async def accept(self, call: Call[None, ChatBody], before: Followed | None) -> Accepted:
        """Put the question into the log; `before` is the one that it follows.

        Raises `Forbidden`, `NotFound` for a scope that cannot be meant.
        """
        body = call.body
        scope = scope_of(before.scope) if before and not body.scope.members else body.scope
        sources = self._searcher.meant(scope, call.principal.may)
        await self._searcher.check(sources, scope)
        made = intent(call, self._clock, body)
        heard = before.contexts if before else ()  # an answer may repeat what was said before
        command = Ask(
            answer_id=created_id(made, "answer"),
            question=body.question,
            scope=AnswerScope(
                job_id=scope.job_id,
                session_id=scope.session_id,
                document_id=scope.document_id,
                collections=scope.names,
                metadata=scope.metadata,
            ),
            contexts=tuple({source.context: None for source in sources} | dict.fromkeys(heard)),
            model=body.model,
            follows=body.chat_id,
        )
        outcome = await self._commands.execute(command, made, fresh=True)
        asked = AnswerAsked(**{name: getattr(command, name) for name in AnswerAsked.__struct_fields__})
        return Accepted(asked, made, outcome.repeated)

    async def wait_for(self, answer_id: UUID) -> None:
        """Until a question is answered, by whoever is at it. Raises `Unavailable` when that takes too long."""
        for _ in range(round(WAIT / PAUSE)):
            state = await self._commands.look(ANSWERS, answer_id)
            if not isinstance(state, Open):
                return
            await asyncio.sleep(PAUSE)
        raise Unavailable(
            "ANSWER_UNDER_WAY", f"The answer {answer_id} is still being made; ask again.", retry_after=5
        )
