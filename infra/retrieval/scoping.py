"""Where to look, as SQL."""

from uuid import UUID

import msgspec

from infra.retrieval.asked import Scope, Target


def condition(scope: Scope, target: Target, values: list[object]) -> str:
    """What a row `c` of the target must fulfil; its parameters are added to those that there are."""
    conditions: list[tuple[str, object]] = []
    if scope.job_id is not None:
        conditions.append(("c.job_id = ${n}", scope.job_id))
    if scope.session_id is not None:
        conditions.append(("c.session_id = ${n}", scope.session_id))
    if scope.document_id is not None:
        conditions.append(("c.source_id = ${n} and c.kind <> 'session'", scope.document_id))
    if (collections := _collections(scope, target)) is not None:
        one_of_them = "c.collection_id = any(${n}::uuid[])"
        whole = target.nearly_all and scope.collection_ids is None
        conditions.append((f"({one_of_them}) is true" if whole else one_of_them, collections))
    if target.job_ids is not None:
        conditions.append(("c.job_id = any(${n}::uuid[])", list(target.job_ids)))
    if scope.metadata:
        conditions.append(("c.metadata @> ${n}::jsonb", msgspec.json.encode(dict(scope.metadata)).decode()))
    parts = []
    for part, value in conditions:
        values.append(value)
        parts.append(part.format(n=len(values)))
    return " and ".join(parts) or "true"


def _collections(scope: Scope, target: Target) -> list[UUID] | None:
    """Those that are asked for and that the index answers for: as one list, whose share of rows can be estimated."""
    if scope.collection_ids is None or target.collection_ids is None:
        either = scope.collection_ids if target.collection_ids is None else target.collection_ids
        return None if either is None else list(either)
    return [id for id in scope.collection_ids if id in target.collection_ids]
