"""What `headwater doctor` says of the servers that write, and of the one that takes traces."""

import aiohttp

from app import models
from app.cli.wrong import Wrong, because
from app.settings import Settings
from infra.generation import GenerationFailed, GenerationUnavailable, Model

PATIENCE = 5.0


async def generation(settings: Settings) -> str:
    """Asks what models there are, which costs nothing."""
    try:
        generator = models.generator(settings)
        if generator is None:
            return "none set: OLLAMA_URL and OLLAMA_MODEL would add it"
        try:
            there = await generator.models()
        finally:
            await generator.close()
    except (GenerationUnavailable, GenerationFailed) as away:
        raise because(away.detail, "Check OLLAMA_URL and OLLAMA_MODEL, or CLAUDE_API_KEY.") from away
    wanted = settings.ollama.model if settings.ollama else None
    if wanted and not any(_is(each, wanted) for each in there):
        raise Wrong(f"the model server has no model {wanted}. Run `ollama pull {wanted}` there.")
    return f"{generator.model}, one of {len(there)} models"


def _is(model: Model, wanted: str) -> bool:
    return wanted in (model.name, model.name.removesuffix(":latest"), model.name.removeprefix("ollama:"))


async def traces(settings: Settings) -> str:
    """Whether the collector answers at all; what it says does not matter."""
    url = settings.otel_endpoint
    if not url:
        return "none set: OTEL_EXPORTER_OTLP_ENDPOINT would send them"
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(str(url)) as answer:
            return f"a collector answers ({answer.status})"
    except (aiohttp.ClientError, TimeoutError, ValueError) as away:
        detail = f"no collector answers ({type(away).__name__})"
        raise because(detail, "Check OTEL_EXPORTER_OTLP_ENDPOINT; the rest works without.") from away
