"""The Content-Disposition of a downloaded blob."""

from urllib.parse import quote

PLAYABLE = ("audio/", "video/")


def content_disposition(name: str, media_type: str) -> str:
    """Recordings play where they are opened; anything else, which may be a hostile page, is saved to disk."""
    kind = "inline" if media_type.startswith(PLAYABLE) else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"
