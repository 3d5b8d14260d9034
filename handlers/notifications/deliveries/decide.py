"""Rules of a delivery: its intent is known before it is tried, its receipt after, and nothing is sent twice unsaid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never
from uuid import UUID

from msgspec import structs

from events.notifications import (
    DeliveryAttempted,
    DeliveryCancelled,
    DeliveryDeleted,
    DeliveryEvent,
    DeliveryFailed,
    DeliveryGaveUp,
    DeliveryKept,
    DeliveryReplaced,
    DeliveryRequested,
    DeliveryRescheduled,
    DeliverySent,
    DeliveryUncertain,
)
from handlers.commands import Decider, as_told
from handlers.notifications.deliveries.commands import (
    Begin,
    Cancel,
    DeleteDelivery,
    DeliveryCommand,
    GiveUp,
    Keep,
    RecordFailure,
    RecordSent,
    RequestDelivery,
    Resend,
    Wish,
    Withdraw,
)
from handlers.refusals import Conflict, NotFound


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Deleted:
    pass


@dataclass(frozen=True)
class Delivery:
    """How far it is. `turn` numbers the times at which it was to be sent, `attempts` those at which it was."""

    request: DeliveryRequested
    status: Literal["waiting", "sending", "sent", "failed", "kept", "cancelled"] = "waiting"
    turn: int = 1
    attempts: int = 0
    doubts: int = 0
    """Attempts that may have reached the other side without our knowing."""
    sent: DeliverySent | None = None


State = Absent | Delivery | Deleted
BROKEN_OFF = "The process that was sending it ended before the answer was recorded."


def decide(command: DeliveryCommand, state: State) -> Sequence[DeliveryEvent]:
    match command, state:
        case RequestDelivery() as c, Absent():
            return [as_told(DeliveryRequested, c)]
        case DeleteDelivery() as c, Absent():  # so that one on its way comes too late
            return [DeliveryDeleted(delivery_id=c.delivery_id)]
        case (Cancel() | Resend()) as c, Delivery():
            return _wish(c, state)
        case (Cancel() | Resend()) as c, _:
            raise NotFound("DELIVERY_NOT_FOUND", f"There is no delivery {c.delivery_id}.")
        case _, Delivery():
            return _follow(command, state)
    return []  # late news of what is gone


def _follow(command: DeliveryCommand, delivery: Delivery) -> Sequence[DeliveryEvent]:
    match command:
        case Keep() as c:
            wanted = delivery.status == "waiting" and c.turn == delivery.turn
            return [DeliveryKept(delivery_id=c.delivery_id)] if wanted else []
        case Begin() as c:
            return _begin(c, delivery) if c.turn == delivery.turn else []
        case RecordSent() as c:
            return [] if delivery.sent else [as_told(DeliverySent, c)]
        case RecordFailure() as c:
            now = delivery.status == "sending" and c.attempt == delivery.attempts
            return _failed(c, delivery) if now else []
        case GiveUp() as c:
            over = delivery.status not in ("waiting", "sending")
            told = as_told(DeliveryGaveUp, c, uncertain=bool(delivery.doubts or delivery.status == "sending"))
            return [] if over else [told]
        case Withdraw() as c:
            waits = delivery.status == "waiting"
            return [DeliveryCancelled(delivery_id=c.delivery_id)] if waits else []
        case DeleteDelivery() as c:
            return [_deleted(c.delivery_id, delivery)]
        case RequestDelivery() as c:
            return _replaced(c, delivery)
        case Cancel() | Resend():
            return []
    assert_never(command)


def _replaced(command: RequestDelivery, delivery: Delivery) -> Sequence[DeliveryEvent]:
    """What has not left is not sent as it was before; what had ended without any mail is worth another attempt."""
    newer = (command.edition or 0) > (delivery.request.edition or 0)
    if not newer or delivery.status in ("sending", "sent"):
        return []
    ended = delivery.status == "kept" or (delivery.status == "failed" and not delivery.doubts)
    again = [_rescheduled(delivery, command.at, asked=True)] if ended and command.at else []
    return [as_told(DeliveryReplaced, command), *again]


def _begin(command: Begin, delivery: Delivery) -> Sequence[DeliveryEvent]:
    attempted = DeliveryAttempted(delivery_id=command.delivery_id, attempt=delivery.attempts + 1)
    match delivery.status:
        case "waiting":
            return [attempted]
        case "sending":  # whoever began it has not come back
            return [
                DeliveryUncertain(
                    delivery_id=command.delivery_id,
                    attempt=delivery.attempts,
                    code="BROKEN_OFF",
                    detail=BROKEN_OFF,
                ),
                attempted,
            ]
        case _:
            return []


def _failed(command: RecordFailure, delivery: Delivery) -> Sequence[DeliveryEvent]:
    kind = DeliveryUncertain if command.uncertain else DeliveryFailed
    if command.retry_at:
        return [as_told(kind, command), _rescheduled(delivery, command.retry_at)]
    doubtful = command.uncertain or delivery.doubts > 0
    over = DeliveryGaveUp(
        delivery_id=command.delivery_id, code=command.code, detail=command.detail, uncertain=doubtful
    )
    return [as_told(kind, command), over]


def _rescheduled(delivery: Delivery, due_at: datetime, *, asked: bool = False) -> DeliveryRescheduled:
    request = delivery.request
    return DeliveryRescheduled(
        delivery_id=request.delivery_id,
        channel=request.channel,
        turn=delivery.turn + 1,
        due_at=due_at,
        asked=asked,
    )


def _wish(command: Wish, delivery: Delivery) -> Sequence[DeliveryEvent]:
    match delivery.status:
        case "sending":
            raise Conflict("DELIVERY_UNDER_WAY", "It is being sent right now; ask again in a moment.")
        case "sent":
            raise Conflict("DELIVERY_SENT", "It was sent already.")
    if isinstance(command, Resend):
        return [_rescheduled(delivery, command.at, asked=True)]
    if delivery.status == "failed":
        raise Conflict("DELIVERY_FAILED", "It has failed and is not tried again; there is nothing to cancel.")
    return [] if delivery.status == "cancelled" else [DeliveryCancelled(delivery_id=command.delivery_id)]


def _deleted(delivery_id: UUID, delivery: Delivery) -> DeliveryDeleted:
    request, sent = delivery.request, delivery.sent
    doubtful = delivery.doubts > 0 or delivery.status == "sending"
    if not (sent or doubtful):
        return DeliveryDeleted(delivery_id=delivery_id, source=request.source)
    return DeliveryDeleted(
        delivery_id=delivery_id,
        source=request.source,
        channel=request.channel,
        recipient=sent.recipient if sent else request.recipient,
        message_id=request.message_id,
        sent_at=sent.sent_at if sent else None,
        receipt=sent.receipt if sent else None,
        attempts=delivery.attempts,
        uncertain=doubtful,
    )


def evolve(state: State, event: DeliveryEvent) -> State:
    match event, state:
        case DeliveryRequested() as e, Absent():
            return Delivery(e)
        case DeliveryDeleted(), _:
            return Deleted()
        case DeliveryReplaced() as e, Delivery():
            return replace(state, request=structs.replace(state.request, **structs.asdict(e)))
        case DeliveryAttempted() as e, Delivery():
            return replace(state, status="sending", attempts=e.attempt)
        case DeliverySent() as e, Delivery():
            return replace(state, status="sent", sent=e)
        case DeliveryUncertain(), Delivery():
            return replace(state, status="waiting", doubts=state.doubts + 1)
        case DeliveryFailed(), Delivery():
            return replace(state, status="waiting")
        case DeliveryRescheduled() as e, Delivery():
            return replace(state, status="waiting", turn=e.turn)
        case DeliveryKept(), Delivery():
            return replace(state, status="kept")
        case DeliveryCancelled(), Delivery():
            return replace(state, status="cancelled")
        case DeliveryGaveUp(), Delivery():
            return replace(state, status="failed")
    return state


DELIVERIES: Decider[DeliveryCommand, State] = Decider(
    "notifications",
    "delivery",
    (
        RequestDelivery,
        Begin,
        Keep,
        RecordSent,
        RecordFailure,
        GiveUp,
        Withdraw,
        Cancel,
        Resend,
        DeleteDelivery,
    ),
    Absent(),
    decide,
    evolve,
)
