"""The client: what Headwater can be asked, as methods."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from app.client.answers import Answers
from app.client.files import Progress, no_progress, upload_of
from app.client.knowledge import Knowledge
from app.client.live import Following
from app.client.notifications import Notifications
from app.client.patience import Patience
from app.client.transport import Transport, json_body
from app.jobsite.attachment_views import AttachmentAccepted, AttachmentView
from app.jobsite.views import Accepted, SessionSummary, SessionView, UploadStatus
from app.operations.deletion import DeletionView
from app.search.views import ScopeBody, SearchAnswer, SearchBody

EVERYWHERE = ScopeBody()


class Headwater:
    """`async with Headwater(url, key) as headwater:`. Every method raises `Refused` or `Unreachable`."""

    def __init__(self, url: str, key: str, *, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self.transport = Transport(url, key, self._patience)
        self.answers = Answers(self.transport)
        self.knowledge = Knowledge(self.transport)
        self.notifications = Notifications(self.transport)

    async def __aenter__(self) -> Self:
        await self.transport.open()
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.transport.close()

    async def upload(
        self,
        path: Path | str,
        *,
        title: str | None = None,
        job_id: UUID | None = None,
        recorded_at: datetime | None = None,
        notify_email: str | None = None,
        key: str | None = None,
        progress: Progress = no_progress,
    ) -> Accepted:
        """Upload a recording. Doing so again with the same file and fields finds the session of the first time.

        `key` makes it another one.
        """
        fields = {"title": title, "jobId": job_id, "recordedAt": recorded_at, "notifyEmail": notify_email}
        upload = await upload_of(Path(path), fields, key)
        return await self.transport.send(
            "POST", "/v1/upload/audio", Accepted, key=upload.key, body=lambda: upload.body(progress)
        )

    async def attach(
        self,
        path: Path | str,
        *,
        session_id: UUID | None = None,
        job_id: UUID | None = None,
        key: str | None = None,
        progress: Progress = no_progress,
    ) -> AttachmentAccepted:
        """Upload a file that belongs to a session or a job, once that has been acknowledged."""
        upload = await upload_of(Path(path), {"sessionId": session_id, "jobId": job_id}, key)
        return await self.transport.send(
            "POST",
            "/v1/upload/attachment",
            AttachmentAccepted,
            key=upload.key,
            body=lambda: upload.body(progress),
        )

    async def attachment(self, attachment_id: UUID) -> AttachmentView:
        """A file, and what it says once it has been read."""
        return await self.transport.get(f"/v1/attachments/{attachment_id}", AttachmentView)

    async def status(self, session_id: UUID) -> UploadStatus:
        """How far a recording is."""
        return await self.transport.get(f"/v1/upload/status/{session_id}", UploadStatus)

    async def session(self, session_id: UUID) -> SessionView:
        """A session with its transcript."""
        return await self.transport.get(f"/v1/sessions/{session_id}", SessionView)

    async def sessions(
        self, *, job_id: UUID | None = None, status: str | None = None
    ) -> AsyncIterator[SessionSummary]:
        """Sessions, newest first, page after page."""
        async for each in self.transport.pages("/v1/sessions", SessionSummary, jobId=job_id, status=status):
            yield each

    async def delete_session(self, session_id: UUID) -> None:
        """Delete it for good."""
        await self.transport.send("DELETE", f"/v1/sessions/{session_id}", Any, key=None)

    async def deletion(self, session_id: UUID) -> DeletionView:
        """What is left of a deleted session, place by place."""
        return await self.transport.get(f"/v1/sessions/{session_id}/deletion", DeletionView)

    async def search(
        self, query: str, *, scope: ScopeBody = EVERYWHERE, limit: int = 10, explain: bool = False
    ) -> SearchAnswer:
        """Passages that answer a query, best first."""
        body = json_body(SearchBody(query=query, scope=scope, limit=limit, explain=explain))
        return await self.transport.send("POST", "/v1/search", SearchAnswer, key=None, body=body)

    def follow(
        self,
        topics: Sequence[str],
        *,
        since: str | None = None,
        job_ids: Sequence[UUID] = (),
        poll: float = 2.0,
    ) -> Following:
        """What happens under topics such as `sessions:<id>`: iterate over its `messages()`.

        `job_ids` narrow `notifications` to some jobs; `poll` is how many seconds a poll may take, if it comes to that.
        """
        return Following(
            self.transport, topics, since=since, job_ids=job_ids, patience=self._patience, poll=poll
        )
