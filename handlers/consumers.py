"""Durable consumers: each handler's events, taken at least once, acknowledged when answered, buried when hopeless."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from events.catalogue import Catalogue
from events.envelope import Event, Recorded
from handlers.answering import Answering
from handlers.handler import Attempt, Failure, Handler, Poison, Retry
from handlers.refusals import Refusal, Unavailable
from infra import jetstream
from infra.jetstream import ApiError, LogUnavailable
from infra.pull import ConsumerGone, Delivery, Pull
from infra.signals import Signals, progress_subject

ACK_WAIT = 30.0
"""Seconds after which a message whose worker has gone silent is given to another."""
TAKE_BACK = 6.0
"""Seconds that effects at work get to finish when the worker stops; the others are handed back."""
LOST = 4
"""Deliveries beyond the attempts that may end without a word (a worker killed, a connection lost) before burial."""

Bury = Callable[[Failure], Awaitable[None]]


class Consumer:
    """Runs one handler until cancelled. Any number of processes may run the same one: they share its events."""

    def __init__(
        self,
        handler: Handler,
        *,
        nc: Client,
        catalogue: Catalogue,
        answering: Answering,
        bury: Bury,
        signals: Signals,
        clock: Callable[[], datetime],
    ) -> None:
        self.handler = handler
        self._nc = nc
        self._catalogue = catalogue
        self._answering = answering
        self._bury = bury
        self._signals = signals
        self._clock = clock
        self._stream = handler.on.context.upper()
        self._running: dict[asyncio.Task[None], Msg] = {}
        self._telling: set[asyncio.Future[None]] = set()

    @property
    def at_work(self) -> int:
        """Events being dealt with right now."""
        return len(self._running)

    async def run(self) -> None:
        """Take and answer events for ever; on cancellation let those at work finish, and hand back the rest."""
        heartbeat = asyncio.create_task(self._keep())
        try:
            while True:
                try:
                    await self._declare()
                    await self._flow()
                except (ConsumerGone, LogUnavailable):
                    await asyncio.sleep(0.5)
        finally:
            await self._hand_back()
            heartbeat.cancel()

    async def _declare(self) -> None:
        handler = self.handler
        config = {
            "durable_name": handler.name,
            "description": f"{handler.name}: waits for {handler.on.type()}",
            "ack_policy": "explicit",
            "deliver_policy": "all",
            "ack_wait": int(ACK_WAIT * 1e9),
            "max_deliver": -1,
            "max_ack_pending": 1 if handler.ordered else 1000,
            "filter_subject": f"{handler.on.context}.{handler.on.aggregate}.*.{handler.on.name}",
        }
        try:
            await jetstream.api(
                self._nc,
                f"CONSUMER.CREATE.{self._stream}.{handler.name}.{config['filter_subject']}",
                {"stream_name": self._stream, "config": config},
            )
        except ApiError as refused:
            raise LogUnavailable(f"consumer {handler.name}: {refused}") from refused

    async def _flow(self) -> None:
        pull = Pull(self._nc, self._stream, self.handler.name, window=self.handler.concurrency)
        await pull.start()
        try:
            while True:
                for message in await pull.take(self.handler.concurrency):
                    task = asyncio.create_task(self._deal_with(message, pull))
                    self._running[task] = message
                    task.add_done_callback(self._running.pop)
        finally:
            await pull.stop()

    async def _keep(self) -> None:
        """Tell JetStream that what is at work is still at work."""
        while True:
            await asyncio.sleep(ACK_WAIT / 3)
            if self._nc.is_connected:
                for message in list(self._running.values()):
                    await self._nc.publish(message.reply, b"+WPI")

    async def _hand_back(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=TAKE_BACK)
        left = list(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _deal_with(self, message: Msg, pull: Pull) -> None:
        try:
            await self._nc.publish(message.reply, await self._verdict(message))
        except asyncio.CancelledError:
            if self._nc.is_connected:
                await self._nc.publish(message.reply, b"-NAK")
            raise
        finally:
            await pull.release()

    async def _verdict(self, message: Msg) -> bytes:
        """Deal with one delivery; what to answer JetStream: done, again later, or never again."""
        delivery = Delivery.of(message)
        try:
            recorded = self._catalogue.read(
                headers=message.headers, payload=message.data, stream=self._stream, position=delivery.position
            )
        except ValueError as undecodable:
            return await self._give_up(message, None, delivery, f"Undecodable: {undecodable}")
        if delivery.attempt > self.handler.attempts + LOST:
            return await self._give_up(message, recorded, delivery, "given out too often without an answer")
        return await self._attempt(message, recorded, delivery)

    async def _attempt(self, message: Msg, recorded: Recorded[Event], delivery: Delivery) -> bytes:
        handler = self.handler
        began = self._clock()

        def report(fraction: float) -> None:
            self._tell(recorded, attempt=delivery.attempt, startedAt=began, progress=round(100 * fraction))

        try:
            if delivery.attempt > 1 and await self._answering.answered(handler, recorded):
                return b"+ACK"
            report(0.0)
            attempt = Attempt(delivery.attempt, handler.attempts, report)
            await self._answering.answer(handler, recorded, attempt)
            return b"+ACK"
        except Retry as later:
            error, delay = str(later), later.delay
        except (Unavailable, LogUnavailable):
            return (
                _again(handler.delay(delivery.attempt))
                if delivery.attempt < handler.attempts
                else _again(5.0)
            )
        except (Poison, Refusal) as final:
            return await self._give_up(message, recorded, delivery, _cause(final))
        except Exception as failure:
            error, delay = _cause(failure), handler.delay(delivery.attempt)
        if delivery.attempt >= handler.attempts:
            return await self._give_up(message, recorded, delivery, error)
        self._tell(
            recorded,
            attempt=delivery.attempt,
            startedAt=began,
            progress=0,
            error=error,
            retryIn=round(delay, 1),
        )
        return _again(delay)

    async def _give_up(
        self, message: Msg, recorded: Recorded[Event] | None, delivery: Delivery, error: str
    ) -> bytes:
        failure = Failure(
            stream=self._stream,
            position=delivery.position,
            subject=message.subject,
            event_id=recorded.id if recorded else None,
            handler=self.handler.name,
            error=error,
            attempts=delivery.attempt,
            correlation_id=recorded.correlation_id if recorded else None,
        )
        try:
            await self._bury(failure)
            if recorded and self.handler.give_up:
                await self._answering.execute(
                    self.handler.give_up(recorded, failure), recorded, self.handler.name, "gave up"
                )
        except (Unavailable, LogUnavailable):
            return _again(1.0)
        return b"+TERM"

    def _tell(self, recorded: Recorded[Event], **facts: Any) -> None:
        key = recorded.event.key
        subject = progress_subject(key.aggregate, key.id, self.handler.name)
        told = asyncio.ensure_future(self._signals.send(subject, {"handler": self.handler.name, **facts}))
        self._telling.add(told)
        told.add_done_callback(self._telling.discard)


def _again(delay: float) -> bytes:
    return b'-NAK {"delay": %d}' % int(delay * 1e9)


def _cause(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"[:2000]
