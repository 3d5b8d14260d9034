"""Every line is one JSON object with its facts and ids, whatever the facts are."""

import asyncio
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.telemetry import traces
from infra.telemetry.logs import context
from tests.telemetry.conftest import Journal


class Grumpy:
    """Cannot be described."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too
LEAVES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.binary(), st.datetimes(), st.uuids()),
    *(st.builds(ValueError, TEXT), st.builds(Grumpy), st.builds(pow, st.just(10), st.just(5000))),
    *map(st.just, (Path("/x"), np.float64("nan"), np.int64(3))),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(TEXT | st.integers() | st.binary(), inner)
        | st.tuples(inner, inner)
        | st.frozensets(TEXT)
    ),
    max_leaves=12,
)
NAMES = st.from_regex(r"[a-z]+(_[a-z]+)?", fullmatch=True).filter(
    lambda name: name not in {"failure", "self"}
)


@settings(deadline=None)  # the machine may be busy
@given(facts=st.dictionaries(NAMES, VALUES, max_size=5), ids=st.dictionaries(NAMES, VALUES, max_size=2))
def test_any_facts_make_one_line_of_json(facts: dict[str, Any], ids: dict[str, Any]) -> None:
    journal = Journal()
    with context(**ids):
        journal.log.warning("odd things were said", failure=ValueError("\ud800\n"), **facts)
    assert journal.text.endswith("\n")
    assert len(journal.text.split("\n")) == 2
    line = journal.last
    assert (line["message"], line["level"], line["process"]) == ("odd things were said", "warning", "test")
    assert all(camel(name) in line for name in [*facts, *ids])


def camel(name: str) -> str:
    plain = re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
    reserved = {"time", "level", "message", "logger", "process", "exception"}
    return f"{plain}_" if plain in reserved else plain


def test_a_line_begins_with_when_how_bad_and_what(journal: Journal) -> None:
    journal.log.info(
        "handler finished", handler="transcribe", position=1234, started_at=datetime(2026, 1, 2, tzinfo=UTC)
    )
    assert list(journal.last) == [
        "time", "level", "message", "logger", "process", "handler", "position", "startedAt",
    ]  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", journal.last["time"])
    assert journal.last["startedAt"] == "2026-01-02T00:00:00.000000Z"


def test_an_exception_brings_type_message_and_traceback(journal: Journal) -> None:
    try:
        raise LookupError("no such session")
    except LookupError as failure:
        journal.log.error("handler failed", failure=failure)
    shown = journal.last["exception"]
    assert (shown["type"], shown["message"]) == ("LookupError", "LookupError: no such session")
    assert any("test_logs.py" in line for line in shown["traceback"])


def test_what_libraries_log_has_the_same_form(journal: Journal) -> None:
    journal.inner.error("cannot reach %s", "nats://a:b@host", extra={"subject_name": "x"})
    journal.inner.error("two %s of %s", "one")
    assert journal.lines[0]["message"] == "cannot reach nats://***@host"
    assert journal.lines[0]["subjectName"] == "x"
    assert journal.lines[1]["message"] == "two %s of %s"


def test_debug_lines_are_left_out_above_their_level(journal: Journal) -> None:
    journal.inner.setLevel("INFO")
    journal.log.debug("position read", position=1)
    assert journal.text == ""


async def test_ids_follow_a_request_into_its_tasks_and_nowhere_else(journal: Journal) -> None:
    both_began = asyncio.Barrier(2)

    async def step(name: str) -> None:
        await both_began.wait()
        journal.log.info("step done", step=name)

    async def serve(request_id: str) -> None:
        with context(request_id=request_id):
            task = asyncio.create_task(step(request_id))
            with context(command_id=uuid4()):
                await task
                journal.log.info("command done", request=request_id)
        journal.log.info("request gone")

    await asyncio.gather(serve("a"), serve("b"))
    for line in journal.lines:
        said = line.get("step") or line.get("request")
        assert line.get("requestId") == said
        assert ("commandId" in line) == (line["message"] == "command done")


def test_a_fact_is_nearer_than_the_id_around_it(journal: Journal) -> None:
    with context(event_id="outer"):
        journal.log.info("event read", event_id="inner")
    assert journal.last["eventId"] == "inner"


def test_lines_in_a_span_carry_its_trace(journal: Journal) -> None:
    with traces.span("work"):
        journal.log.info("inside")
        header = traces.inject()
    journal.log.info("outside")
    inside, outside = journal.lines
    assert header is not None
    assert header[3:52] == f"{inside['traceId']}-{inside['spanId']}"
    assert "traceId" not in outside


PROGRAM = """
import logging, warnings
from infra.telemetry import logs
logs.setup("info", process="worker")
logs.logger("infra.x").info("started", name="Zürich \\u2028")
logs.logger("infra.x").debug("left out")
logging.getLogger("botocore").info("left out")
logging.getLogger("nats.aio.client").error("lost", extra={"url": "nats://u:pw1234567@h"})
warnings.warn("old")
"""


def test_a_process_logs_nothing_but_json_whatever_its_terminal_can_show() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path), "LC_ALL": "C"},
        capture_output=True,
        check=True,
        timeout=30,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["logger"] for line in lines] == ["infra.x", "nats.aio.client", "py.warnings"]
    assert lines[0]["name"] == "Zürich \u2028"
    assert lines[1]["url"] == "nats://***@h"
