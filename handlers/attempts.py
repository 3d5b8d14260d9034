"""One delivery of an event to a handler, and what becomes of it: done, again later, or a dead letter."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import structs

from events.catalogue import Catalogue
from events.envelope import Event, Recorded
from handlers.answering import Answering
from handlers.handler import Attempt, Failure, Handler, NotYet, Poison, Retry, cause_of
from handlers.refusals import NameTaken, Refusal, Unavailable
from infra.blobs import BlobsUnavailable
from infra.jetstream import LogUnavailable
from infra.pull import Delivery
from infra.read_models import NotReadable
from infra.signals import Signals, progress_subject
from infra.telemetry import logs, traces
from infra.telemetry.metrics import Metrics

log = logs.logger(__name__)

LOST = 50
"""Deliveries beyond the attempts that may end without a word (a worker killed, a connection lost) before burial.

Many, because whoever is at work beside an event that kills its worker is given out again as often as that one is.
"""
HELD = 5.0
"""Seconds, at most, between two looks whether what an effect stands on is there again."""
OLD = 60.0
"""Seconds after which an event may have been answered by a consumer that is no more: then its answer is looked for."""
DONE = b"+ACK"
NEVER_AGAIN = b"+TERM"

Bury = Callable[[Failure], Awaitable[None]]


class Attempts:
    """Deals with the deliveries of one handler."""

    def __init__(
        self,
        handler: Handler,
        *,
        catalogue: Catalogue,
        answering: Answering,
        bury: Bury,
        signals: Signals,
        metrics: Metrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._handler = handler
        self._catalogue = catalogue
        self._answering = answering
        self._bury = bury
        self._signals = signals
        self._metrics = metrics
        self._clock = clock
        self._telling: set[asyncio.Future[Any]] = set()
        self._excused: Counter[int] = Counter()
        """Deliveries of each event that came too early: no attempts. Other workers hear of them on `LIVE`."""

    async def verdict(self, delivery: Delivery) -> bytes:
        """Deal with one delivery; what to answer JetStream."""
        known = delivery.attempt > 1 or self._clock().timestamp() - delivery.time / 1e9 > OLD
        stream = self._handler.on.context.upper()
        try:
            recorded = self._catalogue.read(
                headers=delivery.headers,
                payload=delivery.payload,
                stream=stream,
                position=delivery.position,
                subject=delivery.subject,
            )
        except ValueError as undecodable:
            return await self._give_up(None, delivery, cause_of(undecodable))
        name = self._handler.name
        with (
            traces.span_from(recorded.trace, f"handle {name}", traces.of_event(recorded, name)) as span,
            logs.context(event_id=recorded.id, correlation_id=recorded.correlation_id),
        ):
            excused = await self._excuses(recorded, delivery)
            delivery = structs.replace(delivery, attempt=max(1, delivery.attempt - excused))
            if delivery.attempt > self._handler.attempts + LOST:
                return await self._give_up(recorded, delivery, "given out too often without an answer")
            try:
                return await self._attended(recorded, delivery, known)
            except NameTaken as overtaken:  # since the handler looked: it may find its like by now
                traces.failed(span, overtaken)
                return await self._again_or_never(recorded, delivery, overtaken)
            except (Poison, Refusal) as final:
                traces.failed(span, final)
                return await self._give_up(recorded, delivery, cause_of(final))
            except Exception as failure:
                traces.failed(span, failure)
                return await self._again_or_never(recorded, delivery, failure)

    async def _excuses(self, recorded: Recorded[Event], delivery: Delivery) -> int:
        """How many deliveries of this event came too early, to whichever worker."""
        own = self._excused[delivery.position]
        if delivery.attempt > 1:
            subject = self._subject(recorded)
            told = (await self._signals.latest([subject], _Excuse)).get(subject)
            if told and told.event == recorded.position:  # not another event of the same aggregate
                own = max(own, told.excused)
        if own:
            self._excused[delivery.position] = own
        return own

    async def _attended(self, recorded: Recorded[Event], delivery: Delivery, known: bool) -> bytes:
        """One attempt, begun again while a server that it needs does not answer.

        The event is kept here meanwhile: given out again each time, by one worker or another, it would soon look like
        one that nobody can answer.
        """
        look = 0
        while True:
            started, look = time.monotonic(), look + 1
            try:
                return await self._attempt(recorded, delivery, known or look > 1)
            except (Unavailable, LogUnavailable, BlobsUnavailable, NotReadable) as away:
                self._metrics.attempted(self._handler.name, "unavailable", time.monotonic() - started)
                log.warning(
                    "what a handler stands on does not answer", handler=self._handler.name, cause=away
                )
            await asyncio.sleep(min(self._handler.delay(look), HELD))

    async def _attempt(self, recorded: Recorded[Event], delivery: Delivery, known: bool) -> bytes:
        """One try, unless it is `known` and answered already. Raises whatever ends it."""
        handler, began, started = self._handler, self._clock(), time.monotonic()

        def report(fraction: float) -> None:
            self._tell(recorded, attempt=delivery.attempt, startedAt=began, progress=round(100 * fraction))

        try:
            if known and await self._answering.answered(handler, recorded):
                return DONE
            report(0.0)
            await self._answering.answer(
                handler, recorded, Attempt(delivery.attempt, handler.attempts, report)
            )
        except (Unavailable, LogUnavailable, BlobsUnavailable, NotReadable):
            raise
        except NotYet as early:
            self._excused[delivery.position] += 1
            self._tell(recorded, attempt=delivery.attempt, startedAt=began, progress=0)
            return _again(early.delay)
        except Exception:
            self._metrics.attempted(handler.name, "retry", time.monotonic() - started)
            raise
        del self._excused[delivery.position]
        seconds = time.monotonic() - started
        self._metrics.attempted(handler.name, "ok", seconds)
        log.info(
            "event handled",
            handler=handler.name,
            position=recorded.cursor,
            attempt=delivery.attempt,
            seconds=round(seconds, 3),
        )
        return DONE

    async def _again_or_never(
        self, recorded: Recorded[Event], delivery: Delivery, failure: Exception
    ) -> bytes:
        if delivery.attempt >= self._handler.attempts:
            return await self._give_up(recorded, delivery, cause_of(failure))
        return self._later(recorded, delivery, failure)

    def _later(self, recorded: Recorded[Event], delivery: Delivery, failure: Exception) -> bytes:
        delay = failure.delay if isinstance(failure, Retry) else self._handler.delay(delivery.attempt)
        log.warning(
            "attempt failed",
            handler=self._handler.name,
            position=recorded.cursor,
            attempt=delivery.attempt,
            cause=cause_of(failure),
            retry_in=round(delay, 1),
        )
        self._tell(
            recorded,
            attempt=delivery.attempt,
            startedAt=self._clock(),
            progress=0,
            error=cause_of(failure),
            retryIn=round(delay, 1),
        )
        return _again(delay)

    async def _give_up(self, recorded: Recorded[Event] | None, delivery: Delivery, error: str) -> bytes:
        handler = self._handler
        failure = Failure(
            stream=handler.on.context.upper(),
            position=delivery.position,
            subject=delivery.subject,
            event_id=recorded.id if recorded else None,
            handler=handler.name,
            error=error,
            attempts=delivery.attempt,
            correlation_id=recorded.correlation_id if recorded else None,
        )
        try:
            await self._bury(failure)
            if recorded and handler.give_up:
                await self._answering.execute(
                    handler.give_up(recorded, failure), recorded, handler.name, "gave up"
                )
        except (Unavailable, LogUnavailable):
            return _again(1.0)
        except (
            Refusal,
            ValueError,
        ) as refused:  # the letter is there; the aggregate knows better, or is unreadable
            log.warning("giving up was refused", handler=handler.name, cause=refused)
        del self._excused[delivery.position]
        self._metrics.buried(handler.name)
        self._metrics.attempted(handler.name, "gave_up", 0.0)
        log.error(
            "event became a dead letter",
            handler=handler.name,
            position=f"{failure.stream}@{failure.position}",
            attempt=delivery.attempt,
            cause=error,
        )
        return NEVER_AGAIN

    def _tell(self, recorded: Recorded[Event], **facts: Any) -> None:
        if excused := self._excused[recorded.position]:
            facts |= {"excused": excused, "event": recorded.position}
        told = asyncio.ensure_future(
            self._signals.send(self._subject(recorded), {"handler": self._handler.name, **facts})
        )
        self._telling.add(told)
        told.add_done_callback(self._telling.discard)

    def _subject(self, recorded: Recorded[Event]) -> str:
        key = recorded.event.key
        return progress_subject(key.aggregate, key.id, self._handler.name)


class _Excuse(msgspec.Struct):
    """Of what is told of an attempt: how many deliveries before it were none."""

    event: int = 0
    """Its position."""
    excused: int = 0


def _again(delay: float) -> bytes:
    return b'-NAK {"delay": %d}' % int(delay * 1e9)
