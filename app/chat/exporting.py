"""A conversation as Markdown."""

import re
from collections.abc import Sequence

from app.chat.views import MessageView, ProjectSummary
from infra.codeblocks import code_blocks

FENCE = re.compile("`{3,}|~{3,}")

NAMES = {"user": "You", "assistant": "Assistant"}


def as_markdown(project: ProjectSummary, messages: Sequence[MessageView]) -> str:
    """Its title, then who said what, with what replies cite."""
    parts = [f"# {' '.join(project.title.split())}"]
    for each in messages:
        who = NAMES[each.role] + (f" ({each.model})" if each.model else "")
        parts += [f"## {who}, {each.created_at:%Y-%m-%d %H:%M} UTC", _closed(each.content.rstrip())]
        if each.citations:
            parts.append(
                "\n".join(f"- [{cited.marker}] {cited.title}: {cited.quote}" for cited in each.citations)
            )
    return "\n\n".join(parts) + "\n"


def _closed(content: str) -> str:
    """With an end for a fence that has none, or all that follows would be code."""
    blocks = code_blocks(content)
    if not blocks or blocks[-1].closed:
        return content
    fence = FENCE.match(content, blocks[-1].start_index)
    return f"{content}\n{fence[0]}" if fence else content
