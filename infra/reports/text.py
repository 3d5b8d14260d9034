"""A report as plain text."""

from collections.abc import Iterator
from textwrap import fill

from infra.reports import Content, Item, due, moment, where
from infra.understanding import Discrepancy, Quote

WIDTH = 76


def text(content: Content) -> str:
    """Lines of at most 76 characters, sections apart by a blank one."""
    return "\n\n".join("\n".join(section) for section in _sections(content) if section) + "\n"


def _sections(content: Content) -> Iterator[list[str]]:
    yield [content.title, "=" * min(len(content.title), WIDTH)]
    yield [_about(content)]
    yield ["SUMMARY", fill(content.summary or "Nothing was said that could be summed up.", WIDTH)]
    if content.discrepancies:
        yield ["DISCREPANCIES", *(line for each in content.discrepancies for line in _discrepancy(each))]
    if content.items:
        yield ["ACTION ITEMS", *(_bullet(_item(each)) for each in content.items)]
    if content.notes:
        yield ["NOTES TO THE OFFICE", *(_bullet(each) for each in content.notes)]
    yield [f"Everything about this recording: {content.url}", f"Made by {content.method}."]


def _about(content: Content) -> str:
    lines = [("Job", content.job), ("Builder", content.builder)]
    lines += [("Recorded", f"{content.recorded_at:%Y-%m-%d %H:%M} UTC, {moment(content.seconds)} long")]
    return "\n".join(f"{name + ':':<10}{value}" for name, value in lines if value)


def _discrepancy(found: Discrepancy) -> Iterator[str]:
    yield _bullet(found.detail)
    for quote in (found.said, found.against):
        yield fill(_quoted(quote), WIDTH, initial_indent="    ", subsequent_indent="    ")


def _item(item: Item) -> str:
    told = due(item)
    return f"{item.text} ({told})" if told else item.text


def _quoted(quote: Quote) -> str:
    place = where(quote.place.start, quote.place.page)
    return f"{quote.title}{f', {place}' if place else ''}: “{quote.text}”"


def _bullet(line: str) -> str:
    return fill(line, WIDTH, initial_indent="  - ", subsequent_indent="    ")
