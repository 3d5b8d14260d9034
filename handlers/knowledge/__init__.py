"""What follows in `knowledge`: documents are ingested, kept in the indexes of their collection, and go with it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from handlers.handler import Handler
from handlers.knowledge.indexing import Members, indexing
from handlers.knowledge.ingesting import Ingesting, Look
from handlers.knowledge.making import Making
from handlers.knowledge.stages import stages
from infra.blobs import Blobs


def handlers(
    *, blobs: Blobs, making: Making, look: Look[Any], members: Members, clock: Callable[[], datetime]
) -> tuple[Handler, ...]:
    """The handlers of the context."""
    return (
        *stages(Ingesting(blobs=blobs, making=making, look=look, clock=clock)),
        *indexing(blobs=blobs, making=making, look=look, members=members),
    )
