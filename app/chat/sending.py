"""What people do in a project, over HTTP and on sockets alike."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec

from app.chat import queries
from app.chat.finding import ProjectSources
from app.chat.views import Sent
from events.chat import ReplyRequested
from events.envelope import Intent, Key
from events.ids import derived_id
from handlers.chat.project.commands import EndReply, ProjectCommand, RequestReply, SendMessage, ShowBranch
from handlers.chat.project.decide import PROJECTS, Project
from handlers.chat.reply.words import Words
from handlers.commands import Commands, Outcome, first_result
from handlers.refusals import Conflict, NotFound
from infra.replies import Draft, Told, reply_subject, stop_subject
from infra.signals import Signals

PATIENCE = 1.0
"""Seconds within which the worker that makes a reply hands over what has come of it."""


@dataclass(frozen=True)
class Sending:
    """Commands, with what must be looked up before."""

    commands: Commands
    db: asyncpg.Pool
    signals: Signals
    words: Words
    sources: ProjectSources

    async def once(self, command: ProjectCommand, made: Intent) -> Outcome:
        """Carry out a command, unless it was in the same request long ago."""
        return await self.first(command.project_id, made) or await self.commands.execute(command, made)

    async def first(self, project_id: UUID, made: Intent) -> Outcome | None:
        """The result of a request that may be one again: from the read model, and from what it has yet to hear of."""
        if made.fingerprint is None:
            return None
        if row := await queries.request(self.db, project_id, made.command_id):
            return first_result("CHAT", row["position"], row["fingerprint"], made)
        project = await queries.project(self.db, project_id)
        key = Key("chat", "project", project_id)
        return await self.commands.first(key, made, behind=project["revision"] if project else 0)

    async def send(
        self, project_id: UUID, content: str, made: Intent, *, contexts: tuple[str, ...], parent: UUID | None = None,
        at_leaf: bool = True, message_id: UUID | None = None,
    ) -> Sent:  # fmt: skip
        """Store a message; a client may choose its id, and nothing is stored twice under it."""
        own, reply_id = message_id, derived_id(made.command_id, "reply")
        message_id = own or derived_id(made.command_id, "message")
        if own and (known := await queries.message(self.db, project_id, own)):
            if known["content"] != content:
                raise Conflict("MESSAGE_ID_TAKEN", f"There is another message {own} already.")
            return Sent(message_id=own, reply_id=reply_id, position=f"CHAT@{known['position']}")
        if parent:
            await self._message(project_id, parent)
        command = SendMessage(
            project_id=project_id,
            message_id=message_id,
            reply_id=reply_id,
            content=content,
            parent_id=parent,
            at_leaf=at_leaf,
            contexts=contexts,
        )
        outcome = await self.once(command, made)
        return Sent(message_id=message_id, reply_id=reply_id, position=outcome.cursor)

    async def edit(
        self, project_id: UUID, message_id: UUID, content: str, made: Intent, *, contexts: tuple[str, ...]
    ) -> Sent:
        """Say something in another way, beside a message of the user."""
        row = await self._message(project_id, message_id)
        if row["role"] != "user":
            raise Conflict(
                "NOT_A_MESSAGE_OF_YOURS", "Only what was sent can be edited; a reply is regenerated."
            )
        return await self.send(
            project_id, content, made, contexts=contexts, parent=row["parent"], at_leaf=False
        )

    async def regenerate(
        self, project_id: UUID, message_id: UUID | None, made: Intent, *, contexts: tuple[str, ...]
    ) -> Sent:
        """Have another reply to a message, or beside a reply."""
        reply_id = derived_id(made.command_id, "reply")
        if first := await self.first(project_id, made):
            asked = await self._asked(project_id, reply_id, first)
            return Sent(message_id=asked, reply_id=reply_id, position=first.cursor)
        if message_id is None:
            project = await queries.project(self.db, project_id)
            message_id = project["leaf"] if project else None
            if message_id is None:
                raise Conflict("NOTHING_TO_REGENERATE", "Nothing has been said yet.")
        row = await self._message(project_id, message_id)
        asked = message_id if row["role"] == "user" else row["parent"]
        command = RequestReply(project_id=project_id, reply_id=reply_id, message_id=asked, contexts=contexts)
        outcome = await self.commands.execute(command, made)
        return Sent(message_id=asked, reply_id=reply_id, position=outcome.cursor)

    async def _asked(self, project_id: UUID, reply_id: UUID, first: Outcome) -> UUID:
        """What a reply that was asked for once replies to."""
        for event in first.events:
            if isinstance(event, ReplyRequested):
                return event.message_id
        parent: UUID = (await self._message(project_id, reply_id))["parent"]
        return parent

    async def show(self, project_id: UUID, message_id: UUID, made: Intent) -> Outcome:
        """Show the newest branch that goes through a message."""
        leaf = await queries.leaf_below(self.db, project_id, message_id)
        if leaf is None:
            raise _not_there(message_id)
        return await self.once(ShowBranch(project_id=project_id, leaf_id=leaf), made)

    async def running(self, project_id: UUID) -> UUID:
        """The reply that is being made, as the log has it: also one that nothing has been told of yet."""
        state = await self.commands.look(PROJECTS, project_id)
        if isinstance(state, Project) and state.running:
            return state.running.reply_id
        raise Conflict("NOT_RUNNING", "No reply is being made.")

    async def stop(self, project_id: UUID, reply_id: UUID, made: Intent, *, draft: Draft | None) -> Outcome:
        """End a reply and keep what came: what its worker hands over, or else the most that was heard of it.

        `draft` is what this process has heard.
        """
        draft = await self._handed_over(project_id, reply_id, draft or Draft())
        sources = draft.begun.sources if draft.begun else ()
        apart = bool(sources and draft.text)
        if apart:
            words = await self.words.keep(project_id, reply_id, draft.text, sources)
            await self.commands.execute(words, part_of(made, "words"), fresh=True)
        command = EndReply(
            project_id=project_id,
            reply_id=reply_id,
            outcome="stopped",
            content="" if apart else draft.text,
            apart=apart,
            attempts=draft.begun.attempt if draft.begun else 0,
        )
        outcome = await self.commands.execute(command, made)
        await self.signals.send(stop_subject(project_id, reply_id), {})
        return outcome

    async def _handed_over(self, project_id: UUID, reply_id: UUID, heard: Draft) -> Draft:
        subject, told = reply_subject(project_id, reply_id), Draft()
        async with self.signals.heard(subject) as said:
            await self.signals.send(stop_subject(project_id, reply_id), {})
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    while not told.last:
                        said.clear()
                        told.take_all(await self.signals.past(subject, Told))
                        if not told.last:
                            await said.wait()
        return told if told.last or len(told.text) >= len(heard.text) else heard

    async def _message(self, project_id: UUID, message_id: UUID) -> asyncpg.Record:
        row = await queries.message(self.db, project_id, message_id)
        if row is None:
            raise _not_there(message_id)
        return row


def part_of(made: Intent, name: str) -> Intent:
    """The intent of a further command of the same request."""
    return msgspec.structs.replace(made, command_id=derived_id(made.command_id, name))


def _not_there(message_id: UUID) -> NotFound:
    return NotFound("MESSAGE_NOT_FOUND", f"There is no message {message_id} in this project.")
