"""What counts as a recording: told by its first bytes."""

from handlers.refusals import Invalid, Unsupported
from infra import audio


def recording(head: bytes, name: str, declared: str) -> str:
    """The media type of a recording. Raises `Invalid`, `Unsupported`."""
    if not head:
        raise Invalid("AUDIO_EMPTY", "The file is empty. Send the recording itself.", field="file")
    media_type = audio.media_type(head)
    if media_type is None:
        raise Unsupported(
            "AUDIO_UNSUPPORTED",
            "This is not a recording that can be read. Send wav, mp3, m4a, ogg/opus, webm or flac.",
            field="file",
        )
    return media_type
