"""How far an index is that is built beside the one that answers."""

from uuid import UUID

import asyncpg

from app.knowledge.comparing import progress
from projections.knowledge_tables import MEMBERSHIPS

PAPERS, OTHERS = UUID(int=1), UUID(int=2)


async def test_a_document_that_cannot_be_found_now_makes_up_for_none_that_can(database: str) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in MEMBERSHIPS.columns.items())
    rows = [
        (1, 1, "indexed", PAPERS), (1, 2, "failed", PAPERS),
        (2, 1, "indexed", PAPERS), (2, 2, "indexed", PAPERS),
        (3, 2, "indexed", PAPERS),
        (4, 1, "building", PAPERS), (4, 2, "indexed", PAPERS),
        (5, 1, "indexed", OTHERS), (5, 2, "indexed", OTHERS),
    ]  # fmt: skip
    async with asyncpg.create_pool(database, min_size=1, max_size=1) as db:
        await db.execute(f"create schema knowledge; create table knowledge.memberships ({columns})")
        await db.executemany(
            "insert into knowledge.memberships (document_id, slot, number, state, collection_id) "
            "values ($1, $2 % 2, $2::int, $3, $4)",
            [(UUID(int=document), *row) for document, *row in rows],
        )
        told = await progress(db, PAPERS, 1, 2)
    assert (told.documents, told.indexed, told.failed, told.progress) == (2, 1, 1, 50)
