"""Questions asked over a network that breaks: one answer, whole, with what it cites."""

from pathlib import Path

import pytest

from app.chat.answer_views import AnswerView, SourcesView
from app.client import Headwater, Refused
from app.search.views import ScopeBody
from tests.client.proxy import Proxy
from tests.client.test_uploads import found, recording


@pytest.mark.parametrize("cuts", [[], [10], [700, 0]], ids=["a good day", "at once", "in the middle"])
async def test_an_answer_comes_whole_whatever_breaks(
    client: Headwater, proxy: Proxy, tmp_path: Path, cuts: list[int]
) -> None:
    taken = await client.upload(recording(tmp_path), title="Asked")
    scope = ScopeBody(session_id=taken.session_id)
    await found(client, scope)
    proxy.cut()
    proxy.cut_answers = list(cuts)
    told = [each async for each in client.answers.stream("Order drywall?", scope=scope)]
    assert isinstance(told[-1], AnswerView)
    assert told[-1].citations[0].session_id == taken.session_id
    assert cuts or isinstance(told[0], SourcesView)
    assert await client.answers.answer(told[-1].id) == told[-1] or told[-1].answer
    assert told[-1].id in {each.id async for each in client.answers.all(mine=True)}
    assert not proxy.cut_answers


async def test_a_question_that_cannot_be_answered_is_refused_once(client: Headwater, proxy: Proxy) -> None:
    with pytest.raises(Refused) as refused:
        await client.answers.ask("Where?", scope=ScopeBody(collection="no-such-collection"))
    assert refused.value.status == 404
    assert len([head for head in proxy.heads if head.startswith(b"POST /v1/chat")]) == 1
