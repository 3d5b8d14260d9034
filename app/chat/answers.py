"""HTTP of questions over recordings and documents: asked, answered with citations, read again, deleted."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from aiohttp import web

from app.chat import answer_queries as queries
from app.chat.answer_telling import made_now, teller
from app.chat.answer_topics import ANSWERS
from app.chat.answer_views import AnswerView, ChatBody, ChatsQuery, ChatSummary
from app.chat.answerer import Answerer, Made
from app.chat.asking import Asking, Followed
from app.chat.finding import allow_all
from app.chat.runs import Ended, Runs
from app.chat.streaming import stream, wants_stream, whole
from app.http.auth import Principal
from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.intents import intent
from app.live.hub import Hub
from app.search.routes import Link
from events.chat import AnswerAsked, AnswerScope
from events.envelope import Key
from handlers.chat.answer.decide import ANSWERS as ANSWER
from handlers.chat.answer.decide import DeleteAnswer
from handlers.commands import Commands
from handlers.refusals import Forbidden, NotFound, Unavailable
from infra.signals import Signals


def endpoints(
    *,
    answerer: Answerer,
    commands: Commands,
    db: asyncpg.Pool,
    signals: Signals,
    hub: Hub,
    exists: Callable[[Key], Awaitable[bool]],
    link: Link,
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """The endpoints of answers."""
    asking = Asking(searcher=answerer.searcher, commands=commands, clock=clock)
    runs = Runs(answerer=answerer, commands=commands, signals=signals, clock=clock)
    tell = teller(answerer.searcher, link)

    async def ask(call: Call[None, ChatBody]) -> Reply | web.StreamResponse:
        asked, made, repeated = await asking.accept(call, await followed(call))
        if repeated:
            await asking.wait_for(asked.answer_id)
            view = await shown(call, asked.answer_id)
            if wants_stream(call.request):
                return await whole(call.request, view)
            return Reply(body=view, position=view.position)
        run = runs.start(asked, made)

        async def complete(ended: Ended) -> AnswerView:
            return await finished(call, asked, ended)

        if wants_stream(call.request):
            return await stream(call.request, asked.answer_id, run, complete)
        view = await complete(await run.end())
        return Reply(body=view, position=view.position)

    async def followed(call: Call[None, ChatBody]) -> Followed | None:
        if call.body.chat_id is None:
            return None
        row = await row_of(call.principal, call.body.chat_id)
        return Followed(
            msgspec.json.decode(row["scope"], type=AnswerScope),
            msgspec.json.decode(row["contexts"], type=tuple[str, ...]),
        )

    async def finished(call: Call[Any, Any], asked: AnswerAsked, ended: Ended) -> AnswerView:
        made, outcome = ended
        if isinstance(made, Made) and outcome.events:
            return await tell(call, made_now(asked, made, outcome.cursor))
        return await shown(call, asked.answer_id)  # it failed, or another process was first

    async def guard(answer_id: UUID, principal: Principal) -> None:
        """Where there is none yet, only who may read everything: what it will be of is not known."""
        try:
            await row_of(principal, answer_id)
        except NotFound:
            if await commands.look(ANSWER, answer_id) == ANSWER.initial:
                allow_all(principal, answerer.searcher.sources)

    async def row_of(principal: Principal, answer_id: UUID) -> asyncpg.Record:
        row = None
        if await exists(Key("chat", "answer", answer_id)):
            row = await queries.answer(db, answer_id)
        if row is None:
            raise NotFound("ANSWER_NOT_FOUND", f"There is no answer {answer_id}.")
        for context in msgspec.json.decode(row["contexts"], type=list[str]):
            if not principal.may(f"{context}:read"):
                raise Forbidden("SCOPE_REQUIRED", f"This key does not hold the scope {context}:read.")
        return row

    async def shown(call: Call[Any, Any], answer_id: UUID) -> AnswerView:
        return await tell(call, await queries.told(db, await row_of(call.principal, answer_id)))

    async def read(call: Call[None, None]) -> Reply:
        return Reply(body=await shown(call, call.ids["answerId"]))

    async def listing(call: Call[ChatsQuery, None]) -> Reply:
        q = call.query
        before = from_cursor(q.cursor, tuple[Place])[0] if q.cursor else None
        sources = answerer.searcher.sources
        found = await queries.answers(
            db,
            contexts=[each.context for each in sources if call.principal.may(each.scope)],
            asked_by=call.principal.id if q.mine else None,
            before=before,
            limit=q.limit + 1,
        )
        page = found[: q.limit]
        more = to_cursor(page[-1][1]) if len(found) > len(page) else None
        return Reply(body=Page([summary for summary, _ in page], more))

    async def delete(call: Call[None, None]) -> Reply:
        answer_id = call.ids["answerId"]
        outcome = await commands.execute(DeleteAnswer(answer_id=answer_id), intent(call, clock, answer_id))
        return Reply(position=outcome.cursor)

    hub.guard(ANSWERS.name, guard)
    return (
        Endpoint(
            method="POST",
            path="/v1/chat",
            handle=ask,
            summary="Ask a question",
            description=(
                "Answers from what the scope holds and the key may read, and cites it; says so when nothing there is "
                "close enough. With `Accept: text/event-stream` the answer comes in events: `sources`, `chunk` …, then "
                "`complete` or `error`. Only the answer in `complete` has had its citations checked. The same is told "
                "on the live topic `answers:<id>`. With `chatId` the question follows that answer: it is read with "
                "what was said until then, over the same scope unless another is given, and goes with what it follows."
            ),
            tag="chat",
            scope="chat:write",
            body=ChatBody,
            example=ChatBody(question="How many sheets of drywall do we need?"),
            answer=AnswerView,
            refusals=(Forbidden, NotFound, Unavailable),
        ),
        Endpoint(
            method="GET",
            path="/v1/chats",
            handle=listing,
            summary="List questions and answers",
            tag="chat",
            scope="chat:read",
            query=ChatsQuery,
            answer=Page[ChatSummary],
        ),
        Endpoint(
            method="GET",
            path="/v1/chats/{answerId}",
            handle=read,
            summary="Read an answer and exactly what it was made of",
            tag="chat",
            scope="chat:read",
            answer=AnswerView,
            refusals=(NotFound, Forbidden),
        ),
        Endpoint(
            method="DELETE",
            path="/v1/chats/{answerId}",
            handle=delete,
            summary="Delete a question with its answer for good",
            tag="chat",
            scope="chat:write",
            status=204,
            refusals=(NotFound,),
        ),
    )
