"""The load test works: it times every kind of endpoint, and says what is slow or lost."""

from pathlib import Path

import pytest

from tests.deployment import Deployment
from tests.generation.ollama_server import OllamaServer
from tests.load.chats import ACK, AI, ASKED
from tests.load.model import writing
from tests.load.promises import ONCE, _odd
from tests.load.recordings import recordings
from tests.load.report import IDLE, table, verdict
from tests.load.running import QUICK, load
from tests.load.timing import Timings


async def test_everybody_is_timed_and_nothing_is_lost(
    modelled: Deployment, ollama: OllamaServer, tmp_path: Path
) -> None:
    with writing(ollama):
        found = await load(modelled, QUICK, recordings(tmp_path), warm=False)
    assert (found.broken, dict(found.timings.errors), found.accepted) == ([], {}, 2)
    assert {"POST /v1/upload/audio", "GET /v1/upload/status/{}", IDLE, ACK, ASKED} <= set(found.timings.taken)
    assert all(line.split()[-1] == "0" for line in table(found.timings).splitlines()[2:])


@pytest.mark.parametrize(
    ("idle", "slow", "said"), [(0.01, 0.099, "ms: yes"), (0.01, 0.1, "ms: NO, not 1 of 2")]
)
def test_the_verdict_is_about_every_endpoint_without_a_model(idle: float, slow: float, said: str) -> None:
    taken = {IDLE: [idle] * 20, "GET /v1/jobs": [slow] * 20, **{name: [9.0] for name in AI}}
    assert said in verdict(taken)


def test_errors_are_counted_where_they_happen() -> None:
    timings = Timings()
    timings.failed("GET /v1/jobs", "503")
    assert table(timings).splitlines()[-1].split() == ["GET", "/v1/jobs", "0", "1"]


def test_a_stage_that_happens_twice_or_fails_is_told() -> None:
    assert _odd(ONCE) == ""
    assert _odd([*ONCE, "indexed", "stage_failed"]) == "indexed 2 times, stage_failed"
