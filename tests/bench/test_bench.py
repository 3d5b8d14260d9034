"""The benchmark works, and its verdicts come from what it measured."""

import pytest

from tests.bench.__main__ import bench
from tests.bench.measures import Goal, Measure, Sampler, alternating, number, percentile, ratio
from tests.bench.million import KNOWN, events
from tests.bench.table import table


async def test_a_line_measures_on_real_servers():
    measured, failed = await bench(["load"], quick=True)
    assert not failed
    assert [each.name for each in measured] == [
        "load 10 events, close together",
        "load 10 events, all over the log",
        "load 200 events, close together",
        "load 200 events, all over the log",
    ]
    assert all(0 < run < 10_000 for each in measured for run in each.runs)


@pytest.mark.parametrize(
    ("goal", "median", "verdict"),
    [
        (Goal(3), 3.0, "yes"),
        (Goal(3), 2.9, "NO"),
        (Goal(50, at_least=False), 49.9, "yes"),
        (Goal(50, at_least=False), 50.0, "NO"),
    ],
)
def test_a_goal_is_reached_by_the_median_alone(goal: Goal, median: float, verdict: str):
    line = table([Measure("it", "1/s", "", goal, (0.0, median, 1e9))]).splitlines()[-1]
    assert line.endswith(verdict)


def test_a_ratio_compares_runs_of_the_same_time():
    ours = Measure("ours", "1/s", "relaxed", None, (10.0, 30.0))
    theirs = Measure("theirs", "1/s", "synced", None, (5.0, 10.0))
    assert ratio("both", ours, theirs).runs == (2.0, 3.0)


async def test_runs_alternate_so_that_a_disturbance_meets_all():
    order = []

    async def sample(name: str) -> float:
        order.append(name)
        return len(order)

    samplers = [Sampler(Measure(each, "1/s"), lambda each=each: sample(each)) for each in "ab"]
    measured = await alternating(samplers, 2)
    assert order == ["a", "b", "a", "b"]
    assert [each.runs for each in measured] == [(1, 3), (2, 4)]


def test_known_tasks_have_all_their_events_wherever_they_are():
    found = [event.task_id for event in events(10_000)]
    assert [found.count(each.id) for each in KNOWN] == [each.events for each in KNOWN]


def test_figures_are_short():
    assert [number(each) for each in (41234.5, 12.34, 0.8421, 3)] == ["41,234", "12.3", "0.84", "3"]


def test_percentiles_are_of_all_values():
    assert percentile(range(1, 101), 0.5) == 50
    assert percentile(range(1, 101), 0.99) == 99
