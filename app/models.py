"""Which models are used, as set: transcription and embeddings."""

import os

from app.settings import Settings
from infra.embedding import Embedder
from infra.embedding.choice import choose
from infra.speech import Speech
from infra.speech.sphinx import Sphinx
from infra.speech.whisper import Whisper


def speech(settings: Settings) -> tuple[Speech, int]:
    """Who transcribes, and how many recordings at once in one process."""
    if settings.whisper:
        return Whisper(str(settings.whisper.url), model=settings.whisper.model), 4
    processes = max(1, (os.cpu_count() or 2) - 1)
    return Sphinx(processes=processes), processes


async def embedder(settings: Settings) -> Embedder:
    """Who embeds. Raises `EmbeddingUnavailable` when a model server is set and does not answer."""
    ollama = settings.ollama
    return await choose(
        ollama_url=str(ollama.url) if ollama else None, ollama_model=ollama.embed_model if ollama else None
    )
