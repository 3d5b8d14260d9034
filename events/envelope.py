"""An event, the key of the aggregate it belongs to, and the record of it in the log."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar
from urllib.parse import quote, unquote
from uuid import UUID

import msgspec

from events.headers import Headers


class Key(NamedTuple):
    """Which aggregate: its context, its kind and its id."""

    context: str
    aggregate: str
    id: UUID

    @property
    def filter(self) -> str:
        """The subject filter of every event of the aggregate.

        Every guarded append uses exactly this string: on a replicated stream two writers exclude
        each other only when their filters are identical byte for byte.
        """
        return f"{self.context}.{self.aggregate}.{self.id}.>"

    @property
    def stream(self) -> str:
        return self.context.upper()


class Claim(NamedTuple):
    """A value that only one aggregate of a context may hold, such as the name of a collection."""

    kind: str
    value: str

    def subject(self, context: str) -> str:
        """`<context>.unique.<kind>.<value>`; a value that is no plain token is written in base64url after a `=`."""
        plain = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.value)
        token = self.value if plain else "=" + urlsafe_b64encode(self.value.encode()).decode().rstrip("=")
        return f"{context}.unique.{self.kind}.{token}"


RESERVED = frozenset(
    {"context", "aggregate", "name", "version", "type", "key", "claims", "releases", "blobs", "forgets"}
)
"""What every event has, so that no field may hide it. `msgspec.field(name=…)` still gives any name in JSON."""


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A fact. Subclasses of one aggregate set `context` and `aggregate` and carry `<aggregate>_id`.

    The name is permanent: class `AudioUploaded` is stored as `audio_uploaded`; `AudioUploadedV2` is version 2
    of the same event. The aggregate need not be said twice: `SessionDeleted` of a session is `deleted`.
    """

    context: ClassVar[str]
    aggregate: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[int]

    def __init_subclass__(cls, **config: Any) -> None:
        super().__init_subclass__(**config)
        fields = {field for field, kind in cls.__annotations__.items() if "ClassVar" not in str(kind)}
        if clash := fields & RESERVED:
            raise TypeError(
                f"{cls.__name__} has a field {clash.pop()}: every event has that already, rename it"
            )
        stem, number = re.fullmatch(r"(.+?)(?:V(\d+))?", cls.__name__).groups()  # type: ignore[union-attr]
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", stem).lower()
        cls.name = name.removeprefix(f"{getattr(cls, 'aggregate', '')}_")
        cls.version = int(number or 1)

    @property
    def key(self) -> Key:
        return Key(self.context, self.aggregate, getattr(self, f"{self.aggregate}_id"))

    @property
    def claims(self) -> tuple["Claim", ...]:
        """Names that must be unique in the context and that this event takes for its aggregate."""
        return ()

    @property
    def releases(self) -> tuple["Claim", ...]:
        """Names that its aggregate held and that this event sets free."""
        return ()

    @property
    def blobs(self) -> tuple[str, ...]:
        """Keys of the blobs that this event brought, and that go when its aggregate is erased."""
        return ()

    @property
    def forgets(self) -> tuple[str, ...]:
        """Keys of blobs that earlier events of its aggregate brought, and that it names no more."""
        return ()

    @classmethod
    def type(cls) -> str:
        """The CloudEvents type: `jobsite.session.transcribed`, later versions with `.v2` and so on."""
        suffix = f".v{cls.version}" if cls.version > 1 else ""
        return f"{cls.context}.{cls.aggregate}.{cls.name}{suffix}"


def subject_of(event: Event) -> str:
    """Where an event is stored: `<context>.<aggregate>.<id>.<event>`."""
    return f"{event.context}.{event.aggregate}.{getattr(event, f'{event.aggregate}_id')}.{event.name}"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """Why and for whom something is appended: the part of the envelope that a command brings."""

    command_id: UUID
    actor: str
    at: datetime
    correlation_id: UUID
    causation_id: UUID | None = None
    trace: str | None = None
    """W3C traceparent of the span that asked."""
    fingerprint: str | None = None
    """Hash of the request, to tell a retry from another request under the same idempotency key."""
    unchanged_since: int | None = None
    """The position behind which nothing may have happened to the aggregate; None where that does not matter."""


E_co = TypeVar("E_co", bound=Event, covariant=True)


