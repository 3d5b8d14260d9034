"""What is answered about attachments, as the structs that OpenAPI shows."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.jobsite.views import Fault, StageView, Status


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class AttachmentAccepted(_View, frozen=True, kw_only=True):
    """The answer to an upload: the file is safe, and the stages are under way."""

    attachment_id: UUID
    upload_id: UUID
    position: str
    """Send it as `Headwater-After` to read what follows from it."""
    status_url: str


class AttachmentSummary(_View, frozen=True, kw_only=True):
    id: UUID
    session_id: UUID | None
    job_id: UUID | None
    title: str | None
    """As its sender calls it; else as the document calls itself."""
    file_name: str
    media_type: str
    size: int
    """Bytes."""
    status: Status
    pages: int | None
    """Pages, slides or sheets, once they are known; 0 for what has none."""
    characters: int | None
    language: str | None
    error: Fault | None
    """Why it failed."""
    uploaded_at: datetime
    updated_at: datetime


class PageView(_View, frozen=True, kw_only=True):
    """Where a page, slide or sheet stands in the text, in Unicode code points."""

    number: int
    start_char: int
    end_char: int


class TextView(_View, frozen=True, kw_only=True):
    """What the document says."""

    text: str
    pages: tuple[PageView, ...]
    metadata: dict[str, str]
    """What the document says of itself, such as its author."""


class AttachmentView(AttachmentSummary, frozen=True, kw_only=True):
    """An attachment with everything that is known of it."""

    uploaded_by: str
    original_url: str
    """Where the file can be downloaded for a while."""
    chunks: int | None
    """Passages that can be found."""
    stages: tuple[StageView, ...]
    text: TextView | None = None
    """With `text=true`, once it is known."""
