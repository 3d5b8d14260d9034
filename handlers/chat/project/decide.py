"""Rules of a conversation: one reply at a time, nothing is overwritten, and what was ended stays ended.

The state holds what decisions need and nothing of what was said, so that it costs the same after five messages and
after five thousand; an event that asks for a reply repeats all of it. What somebody asks for is recorded even where it
changes nothing: the same request, sent again late, would undo what others have done meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET

from events.chat import (
    Asked,
    BranchShown,
    Manner,
    MessageSent,
    ProjectConfigured,
    ProjectCreated,
    ProjectDeleted,
    ProjectEvent,
    ProjectRenamed,
    ProjectTitled,
    ReplyEnded,
    ReplyRequested,
)
from handlers.chat.project.commands import (
    COMMANDS,
    ConfigureProject,
    CreateProject,
    DeleteProject,
    EndReply,
    ProjectCommand,
    RenameProject,
    RequestReply,
    SendMessage,
    ShowBranch,
    TitleProject,
)
from handlers.commands import Decider, as_told
from handlers.refusals import Conflict, Forbidden, NotFound

UNTITLED = "New Project"


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Deleted:
    pass


@dataclass(frozen=True)
class Running:
    """A reply that is being made."""

    reply_id: UUID
    message_id: UUID
    before: UUID | None = None
    """What was shown before another reply was asked for."""


@dataclass(frozen=True)
class Project:
    manner: Manner
    titled: bool
    messages: int = 0
    leaf: UUID | None = None
    """The last message of the shown branch."""
    running: Running | None = None


State = Absent | Deleted | Project


def no_project() -> NotFound:
    """In the words that front ends wait for."""
    return NotFound("PROJECT_NOT_FOUND", "project not found")


def decide(command: ProjectCommand, state: State) -> Sequence[ProjectEvent]:
    match command, state:
        case CreateProject() as c, Absent():
            return [
                ProjectCreated(
                    project_id=c.project_id,
                    title=c.title or UNTITLED,
                    titled=c.title is not None,
                    manner=c.manner,
                )
            ]
        case CreateProject(), _:
            return []  # the same request again
        case ((EndReply() | TitleProject()), (Absent() | Deleted())):
            return []  # late news changes nothing
        case _, (Absent() | Deleted()):
            raise no_project()
        case _, Project():
            return _follow(command, state)
    assert_never(command)


def _follow(command: ProjectCommand, project: Project) -> Sequence[ProjectEvent]:
    match command:
        case CreateProject():
            return []
        case RenameProject() as c:
            return [as_told(ProjectRenamed, c)]
        case TitleProject() as c:
            return [] if project.titled else [as_told(ProjectTitled, c)]
        case ConfigureProject() as c:
            return [ProjectConfigured(project_id=c.project_id, manner=_changed(project.manner, c))]
        case SendMessage() as c:
            return [_sent(c, project)]
        case RequestReply() as c:
            _idle(project)
            _readable(project, c.contexts)
            asked = {"manner": project.manner, "titled": project.titled, "messages": project.messages}
            return [as_told(ReplyRequested, c, **asked, before=project.leaf)]
        case EndReply() as c:
            return _ended(c, project)
        case ShowBranch() as c:
            _idle(project)
            return [as_told(BranchShown, c)]
        case DeleteProject() as c:
            return [as_told(ProjectDeleted, c)]
    assert_never(command)


def _changed(manner: Manner, wanted: ConfigureProject) -> Manner:
    given = {name: getattr(wanted, name) for name in Manner.__struct_fields__}
    return msgspec.structs.replace(
        manner, **{name: value for name, value in given.items() if value is not UNSET}
    )


def _sent(command: SendMessage, project: Project) -> MessageSent:
    _idle(project)
    _readable(project, command.contexts)
    return MessageSent(
        project_id=command.project_id,
        reply_id=command.reply_id,
        message_id=command.message_id,
        manner=project.manner,
        titled=project.titled,
        messages=project.messages + 1,
        content=command.content,
        parent_id=project.leaf if command.at_leaf else command.parent_id,
    )


def _ended(command: EndReply, project: Project) -> Sequence[ProjectEvent]:
    """A reply ends once: a second worker's, or one that was stopped meanwhile, changes nothing.

    Where another reply was asked for and says nothing, the one there was is shown again.
    """
    running = project.running
    if running is None or running.reply_id != command.reply_id:
        return []
    says = bool(command.content or command.apart)
    known = {"message_id": running.message_id, "titled": project.titled, "messages": project.messages + says}
    ended = as_told(ReplyEnded, command, **known)
    if says or running.before is None:
        return [ended]
    return [ended, BranchShown(project_id=command.project_id, leaf_id=running.before)]


def _idle(project: Project) -> None:
    if project.running:
        raise Conflict("BUSY", "A reply is being made. Wait for its end, or stop it.")


def _readable(project: Project, contexts: Sequence[str]) -> None:
    """Whoever has something said from sources must be allowed to read them."""
    for context in project.manner.contexts:
        if context not in contexts:
            raise Forbidden("SCOPE_REQUIRED", f"This key does not hold the scope {context}:read.")


def evolve(state: State, event: ProjectEvent) -> State:
    match event, state:
        case ProjectDeleted(), _:
            return Deleted()
        case ProjectCreated() as e, _:
            return Project(manner=e.manner, titled=e.titled)
        case Asked() as e, _:
            return Project(
                manner=e.manner,
                titled=e.titled,
                messages=e.messages,
                leaf=e.reply_id,
                running=Running(
                    e.reply_id, e.message_id, e.before if isinstance(e, ReplyRequested) else None
                ),
            )
        case ReplyEnded() as e, Project() as s:
            return replace(s, messages=e.messages, running=None)
        case ((ProjectRenamed() | ProjectTitled()), Project() as s):
            return replace(s, titled=True)
        case ProjectConfigured() as e, Project() as s:
            return replace(s, manner=e.manner)
        case BranchShown() as e, Project() as s:
            return replace(s, leaf=e.leaf_id)
    return state


def whole(event: ProjectEvent) -> bool:
    """Whether the state follows from this event alone, whatever was before it."""
    return isinstance(event, Asked | ProjectCreated | ProjectDeleted)


PROJECTS: Decider[ProjectCommand, State] = Decider(
    "chat", "project", COMMANDS, Absent(), decide, evolve, whole, creates=(CreateProject,)
)