class Recorded(msgspec.Struct, Generic[E_co], frozen=True):
    """An event as the log holds it: the fact, its CloudEvents headers and its place.

    Provenance is read from the headers when asked for: replaying millions of events needs little of it.
    """

    event: E_co
    headers: Mapping[str, str]
    stream: str
    position: int

    @property
    def id(self) -> UUID:
        return UUID(self.headers["ce-id"])

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.headers["ce-time"])

    @property
    def actor(self) -> str:
        return unquote(self.headers["ce-actor"])

    @property
    def command_id(self) -> UUID:
        return UUID(self.headers["ce-commandid"])

    @property
    def correlation_id(self) -> UUID:
        return UUID(self.headers["ce-correlationid"])

    @property
    def causation_id(self) -> UUID | None:
        cause = self.headers.get("ce-causationid")
        return UUID(cause) if cause else None

    @property
    def trace(self) -> str | None:
        return self.headers.get("traceparent")

    @property
    def fingerprint(self) -> str | None:
        return self.headers.get("ce-fingerprint")

    @property
    def cursor(self) -> str:
        """`JOBSITE@1234`, as in the `Headwater-Position` header."""
        return f"{self.stream}@{self.position}"


PLAIN = "!#$&'()*+,/:;<=>?@[\\]^`{|}"
"""What CloudEvents leaves as it is in a header, beside letters, digits and `_.-~`; the rest is percent-encoded."""

REQUIRED = frozenset({"ce-id", "ce-type", "ce-time", "ce-actor", "ce-commandid", "ce-correlationid"})
FOUR = "[0-9a-f]{4}"
ID = f"[0-9a-f]{{8}}-{FOUR}-{FOUR}-{FOUR}-[0-9a-f]{{12}}"
WRITTEN = re.compile(
    rf"\r\nce-id: {ID}\r\nce-type: [^\r]+\r\nce-source: [^\r]+\r\nce-time: ([^\r]+Z)\r\nce-actor: [^\r]+"
    rf"\r\nce-commandid: {ID}\r\nce-correlationid: {ID}\r\n(?:ce-causationid: {ID}\r\n)?"
    r"(?:ce-fingerprint: [^\r]+\r\n)?(?:traceparent: [^\r]+\r\n)?ce-previous: "
)
"""The headers as `to_headers` and the log put them: together, and in this order. No group is repeated, which would
double the time; whoever follows the positions checks those."""


def check(headers: Mapping[str, str]) -> None:
    """Raises `ValueError` when headers lack something or are no envelope. Most were written here, and need one look."""
    if isinstance(headers, Headers) and (written := WRITTEN.search(headers.text)):
        with suppress(ValueError):
            datetime.fromisoformat(written[1])
            return
    if lacking := REQUIRED - headers.keys():
        raise ValueError(f"lacks the headers {', '.join(sorted(lacking))}")
    for name, valid in _VALID.items():
        if value := headers.get(name):
            try:
                valid(value)
            except (ValueError, OverflowError) as cause:
                raise ValueError(f"has a header {name} that is none: {cause}") from cause


def _valid_time(value: str) -> None:
    if (at := datetime.fromisoformat(value)).tzinfo is None:
        raise ValueError(f"{value} says nothing of its time zone")
    at.astimezone(UTC)


_VALID: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(("ce-id", "ce-commandid", "ce-correlationid", "ce-causationid"), UUID),
    "ce-time": _valid_time,
}


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with `Z`, microseconds kept."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_headers(event: Event, event_id: UUID, intent: Intent) -> dict[str, str]:
    """CloudEvents 1.0 binary-mode headers (NATS binding) for one event."""
    written_id = str(event_id)
    headers = {
        "Nats-Msg-Id": written_id,
        "ce-specversion": "1.0",
        "ce-id": written_id,
        "ce-type": event.type(),
        "ce-source": f"headwater/{event.context}",
        "ce-time": timestamp(intent.at),
        "ce-actor": quote(intent.actor, safe=PLAIN),
        "ce-commandid": str(intent.command_id),
        "ce-correlationid": str(intent.correlation_id),
    }
    if intent.causation_id:
        headers["ce-causationid"] = str(intent.causation_id)
    if intent.fingerprint:
        headers["ce-fingerprint"] = intent.fingerprint
    if intent.trace:
        headers["traceparent"] = intent.trace
    return headers
