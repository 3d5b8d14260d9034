"""From a message to the reply: told piece by piece while it is made, recorded when it has ended."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from events.chat import Asked, MessageSent, ReplyRequested, SourceUsed
from events.envelope import Recorded
from events.ids import new_id
from handlers.chat.project.commands import EndReply
from handlers.chat.project.conversation import branch, over
from handlers.chat.project.sourced import Find, Made, findings, place, used, write
from handlers.chat.reply.words import Words
from handlers.commands import Command
from handlers.handler import Attempt, Failure, Handler
from infra.embedding import Embedder
from infra.generation import GenerationFailed, GenerationUnavailable, Generator, Model, Piece, Turn, Usage
from infra.generation.context import fitting
from infra.log import Log
from infra.replies import Pen, Told, gone_subject, reply_subject, stop_subject
from infra.signals import Signals

LONGEST = 3600.0
"""Seconds for one attempt: a long reply of a large model on a slow machine."""
LARGEST = 400_000
"""Characters of a reply: what is more is cut off."""
AT_ONCE = 256
PATIENCE, PAUSE = 10.0, 0.2
"""Seconds within which whoever stops a reply ends it, and between two looks."""
TEMPERATURE = 0.7
"""Not 0: another reply to the same message should be another one."""
INSTRUCTIONS = (
    "You are a helpful assistant. Answer in Markdown. Put code in fenced blocks that name the language."
)
NO_MODEL = (
    "No model server is configured. Set OLLAMA_URL and OLLAMA_MODEL to a running Ollama and one of its models "
    "(ollama pull llama3.2), or CLAUDE_API_KEY, and start again."
)


@dataclass(frozen=True)
class Scribe:
    """What replies are made with."""

    log: Log
    signals: Signals
    words: Words
    find: Find
    embedder: Embedder
    generator: Generator | None
    limit: int
    """Messages that a model is shown."""

    async def reply(self, recorded: Recorded[Asked], attempt: Attempt) -> Sequence[Command]:
        """How the reply ends; nothing when it has ended meanwhile."""
        event = recorded.event
        async with (
            self.signals.heard(stop_subject(event.project_id, event.reply_id)) as stopped,
            self.signals.heard(gone_subject(event.project_id)) as gone,
        ):
            if await over(self.log, recorded):
                return ()
            if self.generator is None and not event.manner.contexts:
                return (_failed(event, attempt.number, "AI_UNAVAILABLE", NO_MODEL),)
            pen = await self._pen(event, attempt)
            writing = asyncio.create_task(self._write(recorded, pen))
            tasks = (writing, *(asyncio.create_task(each.wait()) for each in (stopped, gone)))
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if writing.done():
                    return await writing
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
                return () if gone.is_set() else await self._stopped(recorded, pen)
            finally:
                for each in tasks:
                    each.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _stopped(self, recorded: Recorded[Asked], pen: Pen) -> Sequence[Command]:
        """Hand over what came to whoever has stopped it, who ends it; when he does not, it ends here."""
        await pen.break_off()
        for _ in range(int(PATIENCE / PAUSE)):
            if await over(self.log, recorded):
                return ()
            await asyncio.sleep(PAUSE)
        event = recorded.event
        end = EndReply(
            project_id=event.project_id,
            reply_id=event.reply_id,
            outcome="stopped",
            content=pen.text,
            attempts=pen.attempt,
        )
        return await self._kept(end, pen.sources)

    async def _pen(self, event: Asked, attempt: Attempt) -> Pen:
        """One whose run goes before every earlier one of the same reply."""
        subject = reply_subject(event.project_id, event.reply_id)
        earlier = (await self.signals.latest([subject], Told)).get(subject)
        number = max(attempt.number, earlier.attempt + 1 if earlier else 1)
        return Pen(partial(self.signals.send, subject), run=str(new_id()), attempt=number)

    async def _write(self, recorded: Recorded[Asked], pen: Pen) -> Sequence[Command]:
        event = recorded.event
        spoken = await branch(self.log, self.words, recorded, self.limit)
        found, sources = None, spoken.sources
        if event.manner.contexts:
            found = await findings(self.find, event.manner, spoken.turns)
            sources |= used(found.passages)
        await pen.begin(tuple(sources))
        try:
            if found:
                made = await write(
                    found, spoken.turns, event.manner, pen, embedder=self.embedder, generator=self.generator
                )
                went_in = used(made.answer.context) | (spoken.sources if made.answer.model else frozenset())
                return await self._kept(_answered(event, pen, made), went_in if made.answer.known else ())
            return await self._kept(await self._free(event, spoken.turns, pen), sources)
        except GenerationUnavailable as away:
            code, detail = away.code, away.detail
        except GenerationFailed as broken:
            code, detail = "AI_ERROR", broken.detail
        await pen.end()
        return await self._kept(_failed(event, pen.attempt, code, detail, pen.text), sources)

    async def _free(self, event: Asked, turns: Sequence[Turn], pen: Pen) -> EndReply:
        """A reply out of what the model knows."""
        if self.generator is None:
            raise GenerationUnavailable("AI_UNAVAILABLE", NO_MODEL)
        manner = event.manner
        about = await self.generator.about(manner.model)
        system = [Turn("system", manner.instructions or INSTRUCTIONS)]
        shown = fitting(system, turns, about.context_tokens)
        last = await _take(self.generator.stream(shown, model=manner.model, temperature=TEMPERATURE), pen)
        return _completed(event, pen, last, about, len(shown) - len(system))

    async def _kept(self, end: EndReply, sources: Collection[SourceUsed]) -> Sequence[Command]:
        """The end; with words that may be from sources kept apart from it."""
        if not sources or not end.content:
            return (end,)
        words = await self.words.keep(
            end.project_id, end.reply_id, end.content, sources, citations=end.citations
        )
        places = tuple(map(place, end.citations))
        return words, msgspec.structs.replace(end, content="", citations=places, apart=True)


async def _take(pieces: AsyncIterator[Piece], pen: Pen) -> Piece:
    """Write all of it down; its last piece, which tells of the whole."""
    last, length = Piece(""), 0
    async with aclosing(pieces):  # type: ignore[type-var]
        async for piece in pieces:
            if text := piece.text[: LARGEST - length]:
                await pen.write(text)
            length += len(text)
            last = Piece("", piece.usage or last.usage, cut=piece.cut or last.cut or text != piece.text)
            if length == LARGEST:
                break
    await pen.end()
    return last


def _completed(event: Asked, pen: Pen, last: Piece, about: Model, messages: int) -> EndReply:
    usage = last.usage or Usage()
    return EndReply(
        project_id=event.project_id,
        reply_id=event.reply_id,
        outcome="completed" if pen.text else "failed",
        content=pen.text,
        model=f"{about.provider}:{about.name}",
        digest=about.digest,
        cut=last.cut,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        context_messages=messages,
        attempts=pen.attempt,
        code=None if pen.text else "AI_ERROR",
        detail=None if pen.text else "The model has answered nothing.",
    )


def _answered(event: Asked, pen: Pen, made: Made) -> EndReply:
    """The end of a reply from sources."""
    about, usage = made.answer.model, made.answer.usage or Usage()
    return EndReply(
        project_id=event.project_id,
        reply_id=event.reply_id,
        outcome="completed",
        content=made.text,
        model=f"{about.provider}:{about.name}" if about else None,
        digest=about.digest if about else None,
        method=made.answer.method,
        citations=made.citations,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        context_messages=made.shown,
        attempts=pen.attempt,
    )


def _failed(event: Asked, attempts: int, code: str, detail: str, content: str = "") -> EndReply:
    return EndReply(
        project_id=event.project_id,
        reply_id=event.reply_id,
        outcome="failed",
        content=content,
        code=code,
        detail=detail,
        attempts=attempts,
    )


def repliers(scribe: Scribe) -> tuple[Handler, ...]:
    """The handlers of `message_sent` and `reply_requested`."""

    def give_up(recorded: Recorded[Any], failure: Failure) -> EndReply:
        detail = f"The reply failed and is among the dead letters. {failure.error}"
        return _failed(recorded.event, failure.attempts, "AI_ERROR", detail)

    return tuple(
        Handler(
            name=name, on=event, effect=scribe.reply, give_up=give_up, timeout=LONGEST, concurrency=AT_ONCE
        )
        for name, event in (("reply", MessageSent), ("reply_again", ReplyRequested))
    )
