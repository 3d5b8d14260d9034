"""How far a transcript is from what was said."""

import re

from infra.speech import Transcript


def word_error_rate(said: str, heard: Transcript) -> float:
    """Words to insert, delete or replace, as a share of the words said. Case and punctuation do not count."""
    spoken, written = _words(said), _words(" ".join(segment.text for segment in heard.segments))
    distances = list(range(len(written) + 1))
    for n, word in enumerate(spoken, 1):
        diagonal, distances[0] = distances[0], n
        for m, other in enumerate(written, 1):
            diagonal, distances[m] = (
                distances[m],
                min(distances[m] + 1, distances[m - 1] + 1, diagonal + (word != other)),
            )
    return distances[-1] / len(spoken)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())
