"""Rules of a delivery."""

from typing import Any

import pytest
from hypothesis import given as anything
from hypothesis import strategies as st
from msgspec import structs

from events.envelope import Event
from events.notifications import (
    DeliveryCancelled,
    DeliveryDeleted,
    DeliveryGaveUp,
    DeliveryKept,
)
from handlers.notifications.deliveries.commands import (
    Begin,
    Cancel,
    DeleteDelivery,
    GiveUp,
    Keep,
    Resend,
    Withdraw,
)
from handlers.notifications.deliveries.decide import BROKEN_OFF, DELIVERIES
from handlers.notifications.deliveries.schedule import Schedule
from handlers.refusals import Conflict, NotFound
from tests.notifications.facts import (
    ANN,
    MAIL,
    MONDAY,
    REPLACED,
    REQUESTED,
    SESSION,
    attempted,
    doubted,
    fail,
    failed,
    request,
    rescheduled,
    second,
    sent,
    was_sent,
)
from tests.rules import Given
from tests.rules import given as given_of

begin, again = Begin(delivery_id=MAIL, turn=1), Begin(delivery_id=MAIL, turn=2)
cancel, resend = Cancel(delivery_id=MAIL), Resend(delivery_id=MAIL, at=MONDAY)
delete = DeleteDelivery(delivery_id=MAIL)
BROKE_OFF = doubted(code="BROKEN_OFF", detail=BROKEN_OFF)
GAVE_UP = DeliveryGaveUp(delivery_id=MAIL, code="SMTP_451", detail="later")


def given(*past: Event) -> Given:
    return given_of(DELIVERIES, *past)


def test_a_delivery_says_that_it_is_tried_and_then_what_came_of_it():
    given().when(request, request, begin, sent()).then(REQUESTED, attempted(), was_sent())


def test_what_was_sent_is_never_begun_again():
    given(REQUESTED, attempted(), was_sent()).when(begin, again, sent(), fail()).then()


def test_one_whose_sender_has_not_come_back_is_uncertain_and_tried_again():
    given(REQUESTED, attempted()).when(begin).then(BROKE_OFF, attempted(2))


def test_a_failure_is_tried_again_at_its_time_and_not_by_the_event_that_led_to_it():
    given(REQUESTED, attempted()).when(fail()).then(failed(), rescheduled())
    past = (REQUESTED, attempted(), failed(), rescheduled())
    given(*past).when(begin).then()
    given(*past).when(again).then(attempted(2))


def test_a_doubtful_end_is_tried_again_and_stays_in_doubt():
    given(REQUESTED, attempted()).when(fail(uncertain=True)).then(doubted(), rescheduled())
    past = (REQUESTED, attempted(), doubted(), rescheduled(), attempted(2))
    given(*past).when(fail(2, retry_at=None)).then(failed(2), structs.replace(GAVE_UP, uncertain=True))


def test_a_refusal_for_good_ends_it():
    given(REQUESTED, attempted()).when(fail(retry_at=None)).then(failed(), GAVE_UP)


def test_news_of_an_attempt_that_is_over_do_not_count_unless_it_was_sent():
    past = (REQUESTED, attempted(), BROKE_OFF, attempted(2))
    given(*past).when(fail(1)).then()
    given(*past).when(sent(1), fail(2)).then(was_sent(1))


def test_mail_without_a_server_is_kept_until_somebody_wants_it_sent():
    kept = DeliveryKept(delivery_id=MAIL)
    keep = Keep(delivery_id=MAIL, turn=1)
    given(REQUESTED).when(keep, keep, begin).then(kept)
    given(REQUESTED, kept).when(resend, again).then(rescheduled(at=MONDAY, asked=True), attempted())


def test_an_unsent_one_can_be_cancelled():
    cancelled = DeliveryCancelled(delivery_id=MAIL)
    given(REQUESTED).when(cancel, cancel, begin).then(cancelled)
    given(REQUESTED, attempted(), failed(), rescheduled()).when(cancel, again).then(cancelled)


@pytest.mark.parametrize("wish", [cancel, resend])
def test_what_is_on_its_way_or_out_cannot_be_called_back_nor_sent_again(wish: Any):
    given(REQUESTED, attempted()).when(wish).refused(Conflict, "DELIVERY_UNDER_WAY")
    given(REQUESTED, attempted(), was_sent()).when(wish).refused(Conflict, "DELIVERY_SENT")
    given().when(wish).refused(NotFound, "DELIVERY_NOT_FOUND")
    given(REQUESTED, DeliveryDeleted(delivery_id=MAIL)).when(wish).refused(NotFound, "DELIVERY_NOT_FOUND")


def test_a_failed_one_can_be_sent_again():
    past = (REQUESTED, attempted(), failed(), GAVE_UP)
    given(*past).when(cancel).refused(Conflict, "DELIVERY_FAILED")
    given(*past).when(resend, again).then(rescheduled(at=MONDAY, asked=True), attempted(2))


def test_asking_for_one_that_waits_brings_it_forward():
    past = (REQUESTED, attempted(), failed(), rescheduled())
    third = Begin(delivery_id=MAIL, turn=3)
    given(*past).when(resend, again, third).then(rescheduled(3, at=MONDAY, asked=True), attempted(2))


