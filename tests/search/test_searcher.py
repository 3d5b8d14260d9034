"""A question goes to the indexes that its scope means and its asker may see; what was found is kept while it holds."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

import asyncpg
import numpy as np
import pytest
from numpy.typing import NDArray

from app.search.freshness import Freshness, Positions
from app.search.searcher import AT_ONCE, Searcher
from app.search.sources import Original, Place, Shown, Source, Spot, Spots
from app.search.views import ScopeBody
from handlers.refusals import Forbidden, NotFound
from infra.embedding import EmbeddingUnavailable
from infra.retrieval import Found, Index, Query
from tests.retrieval.corpus import INDEX, SAID, Row, indexed, insert, make, rows, unit

OTHER = Index("jobsite", "other", INDEX.dimensions)
PLANS, LETTERS = UUID(int=901), UUID(int=902)


class Embedder:
    """Every text in the same direction; counts what it is asked."""

    dimensions = INDEX.dimensions
    asked = 0
    away = False

    def __init__(self, name: str = "same") -> None:
        self.name = name

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.away:
            raise EmbeddingUnavailable("away")
        self.asked += 1
        return np.array([unit(np.ones(self.dimensions)) for _ in texts])

    async def close(self) -> None:
        """Nothing to let go of."""


class Told(Freshness):
    """Knows only what a test tells it."""

    def __init__(self) -> None:
        self.changed_at = 0

    async def holds(self, sources: object, then: Positions, now: Positions) -> bool:
        return not then["BOTH"] < self.changed_at <= now["BOTH"]


def source(
    context: str, index: Index, embedder: Embedder, *, collections: Mapping[str, UUID] | None
) -> Source:
    async def places(ids: Sequence[UUID] | None) -> Sequence[Place]:
        return (Place(index, embedder),)

    async def show(spots: Sequence[Spot]) -> Spots:
        there = [spot for spot in spots if spot.source_id.int != 3]  # the third has just gone
        return {(spot.source_id, spot.n): Shown(spot.words, Original("b", "t", "n")) for spot in there}

    async def known() -> Mapping[str, UUID]:
        return collections or {}

    return Source(
        context=context,
        scope=f"{context}:read",
        stream="BOTH",
        changed_by=(),
        reach=frozenset({"collections", "metadata"} if collections is not None else {"job_id"}),
        places=places,
        show=show,
        collections=known if collections is not None else None,
    )


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with indexed(database, rows(40)) as pool:
        await make(pool, OTHER)
        await pool.execute(
            "create schema headwater; create table headwater.checkpoints (projection text, position int); "
            "insert into headwater.checkpoints values ('site', 1), ('base', 1)"
        )
        await insert(
            pool, [Row(UUID(int=500), 0, None, SAID[0], rows(1)[0].recorded_at, unit(np.ones(32)))], OTHER
        )
        await pool.execute("update jobsite.chunks_other set collection_id = $1, kind = 'document'", PLANS)
        yield pool


def searcher(
    db: asyncpg.Pool, embedder: Embedder, told: Told | None = None, *, second: Embedder | None = None
) -> Searcher:
    knows = {"plans": PLANS, "letters": LETTERS}
    return Searcher(
        db,
        (
            source("site", INDEX, embedder, collections=None),
            source("base", OTHER, second or embedder, collections=knows),
        ),
        told,
    )


async def test_everything_that_the_asker_may_see_is_ranked_together(db: asyncpg.Pool) -> None:
    made = searcher(db, Embedder())
    both = made.meant(ScopeBody(), lambda _: True)
    found = await made.search(both, ScopeBody(), Query(SAID[0]))
    assert found.found.hits[0].source_id == UUID(int=500)
    assert {found.source(hit).context for hit in found.found.hits} == {"site", "base"}
    (only,) = made.meant(ScopeBody(), lambda scope: scope == "site:read")
    found = await made.search((only,), ScopeBody(), Query(SAID[0]))
    assert {found.source(hit).context for hit in found.found.hits} == {"site"}


async def test_a_scope_means_only_contexts_that_know_all_of_it(db: asyncpg.Pool) -> None:
    made = searcher(db, Embedder())
    assert [each.context for each in made.meant(ScopeBody(collection="plans"), lambda _: True)] == ["base"]
    assert [each.context for each in made.meant(ScopeBody(job_id=PLANS), lambda _: True)] == ["site"]
    assert made.meant(ScopeBody(job_id=PLANS, collection="plans"), lambda _: True) == ()
    for closed in (ScopeBody(collection="plans"), ScopeBody(job_id=PLANS, collection="plans")):
        with pytest.raises(Forbidden):
            made.meant(closed, lambda scope: scope == "site:read")


async def test_nothing_is_of_a_job_and_in_a_collection_that_must_be_there_all_the_same(
    db: asyncpg.Pool,
) -> None:
    made = searcher(db, Embedder())
    both = ScopeBody(job_id=PLANS, collection="plans")
    assert (await made.search((), both, Query(SAID[0]))).found.hits == ()
    with pytest.raises(NotFound, match=r"no collection 'ghosts'; there is letters, plans\."):
        await made.search((), ScopeBody(job_id=PLANS, collection="ghosts"), Query(SAID[0]))


async def test_collections_are_meant_by_name_or_id_and_a_missing_one_names_those_there_are(
    db: asyncpg.Pool,
) -> None:
    made = searcher(db, Embedder())
    _, base = made.sources
    for scope, count in (
        (ScopeBody(collection="plans"), 1),
        (ScopeBody(collection=str(PLANS)), 1),
        (ScopeBody(collections=("letters",)), 0),
    ):
        assert len((await made.search([base], scope, Query(SAID[0]))).found.hits) == count
    with pytest.raises(NotFound, match=r"no collection 'ghosts'; there is letters, plans\."):
        await made.search([base], ScopeBody(collections=("plans", "ghosts")), Query(SAID[0]))


async def test_an_answer_is_remembered_until_an_event_changes_what_can_be_found(db: asyncpg.Pool) -> None:
    embedder, told = Embedder(), Told()
    made = searcher(db, embedder, told)

    async def cached(**more: float) -> bool:
        return (await made.search(made.sources, ScopeBody(), Query(SAID[0], **more))).cached  # type: ignore[arg-type]

    assert [await cached(), await cached()] == [False, True]
    move = "update headwater.checkpoints set position = $1"
    await db.execute(move, 5)  # something happened that changes nothing here
    assert await cached()
    told.changed_at = 7
    await db.execute(move, 7)
    assert [await cached(), await cached()] == [False, True]
    assert [await cached(recency=0.5), await cached(recency=0.5)] == [False, False]  # it gets older by itself
    assert embedder.asked == 1


async def test_without_an_embedder_words_are_searched_and_nothing_is_remembered(db: asyncpg.Pool) -> None:
    embedder, told = Embedder(), Told()
    made = searcher(db, embedder, told)
    embedder.away = True
    found = await made.search(made.sources, ScopeBody(), Query(SAID[0]))
    assert found.lexical
    assert {plan.method for plan in found.found.plans} == {"words"}
    embedder.away = False
    again = await made.search(made.sources, ScopeBody(), Query(SAID[0]))
    assert (again.lexical, again.cached) == (False, False)


async def test_what_was_found_while_one_embedder_of_two_was_away_is_not_remembered(db: asyncpg.Pool) -> None:
    second = Embedder("second")
    made = searcher(db, Embedder(), Told(), second=second)
    second.away = True
    found = await made.search(made.sources, ScopeBody(), Query(SAID[0]))
    assert (found.lexical, [plan.method == "words" for plan in found.found.plans]) == (False, [False, True])
    second.away = False
    again = await made.search(made.sources, ScopeBody(), Query(SAID[0]))
    assert (again.cached, "words" in {plan.method for plan in again.found.plans}) == (False, False)
    assert (await made.search(made.sources, ScopeBody(), Query(SAID[0]))).cached


async def test_hits_whose_source_has_gone_are_not_shown(db: asyncpg.Pool) -> None:
    made = searcher(db, Embedder())
    found = await made.search(made.sources, ScopeBody(), Query(SAID[0], limit=100))
    shown = await made.shown(found, "words")
    assert UUID(int=3) in {hit.source_id for hit in found.found.hits}
    assert UUID(int=3) not in {hit.source_id for hit, _ in shown.values()}
    assert list(shown) == sorted(shown)
    assert {place.title for _, place in shown.values()} == {"words"}


async def test_many_searches_at_once_leave_connections_for_other_reads(
    db: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, most, go_on = 0, 0, asyncio.Event()

    async def waits(*_: object) -> Found:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await go_on.wait()
        under_way -= 1
        return Found((), ())

    monkeypatch.setattr("app.search.searcher.explore", waits)
    made = searcher(db, Embedder())
    asked = [
        asyncio.create_task(made.search(made.sources, ScopeBody(), Query(f"boiler {n}"))) for n in range(20)
    ]
    async with asyncio.timeout(10):
        while under_way < AT_ONCE:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.gather(*asked)
    assert most == AT_ONCE
