"""A file that is sent to be worked on, kept on disk only for as long as that takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.http.endpoints import Call
from app.http.multipart import Upload
from infra.scratch import scratch


@dataclass(frozen=True)
class Spooled:
    """The file, and what its sender says of it."""

    path: Path
    name: str
    declared: str


@asynccontextmanager
async def spooled(call: Call[Any, Any]) -> AsyncIterator[Spooled]:
    """The file of a form, as it arrived."""
    with scratch() as folder:
        path = Path(folder) / "document"

        async def keep(upload: Upload) -> Spooled:
            with path.open("wb") as file:
                async for piece in upload.chunks:
                    await asyncio.to_thread(file.write, piece)
            return Spooled(path, upload.name, upload.media_type)

        yield (await call.form(keep)).file
