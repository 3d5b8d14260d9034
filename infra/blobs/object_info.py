"""A blob's metadata as every NATS client writes it in an object store (ADR-20)."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from itertools import accumulate, pairwise

import msgspec

from infra.blobs import Blob, BlobCorrupt

MEDIA_TYPE = "Content-Type"
POSITIONS = "Headwater-Positions"
DOOMED = "Headwater-Doomed"


class Options(msgspec.Struct, frozen=True):
    """How the content was cut."""

    max_chunk_size: int = 0


class ObjectInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object: its content is the messages on the chunk subject that ends in `nuid`."""

    name: str
    bucket: str
    nuid: str
    size: int = 0
    chunks: int = 0
    digest: str = ""
    mtime: str = ""
    options: Options | None = None
    headers: dict[str, list[str]] = {}
    metadata: dict[str, str] = {}
    deleted: bool = False

    @property
    def doomed(self) -> bool:
        """Whether it is about to be erased."""
        return DOOMED in self.metadata

    def marked(self, *, doomed: bool) -> "ObjectInfo":
        """The same, about to be erased or not."""
        others = {name: value for name, value in self.metadata.items() if name != DOOMED}
        return msgspec.structs.replace(self, metadata=others | ({DOOMED: "yes"} if doomed else {}))

    @property
    def blob(self) -> Blob:
        """The same in the words of the blob store."""
        return Blob(self.name, self.size, self.headers.get(MEDIA_TYPE, ["application/octet-stream"])[0])

    @property
    def chunk_size(self) -> int:
        """Bytes in every chunk but the last."""
        return (self.options and self.options.max_chunk_size) or max(self.size, 1)

    @property
    def positions(self) -> list[int]:
        """Where in the stream each chunk lies: how a range is found without reading what comes before it."""
        return list(accumulate(int(step) for step in self.metadata.get(POSITIONS, "").split()))


def decoded(data: bytes | None) -> ObjectInfo:
    """Metadata from a message's payload. Raises BlobCorrupt."""
    try:
        return msgspec.json.decode(data or b"", type=ObjectInfo)
    except msgspec.DecodeError as error:
        raise BlobCorrupt(f"Metadata in the blob store is damaged: {error}.") from error


def described(blob: Blob, *, bucket: str, nuid: str, chunk_size: int, positions: list[int]) -> ObjectInfo:
    """The metadata of what has just been uploaded."""
    steps = (after - before for before, after in pairwise([0, *positions]))
    return ObjectInfo(
        name=blob.key,
        bucket=bucket,
        nuid=nuid,
        size=blob.size,
        chunks=len(positions),
        digest="SHA-256=" + urlsafe_b64encode(bytes.fromhex(blob.key)).decode(),
        mtime=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        options=Options(chunk_size),
        headers={MEDIA_TYPE: [blob.media_type]},
        metadata={POSITIONS: " ".join(map(str, steps))},
    )
