"""What the facts of a conversation do to the rows that are read."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from events.chat import BranchShown, ProjectTitled, ReplyDeleted, ReplyWritten, SourceUsed
from events.envelope import Event, Intent, Recorded, to_headers
from infra.retrieval.saved import SavedReply
from projections.changes import Change
from projections.chat import CHAT
from tests.chat.facts import ASKED_AGAIN, CREATED, DELETED, ENDED, M1, MANNER, PROJECT, R1, R3, SENT
from tests.jobsite.facts import MONDAY


def changes(
    event: Event, position: int = 7, *, content: SavedReply | None = None, fingerprint: str | None = None
) -> list[Change]:
    at = MONDAY + timedelta(minutes=position)
    intent = Intent(
        command_id=UUID(int=9), actor="key:ann", at=at, correlation_id=UUID(int=9), fingerprint=fingerprint
    )
    recorded = Recorded(event, to_headers(event, UUID(int=position), intent), "CHAT", position)
    return list(CHAT.rows(recorded, content))


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


WRITTEN = ReplyWritten(
    reply_id=R1,
    project_id=PROJECT,
    blob="5f" * 32,
    size=9,
    sources=(SourceUsed(context="knowledge", kind="document", source_id=UUID(int=21)),),
)


def test_words_that_are_kept_apart_come_from_their_blob_and_the_end_does_not_touch_them() -> None:
    message, source = changes(WRITTEN, content=SavedReply(text="```py\nx\n```"))
    assert shown(message, "content") == ("patch", "messages", "```py\nx\n```")
    assert '"language":"py"' in message.values["code_blocks"]
    assert (source.table.name, source.key) == ("reply_sources", (R1, UUID(int=21)))
    reply, _ = changes(replace(ENDED, content="", apart=True))
    assert not {"content", "code_blocks", "citations"} & reply.values.keys()


def test_when_words_are_gone_nothing_is_left_that_an_erased_log_would_not_give() -> None:
    source, message, project = changes(ReplyDeleted(reply_id=R1, project_id=PROJECT))
    assert (source.kind, source.table.name, source.key) == ("delete", "reply_sources", (R1,))
    written, _ = changes(WRITTEN, content=SavedReply(text="x"))
    assert written.values.keys() <= message.values.keys()
    assert shown(message, "content", "citations", "status") == ("patch", "messages", "", "[]", "withdrawn")
    assert shown(project, "withdrawn") == ("patch", "projects", 7)


def test_only_what_has_a_key_of_the_clients_is_remembered_as_a_request() -> None:
    assert "requests" not in {each.table.name for each in changes(SENT)}
    [*_, request] = changes(SENT, fingerprint="ab")
    assert (request.table.name, request.key) == ("requests", (PROJECT, UUID(int=9)))
    assert shown(request, "fingerprint", "position") == ("upsert", "requests", "ab", 7)


def test_a_deleted_project_leaves_no_row() -> None:
    assert [(each.kind, each.table.name, each.key) for each in changes(DELETED)] == [
        ("delete", "messages", (PROJECT,)),
        ("delete", "requests", (PROJECT,)),
        ("delete", "projects", (PROJECT,)),
    ]
