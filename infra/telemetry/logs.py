"""Logs: one JSON object a line on stderr, a constant message with facts as fields."""

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import BinaryIO, LiteralString

import msgspec
from opentelemetry import trace

from events.envelope import timestamp
from infra.telemetry.redaction import Json, legible, named, plain

OURS = ("app", "handlers", "projections", "infra", "events")
"""The packages that log at the chosen level; libraries are heard from warnings up."""
FRAMES = 60
"""Lines of a traceback that are kept, from its end."""

_FIXED = frozenset({"time", "level", "message", "logger", "process", "exception"})
_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

_ids: ContextVar[Mapping[str, object]] = ContextVar("ids", default=MappingProxyType({}))


class Logger:
    """Writes lines under one name. Messages are constant and lower case; what varies is a fact."""

    def __init__(self, inner: logging.Logger) -> None:
        self._inner = inner

    def debug(self, message: LiteralString, /, **facts: object) -> None:
        self._write(logging.DEBUG, message, None, facts)

    def info(self, message: LiteralString, /, **facts: object) -> None:
        self._write(logging.INFO, message, None, facts)

    def warning(
        self, message: LiteralString, /, *, failure: BaseException | None = None, **facts: object
    ) -> None:
        """Something is off and is being dealt with. `failure` is shown with its traceback."""
        self._write(logging.WARNING, message, failure, facts)

    def error(
        self, message: LiteralString, /, *, failure: BaseException | None = None, **facts: object
    ) -> None:
        """Somebody must look at this. `failure` is shown with its traceback."""
        self._write(logging.ERROR, message, failure, facts)

    def _write(
        self, level: int, message: str, failure: BaseException | None, facts: Mapping[str, object]
    ) -> None:
        if self._inner.isEnabledFor(level):
            raised = (type(failure), failure, failure.__traceback__) if failure else None
            extra = {
                "facts": facts
            }  # straight to `handle`: looking for the caller's line costs more than the line
            self._inner.handle(
                self._inner.makeRecord(self._inner.name, level, "", 0, message, (), raised, extra=extra)
            )


def logger(name: str) -> Logger:
    """The logger of a module: `log = logger(__name__)`."""
    return Logger(logging.getLogger(name))


@contextmanager
def context(**ids: object) -> Iterator[None]:
    """Put these ids on every line written inside, also by tasks that are started there."""
    token = _ids.set({**_ids.get(), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def setup(level: str, *, process: str, stream: BinaryIO | None = None) -> None:
    """From here on the whole process logs in JSON, libraries and Python's warnings too."""
    root = logging.getLogger()
    root.handlers[:] = [JsonLines(stream or sys.stderr.buffer, process=process)]
    root.setLevel(logging.WARNING)
    for package in OURS:
        logging.getLogger(package).setLevel(level.upper())
    logging.captureWarnings(True)


class JsonLines(logging.Handler):
    """Writes each record as one line in one write, so that processes that share a stream do not mix lines."""

    def __init__(self, stream: BinaryIO, *, process: str) -> None:
        super().__init__()
        self._stream = stream
        self._process = process

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._stream.write(line(record, self._process))
            self._stream.flush()
        except Exception:
            self.handleError(record)


def line(record: logging.LogRecord, process: str) -> bytes:
    """A record as JSON with a newline: what is fixed, then the ids of its context, its facts, its exception."""
    fields: dict[str, Json] = {
        "time": timestamp(datetime.fromtimestamp(record.created, UTC)),
        "level": record.levelname.lower(),
        "message": _message(record),
        "logger": record.name,
        "process": process,
        **_trace_ids(),
    }
    for name, value in (*_ids.get().items(), *_facts(record).items()):
        fields.update([named(_camel(name), value)])
    if record.exc_info and record.exc_info[1]:
        fields["exception"] = _exception(record.exc_info[1])
    return msgspec.json.encode(fields) + b"\n"


def _message(record: logging.LogRecord) -> str:
    try:
        return legible(record.getMessage())
    except Exception:  # a library's format and arguments do not fit
        return legible(str(record.msg))


def _facts(record: logging.LogRecord) -> Mapping[str, object]:
    own = vars(record).get("facts")
    if isinstance(own, dict):
        return own
    return {name: value for name, value in vars(record).items() if name not in _RECORD}


def _trace_ids() -> dict[str, Json]:
    span = trace.get_current_span().get_span_context()
    return {"traceId": f"{span.trace_id:032x}", "spanId": f"{span.span_id:016x}"} if span.is_valid else {}


def _exception(failure: BaseException) -> Json:
    lines = "".join(traceback.format_exception(failure)).splitlines()
    return {
        "type": type(failure).__qualname__,
        "message": plain(failure),
        "traceback": [legible(each) for each in lines[-FRAMES:]],
    }


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    """`event_id` as `eventId`. A fact called like a fixed field gets a `_` behind it, so that neither is lost."""
    first, *rest = name.split("_")
    camel = first + "".join(word.capitalize() for word in rest) if first else name
    return f"{camel}_" if camel in _FIXED else camel
