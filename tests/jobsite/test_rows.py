"""What the facts of a recording do to the rows that are read."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest

from events.envelope import Event, Intent, Recorded, to_headers
from infra.chunking import Chunk, ChunkSet
from infra.retrieval import Index
from infra.speech import Segment, Transcript, Word
from projections.changes import Change
from projections.fold import fold
from projections.jobsite import jobsite
from tests.jobsite.facts import (
    FAILED,
    INDEX,
    INDEXED,
    JOB,
    MONDAY,
    SESSION,
    TRANSCRIBED,
    UPLOAD,
    UPLOADED,
)

MODEL = jobsite(Index("jobsite", INDEX, 2))
TRANSCRIPT = Transcript(
    segments=(
        Segment("The wall is wet.", 0.0, 2.0, 0.9, (Word("The", 0.0, 0.5, None),)),
        Segment("Order drywall.", 2.5, 4.0, None, (), "Ann"),
    ),
    language="en",
    seconds=4.5,
    model="test",
)
CHUNKS = ChunkSet.of(
    (Chunk(0, "The wall is wet.\nOrder drywall.", 0, 31, 0.0, 4.0),),
    np.array([[1, 0]], np.float32),
    embedder="hash",
    dimensions=2,
    chunking="sentences",
)


def recorded(event: Event, position: int) -> Recorded[Event]:
    at = MONDAY + timedelta(minutes=position)
    intent = Intent(command_id=UUID(int=9), actor="key:ann", at=at, correlation_id=UUID(int=9))
    return Recorded(event, to_headers(event, UUID(int=position), intent), "JOBSITE", position)


def changes(event: Event, position: int, content: Any = None) -> list[Change]:
    return list(MODEL.rows(recorded(event, position), content))


def of_table(found: Sequence[Change], table: str) -> list[Change]:
    return [each for each in found if each.table.name == table]


def sole(found: Sequence[Change], table: str) -> Change:
    """The changes of the one row of a table, as one."""
    changed = of_table(found, table)
    assert len({each.key for each in changed}) == 1
    values = {name: value for each in changed for name, value in each.values.items()}
    return msgspec.structs.replace(changed[0], values=values)


def ended(found: Sequence[Change]) -> Change:
    """The stage that has ended; those behind it begin anew."""
    (change,) = [each for each in of_table(found, "stages") if each.values["state"] != "pending"]
    return change


def has(values: Mapping[str, Any], **expected: Any) -> bool:
    return values.items() >= expected.items()


def test_an_upload_makes_a_session_with_all_its_stages_before_it() -> None:
    found = changes(UPLOADED, 1)
    session = sole(found, "sessions")
    assert (session.kind, session.key) == ("upsert", (SESSION,))
    assert has(
        session.values,
        upload_id=UPLOAD,
        job_id=JOB,
        title="Boiler room",
        status="accepted",
        file_name="monday.ogg",
        media_type="audio/ogg",
        size=1000,
        uploaded_by="key:ann",
        recorded_at=MONDAY,
        uploaded_at=MONDAY + timedelta(minutes=1),
        position=1,
        revision=1,
    )
    stages = of_table(found, "stages")
    assert [(each.key, each.values["stage"], each.values["state"]) for each in stages] == [
        ((SESSION, 0), "transcribe", "pending"),
        ((SESSION, 1), "understand", "pending"),
        ((SESSION, 2), "summarise", "pending"),
        ((SESSION, 3), "index", "pending"),
        ((SESSION, 4), "report", "pending"),
        ((SESSION, 5), "notify", "pending"),
    ]


def test_a_transcript_becomes_text_and_segments_with_their_places_in_it() -> None:
    found = changes(TRANSCRIBED, 2, TRANSCRIPT)
    assert has(
        sole(found, "sessions").values,
        status="processing",
        transcript="The wall is wet.\nOrder drywall.",
        seconds=4.5,
        words=8,
        language="en",
        model="test",
        revision=2,
    )
    before, first, second = of_table(found, "segments")
    assert (before.kind, before.key) == ("delete", (SESSION,))
    assert has(first.values, text="The wall is wet.", start_s=0.0, end_s=2.0, start_char=0, end_char=16)
    assert has(second.values, start_char=17, end_char=31, confidence=None, speaker="Ann", words="[]")
    (word,) = msgspec.json.decode(first.values["words"])
    assert word == {"text": "The", "start": 0.0, "end": 0.5, "confidence": None}


def test_a_stage_that_ends_well_says_when_and_after_how_many_attempts() -> None:
    stage = ended(changes(TRANSCRIBED, 2, TRANSCRIPT))
    assert (stage.kind, stage.key) == ("patch", (SESSION, 0))
    assert has(stage.values, state="completed", attempts=2, started_at=MONDAY, error_code=None)
    assert stage.values["finished_at"] == MONDAY + timedelta(minutes=2)


def test_an_index_completes_the_session_and_makes_its_chunks_searchable() -> None:
    found = changes(INDEXED, 3, CHUNKS)
    assert has(sole(found, "sessions").values, status="completed", revision=3)
    assert ended(found).key == (SESSION, 3)
    before, chunk = of_table(found, f"chunks_{INDEX}")
    assert (before.kind, before.key) == ("delete", (SESSION,))
    assert chunk.key == (SESSION, 0)
    assert has(
        chunk.values, kind="session", job_id=JOB, session_id=SESSION, start_char=0, end_char=31, start_s=0.0,
        end_s=4.0, page=None, recorded_at=MONDAY,
    )  # fmt: skip
    assert chunk.values["embedding"].to_list() == [1.0, 0.0]


def test_a_chunk_of_a_recording_without_a_date_is_as_old_as_its_index() -> None:
    undated = msgspec.structs.replace(INDEXED, recorded_at=None)
    chunk = of_table(changes(undated, 3, CHUNKS), f"chunks_{INDEX}")[-1]
    assert chunk.values["recorded_at"] == MONDAY + timedelta(minutes=3)


def test_an_index_of_another_kind_touches_none_of_our_chunks() -> None:
    other = msgspec.structs.replace(INDEXED, index="minilm_sentences")
    found = changes(other, 4, CHUNKS)
    assert not of_table(found, f"chunks_{INDEX}")
    assert sole(found, "sessions").values["status"] == "completed"


def test_a_new_transcript_makes_the_chunks_of_the_old_one_unfindable() -> None:
    gone = sole(changes(TRANSCRIBED, 2, TRANSCRIPT), f"chunks_{INDEX}")
    assert (gone.kind, gone.key) == ("delete", (SESSION,))


def test_a_failed_stage_fails_the_session_and_says_why() -> None:
    found = changes(FAILED, 2)
    assert sole(found, "sessions").values["status"] == "failed"
    stage = ended(found)
    assert stage.key == (SESSION, 0)
    assert has(stage.values, state="failed", error_code="AUDIO_EMPTY", error_detail="Nothing in it.")


@pytest.mark.parametrize("event", [TRANSCRIBED, INDEXED])
def test_results_that_were_erased_leave_no_rows_but_the_state(event: Event) -> None:
    found = changes(event, 2, None)
    assert not [each for each in found if each.kind == "upsert" and each.table.name != "history"]
    assert ended(found).values["state"] == "completed"


def test_only_results_name_a_blob_to_fetch() -> None:
    assert [MODEL.blob(each) for each in (UPLOADED, TRANSCRIBED, INDEXED, FAILED)] == [None, "bb", "cc", None]
    assert MODEL.content(TRANSCRIBED, msgspec.json.encode(TRANSCRIPT)) == TRANSCRIPT
    assert MODEL.content(INDEXED, CHUNKS.encode()) == CHUNKS


def test_a_whole_life_folds_into_one_row_each() -> None:
    life = (
        changes(UPLOADED, 1)
        + changes(FAILED, 2)
        + changes(TRANSCRIBED, 3, TRANSCRIPT)
        + changes(INDEXED, 4, CHUNKS)
    )
    folded = fold(life)
    rows = {name: table.rows for name, table in ((each.table.name, each) for each in folded.values())}
    assert has(rows["sessions"][(SESSION,)].upsert or {}, status="completed", revision=4, position=1)
    first = rows["stages"][(SESSION, 0)].upsert or {}
    assert has(first, state="completed", error_code=None, error_detail=None)
    assert len(rows["segments"]) == 2
