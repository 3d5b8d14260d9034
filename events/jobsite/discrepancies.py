"""What contradicts a recording, and what people make of it."""

from uuid import UUID

from events.jobsite.session import SessionEvent


class DiscrepanciesFound(SessionEvent, frozen=True, kw_only=True):
    """More that contradicts the recording, such as an attachment that came later."""

    blob: str
    """Blob key of a list of `Discrepancy` (`infra/understanding`), JSON."""
    size: int
    method: str
    discrepancies: tuple[UUID, ...]
    """Those that had not been found before."""
    attachment_id: UUID | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        return (self.blob,)


class DiscrepancyAccepted(SessionEvent, frozen=True, kw_only=True):
    """It is one: somebody has to act on it."""

    discrepancy_id: UUID
    note: str = ""


class DiscrepancyDismissed(SessionEvent, frozen=True, kw_only=True):
    """It is none, or does not matter."""

    discrepancy_id: UUID
    note: str = ""
