"""The one table."""

from collections.abc import Iterable

from tests.bench.measures import Measure, number

HEADINGS = ("measured", "durability", "median", "min", "max", "unit", "runs", "goal", "reached")
RIGHT = {"median", "min", "max", "runs"}


def table(measures: Iterable[Measure]) -> str:
    """Every measure as a line, in columns."""
    lines = [HEADINGS, *(_cells(each) for each in measures)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(HEADINGS))]
    rule = tuple("─" * width for width in widths)
    return "\n".join(_line(cells, widths) for cells in (lines[0], rule, *lines[1:]))


def _cells(measure: Measure) -> tuple[str, ...]:
    goal = measure.goal
    return (
        measure.name,
        measure.durability,
        number(measure.median),
        number(min(measure.runs)),
        number(max(measure.runs)),
        measure.unit,
        str(len(measure.runs)),
        str(goal) if goal else "",
        ("yes" if goal.reached(measure.median) else "NO") if goal else "",
    )


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    columns = zip(HEADINGS, cells, widths, strict=True)
    padded = (cell.rjust(width) if name in RIGHT else cell.ljust(width) for name, cell, width in columns)
    return "  ".join(padded).rstrip()
