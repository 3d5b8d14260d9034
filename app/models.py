"""Which servers do what we cannot, as set: transcription, embeddings, writing, mail."""

import os
from pathlib import Path

import msgspec

from app.settings import Settings
from infra.compute import Compute
from infra.compute.local import LocalCompute
from infra.compute.remote import RemoteCompute
from infra.embedded.home import write_private
from infra.embedding import Embedder, EmbeddingUnavailable, minilm_files
from infra.embedding.choice import choose
from infra.embedding.lexical import Lexical
from infra.generation import GenerationUnavailable, Generator
from infra.generation.routing import Provider, Router
from infra.mail import Sender
from infra.mail.smtp import SmtpMailer
from infra.speech import Speech
from infra.speech.sphinx import Sphinx
from infra.speech.whisper import Whisper
from infra.telemetry.logs import logger

log = logger(__name__)


def speech(settings: Settings) -> tuple[Speech, int]:
    """Who transcribes, and how many recordings at once in one process."""
    if settings.whisper:
        return Whisper(str(settings.whisper.url), model=settings.whisper.model), 4
    processes = max(1, (os.cpu_count() or 2) - 1)
    return Sphinx(processes=processes), processes


async def embedder(settings: Settings) -> Embedder:
    """Who embeds.

    A model server that is away when a process starts must not keep it from starting: its model's dimensions are
    remembered from the time before. Raises `EmbeddingUnavailable` when it has never been asked.
    """
    ollama = settings.ollama
    if ollama is None or ollama.embed_model is None:
        return await choose(ollama_url=None, ollama_model=None)
    url, model, memory = str(ollama.url), ollama.embed_model, settings.home / "embedders.json"
    try:
        made = await choose(ollama_url=url, ollama_model=model)
    except EmbeddingUnavailable as away:
        if known := _remembered(memory).get(model):
            log.warning(
                "the model server is away; its vectors are taken to be as long as before", cause=str(away)
            )
            from infra.embedding import remote  # noqa: PLC0415 (22 MB that only its users should pay)

            return remote.assumed(url, model, known)
        raise
    settings.home.mkdir(parents=True, exist_ok=True)
    write_private(memory, msgspec.json.encode({**_remembered(memory), model: made.dimensions}).decode())
    return made


def generator(settings: Settings) -> Generator | None:
    """Who writes; None where no model server is set. Nobody is asked yet. Raises `GenerationUnavailable`."""
    made: dict[Provider, Generator] = {}
    if settings.ollama and settings.ollama.model:
        from infra.generation.ollama import Ollama  # noqa: PLC0415 (20 MB that only its users should pay)

        made["ollama"] = Ollama(str(settings.ollama.url), settings.ollama.model)
    if claude := settings.claude:
        try:
            from infra.generation.anthropic import Claude  # noqa: PLC0415 (an extra that not everybody has)
        except ImportError:
            raise GenerationUnavailable(
                "AI_UNAVAILABLE", "CLAUDE_API_KEY is set; Claude needs: pip install anthropic"
            ) from None
        url = str(claude.url) if claude.url else None
        made["claude"] = Claude(str(claude.api_key), claude.model, max_tokens=claude.max_tokens, url=url)
    return Router(made) if made else None


def beside(usual: Embedder) -> tuple[Embedder, ...]:
    """The embedders that need no server, for collections that want another than the usual one."""
    made: list[Embedder] = [Lexical()]
    if folder := minilm_files.find():
        from infra.embedding.minilm import MiniLm  # noqa: PLC0415 (40 MB that only its users should pay)

        made.insert(0, MiniLm(folder))
    return tuple(each for each in made if each.name != usual.name)


def compute(settings: Settings, embedder: Embedder) -> Compute:
    """Who reads documents, cuts texts and makes vectors for handlers: servers that are set, else this process."""
    if not settings.compute_urls:
        return LocalCompute(embedder)
    return RemoteCompute(
        settings.compute_urls,
        key=str(settings.api_key),
        name=embedder.name,
        dimensions=embedder.dimensions,
    )


def mailer(settings: Settings) -> SmtpMailer | None:
    """Who sends mail; None where no server is set, and mail is kept."""
    smtp = settings.smtp
    if smtp is None:
        return None
    password = str(smtp.password) if smtp.password else None
    return SmtpMailer(
        host=smtp.host, port=smtp.port, sender=Sender(*smtp.sender), user=smtp.user, password=password
    )


def _remembered(memory: Path) -> dict[str, int]:
    """Dimensions by model, as far as they are known."""
    try:
        return msgspec.json.decode(memory.read_bytes(), type=dict[str, int])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
