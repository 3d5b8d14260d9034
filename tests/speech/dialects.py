"""The answers of three real servers, field by field, about one canned recording."""

import itertools
from typing import Any, Literal

from aiohttp import web

Dialect = Literal["speaches", "whisper.cpp", "vllm", "vllm-0.10"]
"""vLLM 0.10 is the last without `verbose_json`, and the last with flat error bodies."""
SAID = (
    (0.0, 2.0, " The boiler room wall is wet.", (" The", " boiler", " room", " wall", " is", " wet.")),
    (2.5, 4.0, " Order drywall.", (" Order", " drywall.")),
)
"""Segments as start, end, text and words. Each word takes an equal part of its segment's time."""
TEXT = "The boiler room wall is wet. Order drywall."
MODEL = "whisper-test"


def speaches(call: dict[str, Any]) -> web.Response:
    """FastAPI errors; OpenAI's shape with words beside the segments, each with its leading space."""
    if call["model"] != [MODEL]:
        return _fastapi(
            404, f"Model '{call['model'][0]}' is not installed locally. You can download the model …"
        )
    if call["seconds"] is None:
        return _fastapi(415, "Failed to decode audio. The provided file type is not supported.")
    granularities = call["timestamp_granularities[]"]
    segments = [
        _openai_segment(number, start, end, text) | {"avg_logprob": -0.2, "no_speech_prob": 0.01}
        for number, (start, end, text, _) in enumerate(SAID)
    ]
    words = [word for said in SAID for word in _timed(said)] if "word" in granularities else None
    reply = {
        "language": "en",
        "duration": call["seconds"],
        "text": TEXT,
        "segments": segments,
        "words": words,
    }
    return web.json_response(reply | {"usage": None})


def whisper_cpp(call: dict[str, Any]) -> web.Response:
    """Tokens, not words, inside the segments; the language by name; errors overwritten by plain text."""
    if call["seconds"] is None:
        return web.Response(status=400, text="Invalid request", content_type="text/plain")
    segments: list[dict[str, Any]] = []
    for number, said in enumerate(SAID):
        tokens = [token for word in _timed(said) for token in _tokens(word)]
        segments.append(
            {
                "id": number,
                "text": said[2],
                "start": said[0],
                "end": said[1],
                "tokens": [1, 2],
                "words": tokens,
            }
            | {"temperature": 0.0, "avg_logprob": -0.3, "no_speech_prob": 1e-10}
        )
    reply = {"task": "transcribe", "language": "english", "duration": call["seconds"], "segments": segments}
    text = "\n".join(said[2] for said in SAID) + "\n"
    return web.json_response(
        reply | {"text": text, "detected_language": "english", "language_probabilities": {"en": 0.99}}
    )


def vllm(call: dict[str, Any]) -> web.Response:
    """No words, the duration as text, nested errors."""
    if call["model"] != [MODEL]:
        return _vllm_error(404, "NotFoundError", f"The model `{call['model'][0]}` does not exist.")
    if call["seconds"] is None:
        return _vllm_error(400, "BadRequestError", "Invalid or unsupported audio file.")
    segments = [
        _openai_segment(number, start, end, text) | {"avg_logprob": -0.25, "no_speech_prob": None}
        for number, (start, end, text, _) in enumerate(SAID)
    ]
    text = "".join(said[2] for said in SAID)
    return web.json_response(
        {
            "duration": str(call["seconds"]),
            "language": "en",
            "text": text,
            "segments": segments,
            "words": None,
        }
    )


def vllm_0_10(call: dict[str, Any]) -> web.Response:
    """Text alone: asked for times it refuses, with a flat error body."""
    if call["response_format"] != ["json"]:
        message = "Currently only support response_format `text` or `json`"
        return web.json_response(
            {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400},
            status=400,
        )
    return web.json_response({"text": " " + TEXT, "usage": {"type": "duration", "seconds": 5}})


DIALECTS = {"speaches": speaches, "whisper.cpp": whisper_cpp, "vllm": vllm, "vllm-0.10": vllm_0_10}


def _openai_segment(number: int, start: float, end: float, text: str) -> dict[str, Any]:
    times = {"id": number, "seek": 0, "start": start, "end": end, "text": text}
    return times | {"tokens": [50364, 440], "temperature": 0.0, "compression_ratio": 1.1}


def _timed(said: tuple[float, float, str, tuple[str, ...]]) -> list[dict[str, Any]]:
    start, end, _, words = said
    part = (end - start) / len(words)
    return [
        {"word": word, "start": start + n * part, "end": start + (n + 1) * part}
        for n, word in enumerate(words)
    ]


def _tokens(word: dict[str, Any]) -> list[dict[str, Any]]:
    """As whisper.cpp gives them: a long word in two pieces, a full stop on its own."""
    text, start, end = word["word"], word["start"], word["end"]
    cuts = sorted({0, *((5,) if len(text.rstrip(".")) > 6 else ()), len(text.rstrip(".")), len(text)})
    pieces = [text[a:b] for a, b in itertools.pairwise(cuts)]
    middle = (start + end) / 2
    return [
        {"word": piece, "start": middle if n else start, "end": end, "t_dtw": -1, "probability": 0.9 - n / 10}
        for n, piece in enumerate(pieces)
    ]


def _fastapi(status: int, detail: str) -> web.Response:
    return web.json_response({"detail": detail}, status=status)


def _vllm_error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response(
        {"error": {"message": message, "type": kind, "param": None, "code": status}}, status=status
    )
