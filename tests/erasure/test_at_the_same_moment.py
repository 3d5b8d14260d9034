"""The same content is stored while it is being erased: nothing that was accepted is lost in silence."""

import asyncio

import pytest

from events.ids import new_id
from handlers.refusals import Unavailable
from tests.erasure.cabinet import Cabinet, File, intent


async def test_stored_before_and_filed_after_it_is_told_to_come_again(papers: Cabinet) -> None:
    blob = (await papers.history(paper := await papers.filed("same")))[0].event.blob
    tombstone = await papers.shredded(paper)
    assert await papers.put("same") == blob
    await papers.erase(tombstone)
    command, why = File(paper_id=new_id(), blob=blob), intent()
    for _ in range(2):
        with pytest.raises(Unavailable) as refused:
            await papers.commands.execute(command, why)
        assert refused.value.code == "CONTENT_ERASED"
        assert not await papers.commands.done(
            (await papers.history(command.paper_id))[0].event.key, why.command_id
        )
    assert await papers.put("same") == blob
    assert (await papers.commands.execute(command, why)).repeated
    assert await papers.blobs.get(blob) == b"same"
    assert len(await papers.history(command.paper_id)) == 1


async def test_filed_while_it_is_doomed_it_is_spared(
    papers: Cabinet, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = (await papers.history(paper := await papers.filed("same")))[0].event.blob
    tombstone = await papers.shredded(paper)
    doom = papers.blobs.doom
    command, why = File(paper_id=new_id(), blob=blob), intent()

    async def doomed(key: str) -> None:
        await doom(key)
        assert await papers.blobs.get(key) == b"same"
        with pytest.raises(Unavailable):
            await papers.commands.execute(command, why)

    monkeypatch.setattr(papers.blobs, "doom", doomed)
    done = await papers.erase(tombstone)
    assert (done.erased, done.kept) == ({}, {"filed": 1})
    assert (await papers.commands.execute(command, why)).repeated
    assert await papers.blobs.get(blob) == b"same"


async def test_whoever_was_told_that_it_is_safe_finds_it(papers: Cabinet) -> None:
    """Many file the same content and shred it again, all at once, each as often as it is told to come again."""
    kept = []

    async def client(n: int) -> None:
        custody = papers.new_custody() if n % 2 else papers.custody
        for round in range(6):
            command, why = File(paper_id=new_id(), blob=await papers.put("contested")), intent()
            while True:
                try:
                    await papers.commands.execute(command, why)
                    break
                except Unavailable:
                    await asyncio.sleep(0.01)
                    await papers.put("contested")
            assert await papers.blobs.get(command.blob) == b"contested"
            if n == 0 and round == 5:
                kept.append(command.paper_id)
            else:
                await papers.erase(await papers.shredded(command.paper_id), custody)

    await asyncio.gather(*map(client, range(6)))
    [paper] = kept
    [filed] = await papers.history(paper)
    assert await papers.blobs.get(filed.event.blob) == b"contested"
    await papers.erase(await papers.shredded(paper))
    assert await papers.blobs.stat(filed.event.blob) is None


async def test_what_a_late_result_stored_is_let_go(papers: Cabinet) -> None:
    paper = await papers.filed("first")
    await papers.shredded(paper)
    late = await papers.put("late")
    outcome = await papers.commands.execute(File(paper_id=paper, blob=late), intent())
    assert outcome.events == ()
    await papers.custody.let_go([late])
    assert await papers.blobs.stat(late) is None


async def test_letting_go_is_left_to_the_sweep_when_the_read_models_are_away(papers: Cabinet) -> None:
    late = await papers.put("late")
    papers.dsn = papers.dsn.replace("test_", "gone_")
    await papers.new_custody().let_go([late])
    assert await papers.blobs.stands(late)
