"""Hybrid search on a real Postgres finds what it should, in the right order, and nothing can break it."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import numpy as np
import pytest

from infra.embedded.postgres import PostgresServer
from infra.retrieval import Hit, Index, Query, Scope, Target, explore, index_of, search, statement
from infra.retrieval.survey import survey
from infra.retrieval.words import Words, words
from tests import servers
from tests.retrieval.corpus import INDEX, SAID, TABLE, Model, Row, Vector, indexed, insert, make, rows, unit

CHUNKS = rows(3000)
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
async def talk(postgres: PostgresServer) -> AsyncIterator[asyncpg.Pool]:
    """Three thousand chunks that nobody changes."""
    async with servers.fresh_database(postgres) as dsn, indexed(dsn, CHUNKS) as pool:
        yield pool


@pytest.fixture
async def empty(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with indexed(database, []) as pool:
        yield pool


def towards(n: int, *, seed: int = 0) -> Vector:
    """A vector near that of one chunk."""
    noise = np.random.default_rng(seed).normal(size=INDEX.dimensions) * 0.1
    return unit(CHUNKS[n].vector + noise)


def chunk(n: int, text: str, vector: Vector, *, days: float = 0) -> Row:
    return Row(UUID(int=n), 0, None, text, NOW - timedelta(days=days), vector)


def keys(hits: Sequence[Hit]) -> set[tuple[UUID, int]]:
    return {(hit.source_id, hit.n) for hit in hits}


def queries() -> list[tuple[Query, Vector | None]]:
    random = np.random.default_rng(7)
    made: list[tuple[Query, Vector | None]] = []
    for n in range(30):
        query = Query(
            text=" ".join(random.choice([*SAID, "the", "unheard"], size=1 + n % 5)),
            scope=Scope(
                job_id=UUID(int=1000 + n) if n % 3 == 1 else None,
                session_id=UUID(int=1 + 5 * n) if n % 5 == 2 else None,
            ),
            limit=(10, 3, 50, 100)[n % 4],
            recency=(0.0, 0.3, 1.0)[n % 3],
            half_life_days=(30.0, 7.0)[n % 2],
            min_score=(0.0, 0.2, 0.4)[n % 3],
        )
        made.append((query, None if n % 6 == 5 else towards(int(random.integers(3000)), seed=n)))
    return made


@pytest.mark.parametrize(("query", "vector"), queries())
async def test_an_exact_search_equals_looking_at_every_chunk(
    talk: asyncpg.Pool, query: Query, vector: Vector | None
) -> None:
    expected = await Model(talk, CHUNKS).search(query, vector)
    hits = await search(talk, [Target(INDEX, vector)], query)
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in expected], abs=1e-6)
    assert [(hit.source_id, hit.n) for hit in hits] == [key for key, _ in expected]


async def test_several_indexes_are_ranked_as_if_they_were_one(database: str) -> None:
    chunks = CHUNKS[:600]
    async with indexed(database, chunks[:250]) as pool:
        other = Index("jobsite", "other", INDEX.dimensions)
        await make(pool, other)
        await insert(pool, chunks[250:], other)
        for query, vector in queries()[:20]:
            expected = await Model(pool, chunks, (INDEX, other)).search(query, vector)
            found = await explore(pool, [Target(INDEX, vector), Target(other, vector)], query)
            assert [(hit.source_id, hit.n) for hit in found.hits] == [key for key, _ in expected]
            assert [plan.method for plan in found.plans] == ["exact" if vector is not None else "words"] * 2


async def test_indexes_of_different_embedders_are_each_asked_with_their_own_vector(
    empty: asyncpg.Pool,
) -> None:
    other = Index("jobsite", "other", 3)
    await make(empty, other)
    near, far = unit(np.ones(32)), unit(np.r_[np.ones(16), -np.ones(16)])
    await insert(empty, [chunk(1, "The boiler", near), chunk(2, "A crane", far)])
    await insert(empty, [chunk(3, "The boiler", unit(np.array([1, 0, 0])))], other)
    targets = [Target(INDEX, near), Target(other, unit(np.array([1, 0, 0])))]
    hits = await search(empty, targets, Query("boiler"))
    assert [(hit.source_id.int, hit.target, hit.near_place) for hit in hits] == [
        (1, 0, 1),
        (3, 1, 1),
        (2, 0, 2),
    ]
    assert [hit.score for hit in hits[:2]] == pytest.approx([1.0, 1.0], abs=1e-3)


async def test_a_scope_leaves_what_fulfils_all_of_it(empty: asyncpg.Pool) -> None:
    one, two = UUID(int=71), UUID(int=72)
    await insert(empty, [chunk(n, "boiler", CHUNKS[0].vector) for n in range(1, 6)])
    place = f"update {TABLE} set kind = $1, collection_id = $2, metadata = $3 where source_id = $4"
    await empty.execute(place, "document", one, '{"phase": "2", "by": "Ann"}', UUID(int=1))
    await empty.execute(place, "document", two, '{"phase": "2"}', UUID(int=2))
    await empty.execute(place, "document", two, None, UUID(int=3))

    async def found(scope: Scope, *only: UUID) -> set[int]:
        target = Target(INDEX, CHUNKS[0].vector, only or None)
        return {hit.source_id.int for hit in await search(empty, [target], Query("boiler", scope=scope))}

    assert await found(Scope(collection_ids=(one,))) == {1}
    assert await found(Scope(collection_ids=(one, two))) == {1, 2, 3}
    assert await found(Scope(collection_ids=())) == set()
    assert await found(Scope(metadata={"phase": "2"})) == {1, 2}
    assert await found(Scope(metadata={"phase": "2", "by": "Ann"}, collection_ids=(two,))) == set()
    assert await found(Scope(document_id=UUID(int=3))) == {3}
    assert await found(Scope(document_id=UUID(int=4))) == set()
    assert await found(Scope(session_id=UUID(int=4))) == {4}
    assert await found(Scope(), two) == {2, 3}


async def test_a_hit_tells_where_it_stands_and_why_it_was_found(talk: asyncpg.Pool) -> None:
    wanted = CHUNKS[17]
    hit, *_ = await search(talk, [Target(INDEX, wanted.vector)], Query(wanted.text))
    assert (hit.source_id, hit.n, hit.job_id, hit.text) == (wanted.session_id, 7, wanted.job_id, wanted.text)
    assert (hit.kind, hit.session_id, hit.page) == ("session", wanted.session_id, None)
    assert (hit.start, hit.end, hit.start_char, hit.end_char) == (7.0, 8.0, 0, len(wanted.text))
    assert hit.recorded_at == wanted.recorded_at
    assert hit.coverage == 1.0
    assert hit.similarity == pytest.approx(1.0, abs=1e-3)
    assert hit.score == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("scope", [Scope(), Scope(job_id=UUID(int=1003))])
async def test_among_many_rows_the_vector_index_finds_nearly_all_that_an_exact_search_finds(
    talk: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, scope: Scope
) -> None:
    questions = [(Query(SAID[n], scope=scope), towards(n * 50, seed=n)) for n in range(40)]
    exact = [await search(talk, [Target(INDEX, vector)], query) for query, vector in questions]
    monkeypatch.setattr(statement, "EXACT_ROWS", 20)
    approximate = [await search(talk, [Target(INDEX, vector)], query) for query, vector in questions]
    both = zip(exact, approximate, strict=True)
    found = sum(len(keys(one) & keys(other)) for one, other in both)
    assert found / sum(map(len, exact)) > 0.95


@pytest.mark.parametrize(("exact_rows", "walked"), [(20, True), (5000, False)])
async def test_the_vector_index_is_walked_only_when_there_are_many_rows(
    talk: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, exact_rows: int, walked: bool
) -> None:
    monkeypatch.setattr(statement, "EXACT_ROWS", exact_rows)
    query = Query("boiler")
    async with talk.acquire() as connection, connection.transaction():
        await connection.execute(statement.SETTINGS)
        parts = await survey(connection, [Target(INDEX, CHUNKS[0].vector)], query, most=exact_rows + 1)
        sql, values = statement.prepared(parts, query)
        plan = [line for (line,) in await connection.fetch(f"explain {sql}", *values)]
    assert any("embedding_idx" in line for line in plan) is walked


async def test_among_many_rows_words_lead_to_nearly_all_that_looking_at_each_row_finds(
    talk: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(3)
    questions = [Query(" ".join(random.choice(SAID, size=1 + n % 6, replace=False))) for n in range(30)]
    exact = [await search(talk, [Target(INDEX, None)], query) for query in questions]
    monkeypatch.setattr(statement, "EXACT_ROWS", 20)
    indexed = [await search(talk, [Target(INDEX, None)], query) for query in questions]
    assert [[hit.score for hit in hits] for hits in indexed] == [
        [hit.score for hit in hits] for hits in exact
    ]
    assert [keys(hits) for hits in indexed] == [keys(hits) for hits in exact]


def test_words_that_lead_to_too_many_passages_are_only_asked_for_together() -> None:
    said = words([("'gantry'", 0.0), ("'crane'", 2000.0), ("'site'", 40_000.0)])
    assert said.every == "'gantry' & 'crane' & 'site'"
    assert said.most == "('gantry' & 'crane') | ('gantry' & 'site') | ('crane' & 'site')"
    assert (said.few, said.any) == ("'gantry' | 'crane'", "'gantry' | 'crane' | 'site'")
    assert words([("'site'", 40_000.0)]) == Words(each=("'site'",), every="'site'")
    assert words([]) == Words()


async def test_settings_of_a_search_do_not_stay_with_the_connection(talk: asyncpg.Pool) -> None:
    await search(talk, [Target(INDEX, CHUNKS[0].vector)], Query("boiler"))
    for _ in range(4):
        assert await talk.fetchval("show hnsw.ef_search") == "40"
        assert await talk.fetchval("show plan_cache_mode") == "auto"


@pytest.mark.parametrize(
    "text",
    [
        f"boiler'; drop table {TABLE}; --",
        "boiler' | 'wall",
        "boiler & ! ( <-> :* |",
        '"boiler wall" -roof or',
        "boiler \\ \\' '' \"",
        "boiler $1 {table} {scope} %s %(x)s",
        "boiler\0wall",
        "http://example.com/boiler?a=1&b='2'",
        "boiler " * 5000,
        "boiler 混凝土 ÜBER 🧱 \u202e \ufeff",
        "boiler-room/2.5e3 user@example.com /etc/boiler",
    ],
)
async def test_whatever_is_asked_is_only_text(talk: asyncpg.Pool, text: str) -> None:
    hits = await search(talk, [Target(INDEX, CHUNKS[0].vector)], Query(text))
    assert len(hits) == 10
    assert len(await search(talk, [Target(INDEX, None)], Query(text))) <= 10
    assert await talk.fetchval(f"select count(*) from {TABLE}") == len(CHUNKS)


@pytest.mark.parametrize("text", ["", "  \n\t "])
async def test_a_blank_question_has_no_answer(talk: asyncpg.Pool, text: str) -> None:
    assert await search(talk, [Target(INDEX, CHUNKS[0].vector)], Query(text)) == []


async def test_a_question_of_stop_words_is_answered_by_meaning_alone(talk: asyncpg.Pool) -> None:
    hits = await search(talk, [Target(INDEX, CHUNKS[5].vector)], Query("what was it about"))
    assert (hits[0].source_id, hits[0].n) == CHUNKS[5][:2]
    assert hits[0].score == pytest.approx(1.0, abs=1e-3)
    assert {hit.coverage for hit in hits} == {0.0}
    assert await search(talk, [Target(INDEX, None)], Query("what was it about")) == []


async def test_words_that_nobody_said_are_no_reason_for_a_hit(talk: asyncpg.Pool) -> None:
    assert await search(talk, [Target(INDEX, None)], Query("submarine")) == []


async def test_an_index_without_rows_has_no_answers(empty: asyncpg.Pool) -> None:
    assert await search(empty, [Target(INDEX, CHUNKS[0].vector)], Query("boiler")) == []
    assert await search(empty, [Target(INDEX, None)], Query("boiler")) == []


async def test_a_question_in_plain_language_finds_a_passage_with_only_some_of_its_words(
    empty: asyncpg.Pool,
) -> None:
    near, far = unit(np.ones(32)), unit(np.r_[np.ones(16), -np.ones(16)])
    await insert(
        empty, [chunk(1, "The boilers were leaking again.", far), chunk(2, "The crane is late.", far)]
    )
    (hit,) = await search(empty, [Target(INDEX, None)], Query("Who noticed that the boiler leaks?"))
    assert hit.text.startswith("The boilers")
    assert hit.coverage == pytest.approx(2 / 3)
    assert hit.similarity is None
    hit, other = await search(empty, [Target(INDEX, near)], Query("Who noticed that the boiler leaks?"))
    assert hit.text.startswith("The boilers")
    assert other.score == pytest.approx(0.0, abs=1e-3)


async def test_words_side_by_side_come_before_words_far_apart(empty: asyncpg.Pool) -> None:
    some = CHUNKS[0].vector
    apart = "The panel is new. " + "We looked at every room of the house. " * 4 + "That is in plan 4B."
    await insert(empty, [chunk(1, apart, some), chunk(2, "We looked at panel 4B, which is new.", some)])
    hits = await search(empty, [Target(INDEX, None)], Query("panel 4B"))
    assert [hit.source_id.int for hit in hits] == [2, 1]


async def test_old_passages_lose_as_much_as_recency_says(empty: asyncpg.Pool) -> None:
    some = CHUNKS[0].vector
    await insert(
        empty,
        [chunk(1, "boiler", some, days=30), chunk(2, "boiler", some), chunk(3, "boiler", some, days=-9)],
    )
    plain = await search(empty, [Target(INDEX, some)], Query("boiler"))
    assert [hit.score for hit in plain] == pytest.approx([1.0] * 3, abs=1e-3)
    hits = await search(empty, [Target(INDEX, some)], Query("boiler", recency=0.4))
    assert {hit.source_id.int: hit.score for hit in hits} == {
        2: pytest.approx(1.0, abs=1e-3),
        3: pytest.approx(1.0, abs=1e-3),
        1: pytest.approx(0.8, abs=1e-3),
    }


async def test_equal_passages_have_equal_scores_and_a_fixed_order(empty: asyncpg.Pool) -> None:
    await insert(empty, [chunk(n, "boiler", CHUNKS[0].vector) for n in (3, 1, 2)])
    hits = await search(empty, [Target(INDEX, CHUNKS[0].vector)], Query("boiler"))
    assert [hit.source_id.int for hit in hits] == [1, 2, 3]
    assert len({hit.score for hit in hits}) == 1


async def test_copied_rows_are_the_same_as_inserted_ones(empty: asyncpg.Pool) -> None:
    await insert(empty, CHUNKS[:50])
    columns = [name for name in INDEX.columns if name != "tsv"]
    before = await empty.fetch(f"select {', '.join(columns)} from {TABLE} order by source_id, n")
    async with empty.acquire() as connection:
        await connection.execute(f"truncate {TABLE}")
        await connection.copy_records_to_table(
            INDEX.table, schema_name=INDEX.schema, columns=columns, records=before
        )
    assert await empty.fetch(f"select {', '.join(columns)} from {TABLE} order by source_id, n") == before


def test_names_that_are_no_plain_identifiers_are_refused() -> None:
    for name in ("x; drop table y", "Übung", "x" * 60, ""):
        with pytest.raises(ValueError, match="cannot be the name"):
            Index("jobsite", name, 3) if name else Index("", "x", 3)
    assert index_of("jobsite", "minilm_l6_v2", "segments_900_150", 384).table == (
        "chunks_minilm_l6_v2_segments_900_150"
    )
