"""Durable consumers: each handler's events, taken at least once, by any number of processes at the same time."""

import asyncio
from weakref import WeakValueDictionary

from nats.errors import Error as NatsError

from handlers.attempts import Attempts
from handlers.handler import Handler
from infra import jetstream
from infra.jetstream import ApiError, LogUnavailable
from infra.pull import ConsumerGone, Delivery, Pull
from infra.telemetry.logs import logger
from infra.wire import Connection

log = logger(__name__)

ACK_WAIT = 30.0
"""Seconds after which a message whose worker has gone silent is given to another."""
TAKE_BACK = 4.0
"""Seconds that effects at work get to finish when the worker stops; the others are handed back."""
AT_WORK = b"+WPI"
HAND_BACK = b"-NAK"
LATER = b'-NAK {"delay": 5000000000}'


class Consumer:
    """Takes one handler's events until cancelled. Processes that run the same handler share its events."""

    def __init__(
        self, handler: Handler, attempts: Attempts, *, nc: Connection, ack_wait: float = ACK_WAIT
    ) -> None:
        self.handler = handler
        self._attempts = attempts
        self._nc = nc
        self._ack_wait = ack_wait
        self._stream = handler.on.context.upper()
        self._running: dict[asyncio.Task[None], Delivery] = {}
        self._gate = asyncio.Semaphore(handler.concurrency)
        """JetStream may give out more than was asked for: what was asked for before a silence comes in addition."""
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        """One event given out again, because the log had not heard of us, waits for what becomes of it here."""

    @property
    def at_work(self) -> int:
        """Events being dealt with right now."""
        return len(self._running)

    async def run(self) -> None:
        """Take and answer events for ever; on cancellation let those at work finish, and hand back the rest."""
        keeping = asyncio.create_task(self._keep())
        try:
            while True:
                try:
                    await self._declare()
                    await self._flow()
                except (ConsumerGone, LogUnavailable) as lost:
                    log.warning("consumer lost", handler=self.handler.name, cause=lost)
                    await asyncio.sleep(0.5)
        finally:
            await self._finish()
            keeping.cancel()

    async def _declare(self) -> None:
        handler = self.handler
        subject = f"{handler.on.context}.{handler.on.aggregate}.*.{handler.on.name}"
        config = {
            "durable_name": handler.name,
            "description": f"{handler.name} waits for {handler.on.type()}",
            "ack_policy": "explicit",
            "deliver_policy": "all",
            "ack_wait": int(self._ack_wait * 1e9),
            "max_deliver": -1,
            "max_ack_pending": 1 if handler.ordered else 1000,
            "filter_subject": subject,
        }
        try:
            await jetstream.api(
                self._nc,
                f"CONSUMER.CREATE.{self._stream}.{handler.name}.{subject}",
                {"stream_name": self._stream, "config": config},
            )
        except ApiError as refused:
            raise LogUnavailable(f"consumer {handler.name}: {refused}") from refused

    async def _flow(self) -> None:
        pull = Pull(self._nc, self._stream, self.handler.name, window=self.handler.concurrency)
        await pull.start()
        try:
            while True:
                for delivery in await pull.take(self.handler.concurrency):
                    task = asyncio.create_task(self._deal_with(delivery, pull))
                    self._running[task] = delivery
                    task.add_done_callback(self._running.pop)
        finally:
            for delivery in await pull.stop():
                await self._answer(delivery, HAND_BACK)

    async def _deal_with(self, delivery: Delivery, pull: Pull) -> None:
        turn = self._turns.setdefault(delivery.position, asyncio.Lock())
        try:
            async with turn, self._gate:
                verdict = await self._attempts.verdict(delivery)
        except asyncio.CancelledError:
            await self._answer(delivery, HAND_BACK)
            raise
        except Exception as failure:
            log.error("a delivery could not be dealt with", handler=self.handler.name, failure=failure)
            verdict = LATER
        await self._answer(delivery, verdict)
        await pull.release()

    async def _answer(self, delivery: Delivery, verdict: bytes) -> None:
        """Without a connection there is no answer, and the event is given out again, which changes nothing."""
        try:
            if self._nc.is_connected:
                await self._nc.publish(delivery.reply, verdict)
        except NatsError as lost:
            log.warning("answer to the log was lost", handler=self.handler.name, cause=lost)

    async def _keep(self) -> None:
        """Tell JetStream, in good time, that what is at work still is."""
        while True:
            await asyncio.sleep(self._ack_wait / 3)
            for delivery in list(self._running.values()):
                await self._answer(delivery, AT_WORK)

    async def _finish(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=TAKE_BACK)
        left = list(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
