"""What people do in a project, over HTTP and on sockets alike."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec

from app.chat import queries
from app.chat.views import Sent
from events.envelope import Intent
from events.ids import derived_id
from handlers.chat.project.commands import EndReply, RequestReply, SendMessage, ShowBranch
from handlers.commands import Commands, Outcome
from handlers.refusals import Conflict, NotFound
from infra.replies import Draft, Told, reply_subject, stop_subject
from infra.signals import Signals


@dataclass(frozen=True)
class Sending:
    """Commands, with what must be looked up before."""

    commands: Commands
    db: asyncpg.Pool
    signals: Signals

    async def send(
        self, project_id: UUID, content: str, made: Intent, *, parent: UUID | None = None, at_leaf: bool = True,
        message_id: UUID | None = None, again: bool = False,
    ) -> Sent:  # fmt: skip
        """Store a message. `again` says that it may have been stored before, under the same id."""
        message_id = message_id or derived_id(made.command_id, "message")
        reply_id = derived_id(made.command_id, "reply")
        if again and (known := await queries.message(self.db, project_id, message_id)):
            return Sent(message_id=message_id, reply_id=reply_id, position=f"CHAT@{known['position']}")
        if parent:
            await self._message(project_id, parent)
        command = SendMessage(
            project_id=project_id,
            message_id=message_id,
            reply_id=reply_id,
            content=content,
            parent_id=parent,
            at_leaf=at_leaf,
        )
        outcome = await self.commands.execute(command, made, whole_past=not again)
        return Sent(message_id=message_id, reply_id=reply_id, position=outcome.cursor)

    async def edit(self, project_id: UUID, message_id: UUID, content: str, made: Intent) -> Sent:
        """Say something in another way, beside a message of the user."""
        row = await self._message(project_id, message_id)
        if row["role"] != "user":
            raise Conflict(
                "NOT_A_MESSAGE_OF_YOURS", "Only what was sent can be edited; a reply is regenerated."
            )
        return await self.send(project_id, content, made, parent=row["parent"], at_leaf=False)

    async def regenerate(self, project_id: UUID, message_id: UUID | None, made: Intent) -> Sent:
        """Have another reply to a message, or beside a reply."""
        if message_id is None:
            project = await queries.project(self.db, project_id)
            message_id = project["leaf"] if project else None
            if message_id is None:
                raise Conflict("NOTHING_TO_REGENERATE", "Nothing has been said yet.")
        row = await self._message(project_id, message_id)
        asked = message_id if row["role"] == "user" else row["parent"]
        reply_id = derived_id(made.command_id, "reply")
        command = RequestReply(project_id=project_id, reply_id=reply_id, message_id=asked)
        outcome = await self.commands.execute(command, made, whole_past=True)
        return Sent(message_id=asked, reply_id=reply_id, position=outcome.cursor)

    async def show(self, project_id: UUID, message_id: UUID, made: Intent) -> Outcome:
        """Show the newest branch that goes through a message."""
        leaf = await queries.leaf_below(self.db, project_id, message_id)
        if leaf is None:
            raise _not_there(message_id)
        command = ShowBranch(project_id=project_id, leaf_id=leaf)
        return await self.commands.execute(command, made, whole_past=True)

    async def stop(self, project_id: UUID, reply_id: UUID, made: Intent, *, draft: Draft | None) -> Outcome:
        """End a reply and keep what came; without a `draft`, what `LIVE` still has of it."""
        if draft is None:
            draft = Draft()
            past = await self.signals.past(reply_subject(project_id, reply_id))
            draft.take_all(msgspec.json.decode(each, type=Told) for each in past)
        command = EndReply(
            project_id=project_id,
            reply_id=reply_id,
            outcome="stopped",
            content=draft.text,
            attempts=draft.begun.attempt if draft.begun else 0,
        )
        outcome = await self.commands.execute(command, made)
        await self.signals.send(stop_subject(project_id, reply_id), {})
        return outcome

    async def _message(self, project_id: UUID, message_id: UUID) -> asyncpg.Record:
        row = await queries.message(self.db, project_id, message_id)
        if row is None:
            raise _not_there(message_id)
        return row


def _not_there(message_id: UUID) -> NotFound:
    return NotFound("MESSAGE_NOT_FOUND", f"There is no message {message_id} in this project.")
