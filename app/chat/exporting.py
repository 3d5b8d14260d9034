"""A conversation as Markdown."""

from collections.abc import Sequence

from app.chat.views import MessageView, ProjectSummary

NAMES = {"user": "You", "assistant": "Assistant"}


def as_markdown(project: ProjectSummary, messages: Sequence[MessageView]) -> str:
    """Its title, then who said what, with what replies cite."""
    parts = [f"# {' '.join(project.title.split())}"]
    for each in messages:
        who = NAMES[each.role] + (f" ({each.model})" if each.model else "")
        parts += [f"## {who}, {each.created_at:%Y-%m-%d %H:%M} UTC", each.content.rstrip()]
        if each.citations:
            parts.append(
                "\n".join(f"- [{cited.marker}] {cited.title}: {cited.quote}" for cited in each.citations)
            )
    return "\n\n".join(parts) + "\n"
