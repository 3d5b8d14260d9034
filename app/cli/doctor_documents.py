"""What `headwater doctor` says of documents: whether they can be read here, or by the servers that are set."""

from app import models
from app.cli.wrong import because
from app.settings import Settings
from infra.compute import ComputeUnavailable
from infra.documents import Parsers, ParserUnavailable
from infra.documents.ocr import installed
from infra.embedding import EmbeddingUnavailable

PAGE = b"<!doctype html><html><body><p>A boiler room.</p></body></html>"


async def documents(settings: Settings) -> str:
    """Reads a page, as a worker would."""
    if settings.compute_urls:
        return await _by_servers(settings)
    parsers = Parsers()
    try:
        await parsers.parse(PAGE, name="page.html")
    except ParserUnavailable as away:
        raise because(away, "Documents are read in a process that needs some 100 MB of memory.") from away
    finally:
        await parsers.close()
    pictures = "pictures too" if installed() else "no pictures: tesseract is not installed"
    return f"read here; {pictures}"


async def _by_servers(settings: Settings) -> str:
    """Has a page read and a vector made."""
    try:
        embedder = await models.embedder(settings)
    except EmbeddingUnavailable as away:
        raise because(away, "Documents need the embeddings above.") from away
    compute = models.compute(settings, embedder)
    try:
        await compute.parse(PAGE, name="page.html")
        await compute.embed(["a boiler room"])
    except (ComputeUnavailable, EmbeddingUnavailable) as away:
        raise because(away, "Check COMPUTE_URL, and that API_KEY is that of those servers.") from away
    finally:
        await compute.close()
        await embedder.close()
    return f"read by {len(settings.compute_urls)} servers of COMPUTE_URL"
