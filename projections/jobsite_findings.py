"""What was made of what was said, as rows: suggestions, a summary, what contradicts it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from events.envelope import Recorded
from events.jobsite import (
    DiscrepanciesFound,
    Summarised,
    Understood,
)
from infra.understanding import Discrepancy, Summary
from projections.changes import Change, delete, patch, upsert
from projections.jobsite_tables import DISCREPANCIES, QUOTES, SESSIONS, SUGGESTIONS, SUMMARIES


def understood(e: Understood) -> Iterator[Change]:
    """Whose job it is, and whose it may be."""
    yield patch(SESSIONS, id=e.session_id, job_id=e.job_id, understood_by=e.method)
    yield delete(SUGGESTIONS, session_id=e.session_id)
    for n, each in enumerate(e.suggestions):
        yield upsert(
            SUGGESTIONS,
            session_id=e.session_id,
            n=n,
            kind=each.kind,
            said=each.said,
            candidate_id=each.id,
            candidate=each.name,
            similarity=each.similarity,
        )


def summarised(e: Summarised, recorded: Recorded[Any], content: Summary | None) -> Iterator[Change]:
    """The summary, with what it found to contradict it in place of what was found before."""
    yield delete(DISCREPANCIES, session_id=e.session_id)
    if content is None:
        return
    yield upsert(
        SUMMARIES,
        session_id=e.session_id,
        text=content.text,
        method=content.method,
        sentences=msgspec.json.encode(content.sentences).decode(),
        notes=msgspec.json.encode(content.notes).decode(),
        made_at=recorded.at,
    )
    yield from discrepancies(content.discrepancies, e, recorded)


def discrepancies(
    found: tuple[Discrepancy, ...], e: Summarised | DiscrepanciesFound, recorded: Recorded[Any]
) -> Iterator[Change]:
    """Those that are news."""
    for each in found:
        yield upsert(QUOTES, session_id=e.session_id, blob=e.blob, source_id=each.against.source_id)
        if each.id in e.discrepancies:
            yield upsert(
                DISCREPANCIES,
                session_id=e.session_id,
                id=each.id,
                kind=each.kind,
                about=each.about,
                detail=each.detail,
                said=msgspec.json.encode(each.said).decode(),
                against=msgspec.json.encode(each.against).decode(),
                source_id=each.against.source_id,
                method=each.method,
                found_at=recorded.at,
                position=recorded.position,
            )
