"""The SQL that reads questions and answers."""

from uuid import UUID

import asyncpg
import msgspec

from app.chat.answer_telling import Told
from app.chat.answer_views import ChatSummary
from events.chat import AnswerScope, Reference
from infra.generation import Turn
from infra.retrieval.saved import SavedQuote

REMEMBERED = 4
"""Questions before it that a question is read with."""
EARLIER = """
with recursive earlier as (
    select question, answer, follows, 1 as n from chat.answers where id = $1
    union all
    select a.question, a.answer, a.follows, n + 1 from earlier e join chat.answers a on a.id = e.follows where n < $2
)
select question, answer from earlier order by n desc
"""


async def answer(db: asyncpg.Pool, answer_id: UUID) -> asyncpg.Record | None:
    return await db.fetchrow("select * from chat.answers where id = $1", answer_id)


async def earlier(db: asyncpg.Pool, answer_id: UUID) -> list[Turn]:
    """The last questions and answers of a conversation up to this one, oldest first."""
    rows = await db.fetch(EARLIER, answer_id, REMEMBERED)
    turns = [(Turn("user", row["question"]), Turn("assistant", row["answer"] or "")) for row in rows]
    return [each for both in turns for each in both if each.content]


async def told(db: asyncpg.Pool, row: asyncpg.Record) -> Told:
    """A question with all that is known of its answer."""
    passages = await db.fetch(
        "select * from chat.answer_passages where answer_id = $1 order by number, quoted", row["id"]
    )
    return Told(
        id=row["id"],
        question=row["question"],
        status=row["status"],
        scope=msgspec.json.decode(row["scope"], type=AnswerScope),
        contexts=tuple(msgspec.json.decode(row["contexts"])),
        text=row["answer"],
        method=row["method"],
        supported=bool(row["supported"]),
        note=row["note"],
        error=(row["error_code"], row["error_detail"]) if row["error_code"] else None,
        query=row["query"] or "",
        references=tuple(_reference(each) for each in passages if each["quoted"] == 0),
        quotes=tuple(
            SavedQuote(each["number"], each["quote"], each["quote_start"], each["quote_end"])
            for each in passages
            if each["quote"] is not None
        ),
        positions=msgspec.json.decode(row["positions"] or "{}"),
        closeness=row["closeness"] or 0.0,
        embedder=row["embedder"] or "",
        model=row["model"],
        digest=row["digest"],
        prompt_hash=row["prompt_hash"],
        seconds=row["seconds"] or 0.0,
        follows=row["follows"],
        position=f"CHAT@{row['revision']}",
    )


def _reference(row: asyncpg.Record) -> Reference:
    return Reference(
        number=row["number"],
        context=row["context"],
        index=row["found_in"],
        kind=row["kind"],
        source_id=row["source_id"],
        n=row["n"],
        hash=row["hash"],
        start_char=row["start_char"],
        end_char=row["end_char"],
        start=row["start_s"],
        end=row["end_s"],
        page=row["page"],
    )


async def answers(
    db: asyncpg.Pool, *, contexts: list[str], asked_by: str | None, before: int | None, limit: int
) -> list[tuple[ChatSummary, int]]:
    """The newest questions over no other contexts than these, each with its position."""
    rows = await db.fetch(
        "select * from chat.answers where contexts <@ to_jsonb($1::text[]) "
        "and ($2::text is null or asked_by = $2) and ($3::bigint is null or position < $3) "
        "order by position desc limit $4",
        contexts,
        asked_by,
        before,
        limit,
    )
    return [(_summary(row), row["position"]) for row in rows]


def _summary(row: asyncpg.Record) -> ChatSummary:
    return ChatSummary(**{name: row[name] for name in ChatSummary.__struct_fields__})


async def counts(db: asyncpg.Pool) -> dict[str, int]:
    """Questions by status."""
    rows = await db.fetch("select status, count(*) from chat.answers group by status")
    return {row["status"]: row["count"] for row in rows}
