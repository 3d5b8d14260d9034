"""The bundled recordings and plan, the words in them, and the script that made them (`make.py`)."""

from pathlib import Path

SITE_NOTE = Path(__file__).with_name("site-note.ogg")
"""A builder's note to Headwater: one voice, about twenty seconds, with spoken commands."""

PLAN = Path(__file__).with_name("plan.pdf")
"""The plan of the room that the note is about: two pages, and ten sheets of drywall less than the note asks for."""

WALKTHROUGH = Path(__file__).with_name("walkthrough.ogg")
"""A builder and an inspector walk through a house: two voices, about four minutes."""


def spoken(recording: Path) -> str:
    """What is said in a bundled recording, without the speakers' names."""
    turns = recording.with_suffix(".txt").read_text().splitlines()
    return " ".join(words for _, _, words in (turn.partition(": ") for turn in turns) if words)
