"""What the facts of a conversation do to the rows that are read."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from events.chat import BranchShown, ProjectTitled
from events.envelope import Event, Intent, Recorded, to_headers
from projections.changes import Change
from projections.chat import CHAT
from tests.chat.facts import ASKED_AGAIN, CREATED, DELETED, ENDED, M1, MANNER, PROJECT, R1, R3, SENT
from tests.jobsite.facts import MONDAY


def changes(event: Event, position: int = 7) -> list[Change]:
    at = MONDAY + timedelta(minutes=position)
    intent = Intent(command_id=UUID(int=9), actor="key:ann", at=at, correlation_id=UUID(int=9))
    recorded = Recorded(event, to_headers(event, UUID(int=position), intent), "CHAT", position)
    return list(CHAT.rows(recorded, None))


def shown(change: Change, *names: str) -> tuple[Any, ...]:
    return (change.kind, change.table.name, *(change.values[name] for name in names))


def test_a_project_begins_empty() -> None:
    [project] = changes(CREATED)
    assert shown(project, "title", "messages", "created_by") == (
        "upsert",
        "projects",
        "New Project",
        0,
        "key:ann",
    )
    assert msgspec.json.decode(project.values["manner"], type=type(MANNER)) == MANNER


def test_a_message_comes_with_the_place_of_its_reply() -> None:
    message, reply, project = changes(replace(SENT, content="```py\nx\n```"))
    assert message.key == (PROJECT, M1)
    assert shown(message, "role", "status", "parent") == ("upsert", "messages", "user", "completed", None)
    assert '"language":"py"' in message.values["code_blocks"]
    assert reply.key == (PROJECT, R1)
    assert shown(reply, "role", "status", "parent") == ("upsert", "messages", "assistant", "processing", M1)
    assert shown(project, "messages", "leaf", "running") == ("patch", "projects", 1, R1, R1)


def test_another_reply_stands_beside_the_first() -> None:
    reply, project = changes(ASKED_AGAIN)
    assert reply.key == (PROJECT, R3)
    assert shown(reply, "parent", "content") == ("upsert", "messages", M1, "")
    assert project.values["leaf"] == R3


def test_a_reply_ends_with_all_of_its_text() -> None:
    reply, project = changes(ENDED)
    assert shown(reply, "status", "content", "model") == ("patch", "messages", "completed", "Hi", "tiny")
    assert shown(project, "messages", "running") == ("patch", "projects", 2, None)


def test_a_title_and_a_branch_change_the_project_only() -> None:
    [titled] = changes(ProjectTitled(project_id=PROJECT, title="Greetings"))
    assert titled.values["title"] == "Greetings"
    [branch] = changes(BranchShown(project_id=PROJECT, leaf_id=R1))
    assert branch.values["leaf"] == R1


def test_a_deleted_project_leaves_no_row() -> None:
    assert [(each.kind, each.table.name, each.key) for each in changes(DELETED)] == [
        ("delete", "messages", (PROJECT,)),
        ("delete", "requests", (PROJECT,)),
        ("delete", "projects", (PROJECT,)),
    ]
