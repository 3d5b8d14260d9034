"""The ways a command or a question is refused; `app/http/problems.py` decides what each becomes on the wire."""

from uuid import UUID


class Refusal(Exception):
    """What was asked is understood and not granted.

    `code` is stable, UPPER_SNAKE and for programs; `detail` is for people and says what to do. `field` names the
    member at fault, `retry_after` the seconds after which the same request may succeed.
    """

    def __init__(
        self, code: str, detail: str, *, field: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Invalid(Refusal):
    """A value that can be read and makes no sense here."""


class NotFound(Refusal):
    """The thing is not there, or no longer."""


class Conflict(Refusal):
    """The thing is in a state that does not allow it."""


class Changed(Conflict):
    """The thing is no longer as whoever wants to change it has seen it."""

    def __init__(self) -> None:
        super().__init__(
            "CHANGED_SINCE",
            "It has changed since you read it, so nothing was done. Read it again, and send its new ETag as If-Match.",
        )


class NameTaken(Conflict):
    """Another has a name that only one may have."""

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__("NAME_TAKEN", detail, field=field)


class Forbidden(Refusal):
    """The caller is known and may not do it."""


class TooLarge(Refusal):
    """More bytes than are taken."""


class Unsupported(Refusal):
    """A kind of content that is not taken."""


class Unavailable(Refusal):
    """Something this depends on does not answer; nothing was done, and the same request may be sent again."""

    def __init__(self, code: str, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(code, detail, retry_after=retry_after)


def deleted_since(kind: str, id: UUID) -> Conflict:
    """What somebody is told who repeats the request that made what was deleted."""
    return Conflict(
        "DELETED_SINCE",
        f"What this request made, the {kind.replace('_', ' ')} {id}, was deleted since. To make another, choose a new "
        "Idempotency-Key.",
    )
