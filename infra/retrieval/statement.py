"""The SQL of a search, composed for its targets: a part for each, and one ranking over their union."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pgvector import HalfVector

from infra.retrieval.asked import Query, Target
from infra.retrieval.scoping import condition
from infra.retrieval.survey import Part
from infra.retrieval.words import LOOKED_AT

STATEMENT = Path(__file__).with_name("hybrid.sql").read_text()
EXACT = Path(__file__).with_name("exact.sql").read_text().rstrip()
INDEXED = Path(__file__).with_name("indexed.sql").read_text().rstrip()
SAID = """select f.target, source_id, n, held::float8 / $1::int as coverage,
      ts_rank_cd(c.tsv, case when f.held = $1::int then {every} else {any} end, 1) as density
    from found_{t} f join {table} c using (source_id, n)
    where f.held >= (select held from enough)"""
PASSAGES = """select c.kind, c.source_id, c.n, c.job_id, c.session_id, c.collection_id, c.text,
      c.start_char, c.end_char, c.start_s, c.end_s, c.page, c.recorded_at, 1 - (c.embedding <=> {vector}) as similarity,
      f.coverage, f.near_place::int, f.said_place::int, f.fused, f.target
    from fused f join {table} c using (source_id, n) where f.target = {t}"""
NEAREST, HELD = "select * from nearest_{t}", "select held from found_{t}"
UNION = "\n    union all\n    "
# `iterative_scan` needs pgvector 0.8.
SETTINGS = """
set local hnsw.ef_search = 100;
set local hnsw.iterative_scan = relaxed_order;
set local plan_cache_mode = force_custom_plan;
"""
EXACT_ROWS = 5000
"""Up to so many rows in scope, all are looked at; above, the indexes of vectors and of words are asked."""
ENOUGH, MORE = 1000, 500
"""Of passages that have every word, and of those that have all but one, so many are ranked by how close these stand."""
CANDIDATES = 60
"""The best of each kind that are ranked against each other, or twice the limit if that is more."""
MEANING = 0.6
WORDS = 0.4
"""What a match by meaning and one by words count; on questions about our samples this beats either one alone."""

Method = Literal["exact", "hnsw", "words"]


def prepared(parts: Sequence[Part], query: Query) -> tuple[str, list[object]]:
    """The statement and its parameters. Of the query, only the names of scopes are part of the statement."""
    values: list[object] = [
        len(parts[0].words.each),
        max(CANDIDATES, 2 * query.limit),
        MEANING,
        WORDS,
        query.recency,
        query.half_life_days,
        query.min_score,
        query.limit,
    ]
    vectors = _vectors([part.target for part in parts], values)
    names = [
        {
            "t": str(part.number),
            "table": f"{part.target.index.schema}.{part.target.index.table}",
            "vector": vector,
            "scope": condition(query.scope, part.target, values),
            "enough": str(ENOUGH),
            "more": str(MORE),
            "looked_at": str(LOOKED_AT),
            **_words(part, values),
        }
        for part, vector in zip(parts, vectors, strict=True)
    ]
    spaces = [
        f"({part.number}, {vectors.index(vector)}, {str(part.target.vector is not None).lower()})"
        for part, vector in zip(parts, vectors, strict=True)
    ]
    ways = [EXACT if exact(part) else INDEXED for part in parts]
    return STATEMENT.format(
        spaces=", ".join(spaces),
        targets=",\n".join(way.format(**each) for way, each in zip(ways, names, strict=True)),
        nearest=UNION.join(NEAREST.format(**each) for each in names),
        found=UNION.join(HELD.format(**each) for each in names),
        said=UNION.join(SAID.format(**each) for each in names),
        passages=UNION.join(PASSAGES.format(**each) for each in names),
    ), values


def exact(part: Part) -> bool:
    """Whether all that is in scope is looked at."""
    return part.rows <= EXACT_ROWS


def method(part: Part) -> Method:
    """How the statement asks an index."""
    if part.target.vector is None:
        return "words"
    return "exact" if exact(part) else "hnsw"


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


def _words(part: Part, values: list[object]) -> dict[str, str]:
    """The parameters of what an index is asked for."""
    words = part.words
    asked = {"every": words.every, "any": words.any}
    if not exact(part):
        asked |= {"most": words.most, "few": words.few}
    names = {}
    for name, query in asked.items():
        values.append(query)
        names[name] = f"${len(values)}::text::tsquery"
    values.append(list(words.each))
    return {**names, "each": f"${len(values)}::text[]::tsquery[]"}
