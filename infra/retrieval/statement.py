"""The SQL of a search, composed for its targets: a part for each, and one ranking over their union."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from pgvector import HalfVector

from infra.retrieval.asked import Query, Scope, Target

STATEMENT = Path(__file__).with_name("hybrid.sql").read_text()
TARGET = Path(__file__).with_name("target.sql").read_text().rstrip()
SAID = """select f.target, source_id, n, held::float8 / cardinality(words) as coverage,
      ts_rank_cd(c.tsv, case when f.held = cardinality(words) then every_word else any_word end, 1) as density
    from asked cross join found_{t} f join {table} c using (source_id, n)
    where f.held >= (select held from enough)"""
PASSAGES = """select c.kind, c.source_id, c.n, c.job_id, c.session_id, c.collection_id, c.text,
      c.start_char, c.end_char, c.start_s, c.end_s, c.page, c.recorded_at, 1 - (c.embedding <=> {vector}) as similarity,
      f.coverage, f.near_place::int, f.said_place::int, f.fused, f.target
    from fused f join {table} c using (source_id, n) where f.target = {t}"""
NEAREST, HELD, SIZE = "select * from nearest_{t}", "select held from found_{t}", "(select rows from size_{t})"
UNION = "\n    union all\n    "
# `iterative_scan` needs pgvector 0.8.
SETTINGS = """
set local hnsw.ef_search = 100;
set local hnsw.iterative_scan = relaxed_order;
set local plan_cache_mode = force_custom_plan;
"""
EXACT_ROWS = 5000
"""Up to so many rows in scope, all are compared; above, the vector index is asked."""
CANDIDATES = 60
"""The best of each kind that are ranked against each other, or twice the limit if that is more."""
MEANING = 0.6
WORDS = 0.4
"""What a match by meaning and one by words count; on questions about our samples this beats either one alone."""

Method = Literal["exact", "hnsw", "words"]


def prepared(targets: Sequence[Target], query: Query) -> tuple[str, list[object]]:
    """The statement and its parameters. Of the query, only the names of scopes are part of the statement."""
    values: list[object] = [
        query.text.replace("\0", " "),  # which Postgres takes in no text
        max(CANDIDATES, 2 * query.limit),
        MEANING,
        WORDS,
        query.recency,
        query.half_life_days,
        query.min_score,
        query.limit,
    ]
    vectors = _vectors(targets, values)
    names = [
        {
            "t": str(t),
            "table": f"{target.index.schema}.{target.index.table}",
            "vector": vector,
            "scope": _conditions(query.scope, target, values),
            "exact_rows": str(EXACT_ROWS),
        }
        for t, (target, vector) in enumerate(zip(targets, vectors, strict=True))
    ]
    spaces = [
        f"({t}, {vectors.index(vector)}, {str(target.vector is not None).lower()})"
        for t, (target, vector) in enumerate(zip(targets, vectors, strict=True))
    ]
    return STATEMENT.format(
        spaces=", ".join(spaces),
        targets=",\n".join(TARGET.format(**each) for each in names),
        nearest=UNION.join(NEAREST.format(**each) for each in names),
        found=UNION.join(HELD.format(**each) for each in names),
        said=UNION.join(SAID.format(**each) for each in names),
        passages=UNION.join(PASSAGES.format(**each) for each in names),
        sizes=", ".join(SIZE.format(**each) for each in names),
    ), values


def method(target: Target, rows: int) -> Method:
    """How the statement asked a target with so many rows in scope."""
    if target.vector is None:
        return "words"
    return "exact" if rows <= EXACT_ROWS else "hnsw"


def _vectors(targets: Sequence[Target], values: list[object]) -> list[str]:
    """The parameter of each target's vector; targets with the same one share it."""
    known: dict[int, str] = {}
    found = []
    for target in targets:
        if target.vector is None:
            found.append("null::halfvec")
            continue
        if id(target.vector) not in known:
            values.append(HalfVector(target.vector))
            known[id(target.vector)] = f"${len(values)}::halfvec"
        found.append(known[id(target.vector)])
    return found


def _conditions(scope: Scope, target: Target, values: list[object]) -> str:
    """What a row of the target must fulfil."""
    conditions: list[tuple[str, object]] = []
    if scope.job_id is not None:
        conditions.append(("c.job_id = ${n}", scope.job_id))
    if scope.session_id is not None:
        conditions.append(("c.session_id = ${n}", scope.session_id))
    if scope.document_id is not None:
        conditions.append(("c.source_id = ${n} and c.kind <> 'session'", scope.document_id))
    for collections in (scope.collection_ids, target.collection_ids):
        if collections is not None:
            conditions.append(("c.collection_id = any(${n}::uuid[])", list(collections)))
    if target.job_ids is not None:
        conditions.append(("c.job_id = any(${n}::uuid[])", list(target.job_ids)))
    if scope.metadata:
        conditions.append(("c.metadata @> ${n}::jsonb", msgspec.json.encode(dict(scope.metadata)).decode()))
    parts = []
    for condition, value in conditions:
        values.append(value)
        parts.append(condition.format(n=len(values)))
    return " and ".join(parts) or "true"
