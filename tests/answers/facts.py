"""One question's facts, and the commands that lead to them."""

from typing import Any
from uuid import UUID

from events.chat import AnswerAnswered, AnswerAsked, AnswerDeleted, AnswerFailed, AnswerScope, Reference
from handlers.chat.answer.decide import Ask, DeleteAnswer, FailAnswer, RecordAnswer

ANSWER, SESSION, JOB = UUID(int=1), UUID(int=2), UUID(int=3)
REFERENCES = (
    Reference(
        number=1, context="jobsite", index="minilm_segments", kind="session", source_id=SESSION, n=0,
        hash="ab" * 16, start_char=0, end_char=40, start=0.0, end=4.0,
    ),
    Reference(
        number=2, context="knowledge", index="minilm_sentences", kind="document", source_id=UUID(int=4), n=7,
        hash="cd" * 16, start_char=100, end_char=180, page=3,
    ),
)  # fmt: skip
_QUESTION: dict[str, Any] = {
    "answer_id": ANSWER,
    "question": "How much drywall?",
    "scope": AnswerScope(job_id=JOB),
    "contexts": ("jobsite", "knowledge"),
}
_ANSWER: dict[str, Any] = {
    "answer_id": ANSWER,
    "blob": "ef" * 32,
    "size": 90,
    "method": "extractive",
    "query": "How much drywall?",
    "references": REFERENCES,
    "positions": {"JOBSITE": 12},
    "closeness": 0.7,
    "supported": True,
    "embedder": "minilm_l6_v2",
    "seconds": 0.2,
}
ask = Ask(**_QUESTION)
record = RecordAnswer(**_ANSWER)
fail = FailAnswer(answer_id=ANSWER, code="GENERATION_FAILED", detail="It broke off.")
delete = DeleteAnswer(answer_id=ANSWER)
delete_with = DeleteAnswer(answer_id=ANSWER, source_id=SESSION)

ASKED = AnswerAsked(**_QUESTION)
ANSWERED = AnswerAnswered(**_ANSWER)
FAILED = AnswerFailed(answer_id=ANSWER, code="GENERATION_FAILED", detail="It broke off.")
DELETED = AnswerDeleted(answer_id=ANSWER)
DELETED_WITH = AnswerDeleted(answer_id=ANSWER, source_id=SESSION)
