"""What is left of a deleted aggregate in the log, in the read model and in the blob store: its tombstone."""

import asyncio

import pytest

from events.ids import new_id
from infra import jetstream
from infra.jetstream import LogUnavailable
from infra.read_models import NotReadable
from tests.erasure.cabinet import Cabinet, File, intent


async def test_the_tombstone_is_left_and_nothing_else(papers: Cabinet) -> None:
    paper = await papers.filed("one", "two")
    other = await papers.filed("three")
    blobs = [each.event.blob for each in await papers.history(paper)]
    tombstone = await papers.shredded(paper)
    done = await papers.erase(tombstone)
    assert (done.what, done.id) == (f"{papers.context}.paper", paper)
    assert (done.messages, done.erased, done.kept) == (2, {"filed": 2}, {})
    assert [each.event.name for each in await papers.history(paper)] == ["deleted"]
    assert [await papers.blobs.stat(each) for each in blobs] == [None, None]
    assert [each.event.name for each in await papers.history(other)] == ["filed"]
    assert await papers.blobs.get((await papers.history(other))[0].event.blob) == b"three"


async def test_content_that_another_has_too_stays_until_the_other_goes(papers: Cabinet) -> None:
    first, second = await papers.filed("shared", "own"), await papers.filed("shared")
    blob = (await papers.history(second))[0].event.blob
    done = await papers.erase(await papers.shredded(first))
    assert (done.erased, done.kept) == ({"filed": 1}, {"filed": 1})
    assert await papers.blobs.get(blob) == b"shared"
    assert await papers.blobs.stands(blob)
    done = await papers.erase(await papers.shredded(second))
    assert (done.erased, done.kept) == ({"filed": 1}, {})
    assert await papers.blobs.stat(blob) is None


async def test_what_another_only_refers_to_stays_too(papers: Cabinet) -> None:
    paper = await papers.filed("quoted")
    quoted = (await papers.history(paper))[0].event.blob
    quoting = new_id()
    own = await papers.put("quoting")
    await papers.commands.execute(File(paper_id=quoting, blob=own, refers_to=quoted), intent())
    await papers.erase(await papers.shredded(paper))
    assert await papers.blobs.stands(quoted)
    done = await papers.erase(await papers.shredded(quoting))
    assert done.erased == {"filed": 2}
    assert [await papers.blobs.stat(each) for each in (own, quoted)] == [None, None]


async def test_both_at_once_leave_nothing(papers: Cabinet) -> None:
    both = [await papers.filed("shared") for _ in range(4)]
    blob = (await papers.history(both[0]))[0].event.blob
    tombstones = await asyncio.gather(*map(papers.shredded, both))
    custodies = [papers.custody, papers.custody, papers.new_custody(), papers.new_custody()]
    await asyncio.gather(*map(papers.erase, tombstones, custodies))
    assert await papers.blobs.stat(blob) is None


async def test_a_rebuild_gives_the_same_before_and_after(papers: Cabinet) -> None:
    paper, _ = await papers.filed("a", "b"), await papers.filed("b", "c")
    tombstone = await papers.shredded(paper)
    before = await papers.rebuilt()
    assert before.differing == ()
    await papers.erase(tombstone)
    after = await papers.rebuilt()
    assert after.differing == ()
    assert [each.after for each in after.tables] == [each.after for each in before.tables]
    assert [each.after[0] for each in after.tables] == [1, 2, 1]


@pytest.mark.parametrize("survives", [0, 1, 3, 6])
async def test_one_that_was_broken_off_is_finished_by_the_next_attempt(
    papers: Cabinet, monkeypatch: pytest.MonkeyPatch, survives: int
) -> None:
    paper = await papers.filed(*"abcdef")
    blobs = [each.event.blob for each in await papers.history(paper)]
    tombstone = await papers.shredded(paper)
    api, calls = jetstream.api, 0

    async def break_off(nc, subject, *args, **kwargs):
        nonlocal calls
        if "MSG.DELETE" in subject and "OBJ_" not in subject:  # an event, no chunk of a blob
            calls += 1
            if calls > survives:
                raise LogUnavailable("killed")
        return await api(nc, subject, *args, **kwargs)

    monkeypatch.setattr(jetstream, "api", break_off)
    if survives < 6:
        with pytest.raises(LogUnavailable):
            await papers.erase(tombstone)
    monkeypatch.undo()
    await papers.erase(tombstone)
    assert [each.event.name for each in await papers.history(paper)] == ["deleted"]
    assert [await papers.blobs.stat(each) for each in blobs] == [None] * 6
    assert (await papers.erase(tombstone)).messages == 0


async def test_without_read_models_it_waits_and_erases_nothing(papers: Cabinet) -> None:
    paper = await papers.filed("waits")
    tombstone = await papers.shredded(paper)
    dsn, papers.dsn = papers.dsn, papers.dsn.replace("test_", "gone_")
    with pytest.raises(NotReadable):
        await papers.erase(tombstone, papers.new_custody())
    assert len(await papers.history(paper)) == 2
    papers.dsn = dsn
    assert (await papers.erase(tombstone)).messages == 1
