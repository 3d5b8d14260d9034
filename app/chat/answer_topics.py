"""What can be followed of answers as they are made."""

from app.live.topics import Topic
from events.chat import AnswerEvent

ANSWERS = Topic(
    name="answers",
    stream="CHAT",
    scope="chat:read",
    events=(AnswerEvent,),
    filters=lambda id: (f"chat.answer.{id}.>",),
    of=lambda recorded: (str(recorded.event.answer_id),),
    about="One question and its answer: signals `sources` and `chunk` while it is made, then its events. "
    "For those only who may read what it is looked for in.",
)
