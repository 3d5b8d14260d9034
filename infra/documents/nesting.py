"""How deep a web page's elements stand in one another: its parser forgets, without a word, what is too deep for it."""

from html.parser import HTMLParser

DEEPEST = 512
"""Elements in one another, as browsers take them."""
ALONE = frozenset("area base br col embed hr img input link meta param source track wbr".split())
"""Elements that hold nothing (HTML standard, section 13.1.2)."""
UNCLOSED = frozenset(
    "p li dt dd tr td th thead tbody tfoot option optgroup rt rp colgroup caption html head body".split()
)
"""Elements whose end need not be written: a new one may stand beside the last, or in it."""
WITH_THESE = {"table": 4, "ul": 2, "ol": 2, "dl": 2, "select": 3, "ruby": 2}
"""Elements that have such ones between them and what they hold, and how deep that is together."""


class _Depth(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._open: list[str] = []
        self._counts: dict[str, int] = {}
        self._depth = 0
        self.deepest = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ALONE | UNCLOSED:
            self._open.append(tag)
            self._counts[tag] = self._counts.get(tag, 0) + 1
            self._depth += WITH_THESE.get(tag, 1)
            self.deepest = max(self.deepest, self._depth)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.handle_starttag(tag, attrs)  # HTML knows no `<div/>`: it is an open one

    def handle_endtag(self, tag: str) -> None:
        while self._counts.get(tag):
            closed = self._open.pop()
            self._counts[closed] -= 1
            self._depth -= WITH_THESE.get(closed, 1)
            if closed == tag:
                break


def is_too_deep(page: str) -> bool:
    """Whether some of its elements stand deeper than `DEEPEST`."""
    if page.count("<") <= DEEPEST:
        return False
    depth = _Depth()
    depth.feed(page)
    return depth.deepest > DEEPEST
