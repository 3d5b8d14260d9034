"""What has been told, as methods of the client. Whether something is read is known for each API key."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

from app.client.transport import Transport
from app.notifications.views import DeliveryView, NotificationView, UnreadCount


class Notifications:
    """Every method raises `Refused` or `Unreachable`. `Headwater.follow(["notifications"])` tells them as they come."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def all(
        self, *, unread: bool | None = None, job_id: UUID | None = None, session_id: UUID | None = None
    ) -> AsyncIterator[NotificationView]:
        """Notifications, newest first, page after page."""
        only = None if unread is None else str(unread).lower()
        async for each in self._transport.pages(
            "/v1/notifications", NotificationView, unread=only, jobId=job_id, sessionId=session_id
        ):
            yield each

    async def unread(self) -> UnreadCount:
        """How many this key has not read."""
        return await self._transport.get("/v1/notifications/unread-count", UnreadCount)

    async def read(self, notification_id: UUID) -> None:
        """Mark one as read."""
        await self._post(f"/v1/notifications/{notification_id}/read")

    async def read_all(self) -> None:
        """Mark all that there are now as read."""
        await self._post("/v1/notifications/read-all")

    async def outbox(self, *, session_id: UUID | None = None) -> AsyncIterator[DeliveryView]:
        """What has been sent, or will be, to whom."""
        async for each in self._transport.pages("/v1/outbox", DeliveryView, sessionId=session_id):
            yield each

    async def _post(self, path: str) -> None:
        await self._transport.send("POST", path, Any, key=str(uuid4()))
