"""What can go wrong for a client, told apart by what may be done about it."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

PERHAPS_LATER = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses under which the same request may succeed in a moment."""


class HeadwaterError(Exception):
    """Anything that this client raises."""


class Unreachable(HeadwaterError):
    """No answer could be had, however often it was tried. The request may have been carried out all the same."""

    def __init__(self, attempts: int, cause: BaseException) -> None:
        super().__init__(f"no answer in {attempts} attempts: {type(cause).__name__}: {cause}")
        self.attempts = attempts
        self.cause = cause


class Refused(HeadwaterError):
    """The server understood and said no. `code` is stable and for programs, `detail` is for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def perhaps_later(self) -> bool:
        """Whether the same request may succeed in a moment."""
        return self.status in PERHAPS_LATER


class _Problem(msgspec.Struct, frozen=True, rename="camel"):
    """What of a problem document matters here."""

    code: str = ""
    detail: str = ""
    field: str | None = None
    request_id: str | None = None


def refused(status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """The refusal that an answer is. What no Headwater has written, such as a proxy's page, is told by its status."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, RecursionError):
        problem = _Problem()
    after = headers.get("Retry-After", "")
    return Refused(
        status,
        problem.code or f"HTTP_{status}",
        problem.detail or _phrase(status),
        field=problem.field,
        request_id=problem.request_id or headers.get("X-Request-Id"),
        retry_after=float(after) if after.isdecimal() else None,
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"status {status}"
