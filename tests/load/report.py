"""The one table, and the verdict."""

from collections.abc import Mapping, Sequence

from tests.bench.measures import percentile
from tests.load.chats import AI
from tests.load.timing import Timings

LIMIT = 0.1
"""Seconds that 95 of 100 requests to an endpoint without a model should take at most."""
IDLE = "GET /v1/health/live"
OWN = "(this client is late by itself)"
HEADINGS = ("endpoint", "", "n", "p50 ms", "p95 ms", "p99 ms", "errors")


def table(timings: Timings) -> str:
    """Every endpoint as a line: those without a model first, the slowest on top."""
    names = sorted(
        {*timings.taken, *timings.errors}, key=lambda name: (name in AI, -_p95(timings.taken[name]))
    )
    names.sort(key=lambda name: name == OWN)
    lines = [HEADINGS, *(_cells(name, timings) for name in names)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(HEADINGS))]
    rule = tuple("─" * width for width in widths)
    return "\n".join(_line(cells, widths) for cells in (lines[0], rule, *lines[1:]))


def verdict(taken: Mapping[str, Sequence[float]]) -> str:
    """Whether endpoints without a model are quick enough; beside it, one that does nothing, in the same time."""
    ours = {name: _p95(times) for name, times in taken.items() if name not in AI | {OWN} and times}
    if not ours:
        return "nothing was measured"
    slow = [name for name, p95 in ours.items() if p95 >= LIMIT]
    worst = max(ours, key=lambda name: ours[name])
    everything = [each for name in ours for each in taken[name]]
    return (
        f"non-AI endpoints p95 < {1000 * LIMIT:.0f} ms: {f'NO, not {len(slow)} of {len(ours)}' if slow else 'yes'}; "
        f"the slowest is {worst} with {1000 * ours[worst]:.0f} ms, all together {1000 * _p95(everything):.0f} ms, "
        f"{IDLE}, which does nothing, {1000 * ours.get(IDLE, 0):.0f} ms"
    )


def _p95(times: Sequence[float]) -> float:
    return percentile(times, 0.95) if times else 0.0


def _cells(name: str, timings: Timings) -> tuple[str, ...]:
    times = timings.taken[name]
    shares = [f"{1000 * percentile(times, share):.0f}" if times else "" for share in (0.5, 0.95, 0.99)]
    return (name, "AI" if name in AI else "", str(len(times)), *shares, str(len(timings.errors[name])))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if n < 2 else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
