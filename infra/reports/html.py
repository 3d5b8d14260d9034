"""A report as HTML: one file without anything from outside, readable on a phone and in the dark."""

from collections.abc import Iterable, Iterator
from html import escape

from infra.reports import Content, Item, due, moment, subject, where
from infra.understanding import Discrepancy, Quote

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 40rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
h2 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p, ul { margin: 0 0 .5rem; }
ul { padding-left: 1.2rem; }
small, .about { color: GrayText; }
blockquote { border-left: .2rem solid #c60; margin: .25rem 0; padding: 0 .75rem; }
s { color: GrayText; }
"""


def html(content: Content) -> str:
    """A whole document. Whatever people or models have said is escaped."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(subject(content))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(_body(content))
        + "\n</body>\n</html>\n"
    )


def _body(content: Content) -> Iterator[str]:
    yield f"<h1>{escape(content.title)}</h1>"
    about = [content.job, content.builder, f"{content.recorded_at:%Y-%m-%d %H:%M} UTC"]
    about.append(f"{moment(content.seconds)} long")
    yield f'<p class="about">{" · ".join(escape(each) for each in about if each)}</p>'
    yield "<h2>Summary</h2>"
    yield f"<p>{escape(content.summary or 'Nothing was said that could be summed up.')}</p>"
    if content.discrepancies:
        yield "<h2>Discrepancies</h2>"
        yield from (_discrepancy(each) for each in content.discrepancies)
    if content.items:
        yield "<h2>Action items</h2>"
        yield _list(_item(each) for each in content.items)
    if content.notes:
        yield "<h2>Notes to the office</h2>"
        yield _list(escape(each) for each in content.notes)
    link = escape(content.url, quote=True)
    yield f'<p><a href="{link}">Everything about this recording</a></p>'
    yield f"<p><small>Made by {escape(content.method)}.</small></p>"


def _discrepancy(found: Discrepancy) -> str:
    return f"<p>{escape(found.detail)}</p>" + _quote(found.said) + _quote(found.against)


def _quote(quote: Quote) -> str:
    place = where(quote.place.start, quote.place.page)
    source = escape(f"{quote.title}, {place}" if place else quote.title)
    return f"<blockquote>{escape(quote.text)}<br><small>{source}</small></blockquote>"


def _item(item: Item) -> str:
    text = f"<s>{escape(item.text)}</s>" if item.done else escape(item.text)
    told = due(item)
    return f"{text} <small>{escape(told)}</small>" if told else text


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"
