"""What it means when a Whisper server refuses: is it the recording, the configuration, or the moment?"""

import re
from contextlib import suppress
from typing import Any

import msgspec

from infra.speech import SpeechUnavailable, UnusableAudio

TOO_LARGE = re.compile(r"size|exceed|too (large|long|big)|duration|maximum", re.IGNORECASE)
BAD_SOUND = re.compile(r"audio|decod|format not recogni|^invalid request$", re.IGNORECASE)
"""whisper.cpp's server says no more than `Invalid request` about sound that it cannot read."""


def refusal(status: int, body: bytes, *, server: str, model: str) -> UnusableAudio | SpeechUnavailable:
    """The error to raise for an answer that is not 200. `server` is the address without credentials."""
    said = server_words(body)
    match status:
        case 401 | 403:
            what = "refuses us. Let Headwater in, or give user and password in WHISPER_URL"
        case _ if lacks_model(status, body):
            what = f"has no model {model!r}. Set WHISPER_MODEL to one it has"
        case 404 | 405 | 301 | 302 | 307 | 308:
            what = (
                "has no /v1/audio/transcriptions there. Check WHISPER_URL; "
                "start whisper.cpp's server with --inference-path /v1/audio/transcriptions"
            )
        case 400 | 413 | 422 if status == 413 or TOO_LARGE.search(said):
            what = "does not take a recording of this length. Raise its limit, or set WHISPER_URL to another"
        case 400 | 415 | 422 if status == 415 or BAD_SOUND.search(said):
            return UnusableAudio("AUDIO_UNDECODABLE", f"The speech server cannot read the sound: {said}")
        case 400 | 422 if "model" in said.lower():
            what = f"cannot use the model {model!r}. Set WHISPER_MODEL to another"
        case _:
            what = "failed"
    return SpeechUnavailable(f"The speech server at {server} {what} (it answered {status}: {said}).")


def lacks_model(status: int, body: bytes) -> bool:
    """Whether the server does not know the model that it was asked for."""
    return status == 404 and "model" in server_words(body).lower()


def wants_plain_json(status: int, body: bytes) -> bool:
    """Whether the server, or the model it runs, cannot give times at all."""
    said = server_words(body)
    return status in (400, 422) and ("verbose_json" in said or "response_format" in said)


def server_words(body: bytes) -> str:
    """The one sentence in an error body, in whichever of the dialects; cut to 300 characters."""
    found = ""
    with suppress(msgspec.DecodeError, RecursionError):
        found = _sentence(msgspec.json.decode(body))
    found = found or re.sub(r"<[^>]*>", " ", body[:4096].decode(errors="replace"))
    return " ".join(found.split())[:300] or "nothing more"


def _sentence(error: Any) -> str:
    """`{"error": {"message"}}`, `{"error"}`, `{"message"}` or `{"detail"}`, which may be a list of complaints."""
    if isinstance(error, dict):
        parts = (error.get(name) for name in ("error", "message", "detail", "msg"))
        return next((_sentence(part) for part in parts if part and part != "error"), "")
    if isinstance(error, list):
        return "; ".join(map(_sentence, error[:5]))
    return str(error)
