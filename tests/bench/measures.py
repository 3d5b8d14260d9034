"""What was measured, what was hoped for, and how the two are told apart."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from statistics import median


@dataclass(frozen=True)
class Goal:
    """A limit that a median should keep to."""

    limit: float
    at_least: bool = True

    def reached(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value < self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '<'} {number(self.limit)}"


@dataclass(frozen=True)
class Measure:
    """One line of the table: the same thing measured in several runs."""

    name: str
    unit: str
    durability: str = ""
    """How long an acknowledged event may be lost by a power cut; empty where nothing is written."""
    goal: Goal | None = None
    runs: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        return median(self.runs)


@dataclass(frozen=True)
class Sampler:
    """A measure to be, and what gives one run of it."""

    measure: Measure
    sample: Callable[[], Awaitable[float]]


async def alternating(samplers: Sequence[Sampler], runs: int) -> list[Measure]:
    """One run of each after the other, then again: so that what disturbs the machine disturbs all of them."""
    taken = [[await each.sample() for each in samplers] for _ in range(runs)]
    return [replace(each.measure, runs=tuple(run[n] for run in taken)) for n, each in enumerate(samplers)]


def ratio(name: str, ours: Measure, theirs: Measure, goal: Goal | None = None) -> Measure:
    """How many times theirs ours is, run by run."""
    runs = tuple(one / other for one, other in zip(ours.runs, theirs.runs, strict=True))
    return Measure(name, "times", f"{ours.durability} / {theirs.durability}", goal, runs)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share (0 to 1) of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def number(value: float) -> str:
    """Three significant digits or so: 41,200, 12.3, 0.84."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2g}"
