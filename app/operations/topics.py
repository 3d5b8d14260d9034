"""What can be followed of what goes wrong: alerts and dead letters."""

from app.live.topics import Topic
from events.operations import AlertEvent, DeadLetterEvent, ErasureEvent

ALERTS = Topic(
    name="alerts",
    stream="OPERATIONS",
    scope="operations:read",
    events=(AlertEvent,),
    filters=lambda _: ("operations.alert.>",),
    of=lambda _: ("",),
    has_ids=False,
    about="What needs a person, and when its cause is gone.",
)

DEAD_LETTERS = Topic(
    name="dead-letters",
    stream="OPERATIONS",
    scope="operations:read",
    events=(DeadLetterEvent,),
    filters=lambda _: ("operations.dead_letter.>",),
    of=lambda _: ("",),
    has_ids=False,
    about="Events that handlers gave up on, and what became of them.",
)

ERASURES = Topic(
    name="erasures",
    stream="OPERATIONS",
    scope="operations:read",
    events=(ErasureEvent,),
    filters=lambda _: ("operations.erasure.>",),
    of=lambda _: ("",),
    has_ids=False,
    about="What was deleted and is now gone from the log and from the blob store.",
)

TOPICS = (ALERTS, DEAD_LETTERS, ERASURES)