def test_what_has_not_left_is_sent_as_the_newest_edition_once():
    first = structs.replace(request, edition=1)
    third = structs.replace(second, edition=3)
    for past in ((), (attempted(), failed(), rescheduled()), (attempted(), doubted(), rescheduled())):
        given(REQUESTED, *past).when(second, second, first).then(REPLACED)
    given(REQUESTED).when(second, third).then(REPLACED, structs.replace(REPLACED, edition=3))
    cancelled = DeliveryCancelled(delivery_id=MAIL)
    given(REQUESTED, cancelled).when(second, begin).then(REPLACED)
    state: Any = DELIVERIES.initial
    for event in (REQUESTED, REPLACED):
        state = DELIVERIES.evolve(state, event)
    assert (state.request.blob, state.request.subject, state.request.recipient) == (
        "bb",
        "Boiler room: one item",
        ANN,
    )


def test_one_that_waits_goes_for_another_and_one_that_leaves_or_has_ended_stays():
    withdraw = Withdraw(delivery_id=MAIL)
    cancelled = DeliveryCancelled(delivery_id=MAIL)
    for past in ((), (attempted(), failed(), rescheduled())):
        given(REQUESTED, *past).when(withdraw, withdraw, begin, again).then(cancelled)
    for past in ((attempted(),), (attempted(), was_sent()), (attempted(), failed(), GAVE_UP)):
        given(REQUESTED, *past).when(withdraw).then()
    given().when(withdraw).then()


def test_what_leaves_or_has_left_is_as_it_is():
    given(REQUESTED, attempted()).when(second).then()
    given(REQUESTED, attempted(), was_sent()).when(second).then()
    given(REQUESTED, DeliveryDeleted(delivery_id=MAIL)).when(second).then()


def test_who_has_had_no_mail_has_the_later_edition():
    kept = DeliveryKept(delivery_id=MAIL)
    given(REQUESTED, kept).when(second, again).then(REPLACED, rescheduled(asked=True), attempted())
    past = (REQUESTED, attempted(), failed(), GAVE_UP)
    given(*past).when(second, again).then(REPLACED, rescheduled(asked=True), attempted(2))
    doubtful = (REQUESTED, attempted(), doubted(), structs.replace(GAVE_UP, uncertain=True))
    given(*doubtful).when(second, again).then(REPLACED)


def test_a_handler_that_gives_up_says_so_once_and_whether_it_may_have_been_sent():
    give_up = GiveUp(delivery_id=MAIL, code="DELIVERY_FAILED", detail="e")
    given(REQUESTED).when(give_up, give_up).then(
        DeliveryGaveUp(delivery_id=MAIL, code="DELIVERY_FAILED", detail="e")
    )
    given(REQUESTED, attempted()).when(give_up).then(
        DeliveryGaveUp(delivery_id=MAIL, code="DELIVERY_FAILED", detail="e", uncertain=True)
    )


def test_a_deletion_leaves_nothing_of_what_was_not_sent():
    gone = DeliveryDeleted(delivery_id=MAIL, source=SESSION)
    given(REQUESTED).when(delete, delete, begin, request).then(gone)
    given().when(delete, request).then(DeliveryDeleted(delivery_id=MAIL))


def test_a_deletion_leaves_the_bare_effect_of_what_was_or_may_have_been_sent():
    bare = DeliveryDeleted(
        delivery_id=MAIL,
        source=SESSION,
        channel="mail",
        recipient=ANN,
        message_id=REQUESTED.message_id,
        sent_at=MONDAY,
        receipt="250 OK",
        attempts=1,
    )
    given(REQUESTED, attempted(), was_sent()).when(delete).then(bare)
    doubtful = structs.replace(bare, sent_at=None, receipt=None, uncertain=True)
    given(REQUESTED, attempted()).when(delete, sent()).then(doubtful)
    given(REQUESTED, attempted(), doubted(), rescheduled()).when(delete).then(doubtful)


commands = st.lists(
    st.sampled_from(
        [request, second, begin, again, Begin(delivery_id=MAIL, turn=3), sent(), sent(2), fail(), fail(2)]
    )
    | st.sampled_from([fail(uncertain=True), fail(2, retry_at=None), cancel, resend, delete]),
    max_size=30,
)


@anything(commands)
def test_whatever_happens_two_attempts_have_an_end_or_a_doubt_between_them(said: list[Any]):
    state: Any = DELIVERIES.initial
    open_, ends = False, 0
    for command in said:
        try:
            events = DELIVERIES.decide(command, state)
        except (Conflict, NotFound):
            continue
        for event in events:
            if event.name == "attempted":
                assert not open_
                assert not ends
                open_ = True
            elif event.name in {"failed", "uncertain", "deleted"}:
                open_ = False
            elif event.name == "sent":
                open_, ends = False, ends + 1
            state = DELIVERIES.evolve(state, event)
    assert ends <= 1


def test_pauses_grow_to_an_hour_and_end():
    schedule = Schedule(first=30)
    pauses = [schedule.retry_at(MAIL, n, MONDAY) for n in range(1, 11)]
    seconds = [round((each - MONDAY).total_seconds()) for each in pauses if each]
    assert seconds[:4] == [30, 120, 478, 1912]
    assert (seconds[-1], len(seconds), pauses[-1]) == (3586, 9, None)
