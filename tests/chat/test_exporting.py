"""Conversations as Markdown."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.chat.exporting import as_markdown
from app.chat.views import MessageView, ProjectSummary
from infra.codeblocks import code_blocks

AT = datetime(2026, 11, 27, tzinfo=UTC)
PROJECT = ProjectSummary(id=UUID(int=1), title="Walls", message_count=2, created_at=AT, updated_at=AT)


def said(role: str, content: str) -> MessageView:
    return MessageView(
        id=UUID(int=2), role=role, content=content, code_blocks=(), created_at=AT, parent_id=None
    )


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_code_that_was_cut_does_not_swallow_what_follows(fence: str) -> None:
    cut = f"Look:\n\n{fence}py\nx = 1"
    written = as_markdown(PROJECT, [said("assistant", cut), said("user", "And then?")])
    [block] = code_blocks(written)
    assert (block.code, block.closed) == ("x = 1", True)
    assert "And then?" in written[block.end_index :]


def test_whole_code_stays_as_it_is() -> None:
    assert "\n```\nx\n```\n" in as_markdown(PROJECT, [said("assistant", "\n```\nx\n```\n")])
