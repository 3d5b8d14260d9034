"""A JetStream object store's stream: its subjects, its metadata, and taking things out of it."""

import asyncio
import logging
from base64 import urlsafe_b64encode
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
from nats.aio.client import Client

from infra.blobs import BlobsUnavailable
from infra.blobs.jetstream import reaching_jetstream
from infra.blobs.object_info import ObjectInfo, decoded
from infra.jetstream import WRONG_LAST, ApiError, Message, api, erase_message, patiently, publish
from infra.stored import leader_get
from infra.streams import lasting_stream, prepare

PATIENCE = 5.0
"""Seconds that a request waits for a connection that is down, before it fails."""
PAUSE = 0.05
log = logging.getLogger(__name__)


def bucket_stream(bucket: str, replicas: int) -> dict[str, Any]:
    """The stream under a bucket, as the object store's specification has it."""
    description = "Headwater's blobs, named by the sha256 of their content"
    subjects = [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"]
    return {**lasting_stream(f"OBJ_{bucket}", description, subjects, replicas), "allow_rollup_hdrs": True}


class Bucket:
    """One bucket, seen by the application (`nc`) and by the user that may delete and purge (`eraser`)."""

    def __init__(self, nc: Client, eraser: Client, *, name: str, replicas: int, timeout: float) -> None:
        self.name = name
        self.stream = f"OBJ_{name}"
        self.nc = nc
        self.timeout = timeout
        self._eraser = eraser
        self._config = bucket_stream(name, replicas)

    def chunks(self, nuid: str) -> str:
        """The subject of one upload's chunks."""
        return f"$O.{self.name}.C.{nuid}"

    def metadata(self, key: str) -> str:
        """The subject of a blob's metadata."""
        return f"$O.{self.name}.M.{urlsafe_b64encode(key.encode()).decode()}"

    async def create(self) -> None:
        """Make it if it is not there. One that is configured otherwise is left so, with a warning."""
        with reaching_jetstream():
            drifts = await prepare(self.nc, [self._config])
        if drifts:
            log.warning("blob bucket is configured otherwise", extra={"drifts": "; ".join(map(str, drifts))})

    async def connected(self) -> None:
        """Wait a moment for a connection that is down. Raises BlobsUnavailable."""
        waited = 0.0
        while not self.nc.is_connected:
            if waited >= PATIENCE:
                raise BlobsUnavailable("The connection to NATS is down. Try again shortly.")
            await asyncio.sleep(PAUSE)
            waited += PAUSE

    async def latest(self, key: str) -> tuple[ObjectInfo, int] | None:
        """A blob's metadata, be it marked as deleted, and where it lies in the stream.

        Asks the stream's leader: a replica may not know yet what was just put.
        """
        query = {"last_by_subj": self.metadata(key)}
        with reaching_jetstream():
            found = await patiently(partial(leader_get, self.nc, self.stream, query))
        return found and (decoded(found.payload), found.position)

    async def describe(self, info: ObjectInfo, *, newest: int, on: str) -> int:
        """Write a blob's metadata in place of any before it; where it came to lie.

        JetStream refuses it (ApiError) unless the newest message on the subject `on` lies at `newest`.
        """
        headers = {"Nats-Rollup": "sub", "Nats-Msg-Id": uuid4().hex}
        message = Message(self.metadata(info.name), msgspec.json.encode(info), headers)
        message.expect(newest, on)
        try:
            return (await patiently(partial(publish, self.nc, message))).seq
        except ApiError as refused:
            if (
                refused.code not in WRONG_LAST
                or not (found := await self.latest(info.name))
                or found[0] != info
            ):
                raise
            return found[1]  # by a first try, whose answer was lost

    async def purge(self, nuid: str) -> None:
        """Remove the chunks of an upload that came to nothing."""
        with reaching_jetstream():
            await api(
                self._eraser,
                f"STREAM.PURGE.{self.stream}",
                {"filter": self.chunks(nuid)},
                timeout=self.timeout,
            )

    async def erase(self, info: ObjectInfo, position: int) -> None:
        """Overwrite the blob described at that position, on disk too, which a purge would not.

        It is marked as deleted first, so that a second call, or the sweep, ends what this one began.
        """
        with reaching_jetstream():
            if not info.deleted:
                marker = msgspec.structs.replace(info, deleted=True)
                position = await self.describe(marker, newest=position, on=self.metadata(info.name))
            for each in (*info.positions, position):
                await erase_message(self._eraser, self.stream, each)
