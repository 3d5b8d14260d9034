"""Loading an aggregate out of a million events, with nothing of it cached."""

import time

from infra.log import Log
from tests.bench.ground import Ground
from tests.bench.measures import Measure
from tests.bench.million import KNOWN, Known
from tests.bench.tasks import key

LOADS = 20


async def measure(ground: Ground) -> list[Measure]:
    async with ground.million() as log:
        return [await _of(log, each) for each in KNOWN]


async def _of(log: Log, known: Known) -> Measure:
    where = "all over the log" if known.spread else "close together"
    runs = [await _seconds(log, known) for _ in range(LOADS)]
    name = f"load {known.events} events, {where}"
    return Measure(name, "ms", runs=tuple(1000 * each for each in runs))


async def _seconds(log: Log, known: Known) -> float:
    began = time.perf_counter()
    found = await log.load(key(known.id))
    seconds = time.perf_counter() - began
    if len(found) != known.events:
        raise RuntimeError(f"loaded {len(found)} events of {known.events}")
    return seconds
