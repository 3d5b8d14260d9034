"""A stream in order, from behind a position, for ever: what projections, the live hub and replays read."""

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from events.catalogue import Catalogue, Undecodable
from events.envelope import Event, Recorded
from infra import jetstream
from infra.jetstream import ApiError, LogUnavailable
from infra.pull import ConsumerGone, Delivery, Pull
from infra.stored import leader_get
from infra.wire import Connection

INACTIVE = 60.0
"""Seconds after which JetStream forgets the consumer of a reader that died."""


class Reader:
    """An ordered consumer: no acknowledgements, nothing skipped, made anew at the right place when it is lost."""

    def __init__(
        self,
        nc: Connection,
        catalogue: Catalogue,
        stream: str,
        *,
        after: int,
        filters: Sequence[str],
        window: int,
    ) -> None:
        self._nc = nc
        self._catalogue = catalogue
        self._stream = stream
        self._filters = list(filters)
        self._reservations = f"{stream.lower()}.unique."
        self._window = window
        self._pull: Pull | None = None
        self._delivered = 0
        self.position = after
        """The position of the newest message taken."""
        self.behind = 0
        """How many messages were waiting behind it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._close()

    async def take(self, most: int, *, wait: float | None = None) -> list[Recorded[Event]]:
        """The next events; none when `wait` seconds passed, or when only reservations came.

        Raises `Undecodable` at a message this version cannot read, without moving past it: events before it have been
        handed out by then. While JetStream is away it waits, and goes on from the same place.
        """
        deadline = None if wait is None else time.monotonic() + wait
        before = self.position
        while self.position == before:
            deliveries = await self._deliveries(most, deadline)
            if not deliveries:
                self.behind = 0  # what was waiting has been erased since
                return []
            events = await self._read(deliveries)
        return events

    def pass_over(self) -> None:
        """Go on behind the message that was `Undecodable`: for who can do without it."""
        self.position += 1

    async def before(self, end: int) -> bool:
        """Whether anything up to the position `end` is still to be taken. Raises `LogUnavailable`.

        The consumer may live on a replica that is behind: when it knows of nothing more, the leader is asked.
        """
        if self.position >= end:
            return False
        await self.open()
        if self.behind:
            return True
        wanted = [{"seq": self.position + 1, "next_by_subj": each} for each in self._filters or [">"]]
        found = [await leader_get(self._nc, self._stream, query) for query in wanted]
        return any(message and message.position <= end for message in found)

    async def _deliveries(self, most: int, deadline: float | None) -> list[Delivery]:
        while True:
            try:
                pull = await self.open()
                taken = await pull.take(most, wait=None if deadline is None else deadline - time.monotonic())
                await pull.release(len(taken))
                return taken
            except (ConsumerGone, LogUnavailable):
                await self._close()
                if deadline and time.monotonic() > deadline:
                    return []
                await asyncio.sleep(0.1)

    async def _read(self, deliveries: Sequence[Delivery]) -> list[Recorded[Event]]:
        """The events among these messages, up to where one is missing or unreadable: the reader opens anew there."""
        events: list[Recorded[Event]] = []
        for delivery in deliveries:
            if delivery.number != self._delivered + 1:
                await self._close()
                break
            if not delivery.subject.startswith(self._reservations):
                try:
                    events.append(self._event(delivery))
                except Undecodable:
                    self.position = delivery.position - 1  # right before it, though what was there is erased
                    await self._close()
                    if events:
                        break
                    raise
            self._delivered = delivery.number
            self.position = delivery.position
            self.behind = delivery.pending
        return events

    def _event(self, delivery: Delivery) -> Recorded[Event]:
        return self._catalogue.read(
            headers=delivery.headers,
            payload=delivery.payload,
            stream=self._stream,
            position=delivery.position,
            subject=delivery.subject,
        )

    async def open(self) -> Pull:
        """Make the consumer, if there is none; then `behind` is known. Raises `LogUnavailable`."""
        if self._pull:
            return self._pull
        config = {
            "ack_policy": "none",
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": self.position + 1,
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": int(INACTIVE * 1e9),
            "filter_subjects": self._filters,
        }
        try:
            made = await jetstream.api(
                self._nc, f"CONSUMER.CREATE.{self._stream}", {"stream_name": self._stream, "config": config}
            )
        except ApiError as refused:
            raise LogUnavailable(f"{self._stream} cannot be read now: {refused}") from refused
        self._name = made["name"]
        self._delivered = 0
        self.behind = made["num_pending"]
        pull = Pull(self._nc, self._stream, self._name, window=self._window, redelivers=False)
        await pull.start()
        self._pull = pull
        return pull

    async def _close(self) -> None:
        if self._pull is None:
            return
        pull, self._pull = self._pull, None
        await pull.stop()
        if self._nc.is_connected:
            await self._nc.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{self._name}", b"")
