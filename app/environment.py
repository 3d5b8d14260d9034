"""Environment variables with types; what is wrong with them is collected and told at once."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
Option = TypeVar("Option", bound=str)

YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})

_SEVERAL = re.compile(r",\s*(?=[a-z]+://)")


class Secret(str):
    """A text that its `repr` does not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Address(str):
    """A URL, or several with commas, whose `repr` does not show the credentials in it."""

    __slots__ = ()

    def __repr__(self) -> str:
        plain = re.sub(r"//.*@", "//***@", str(self))
        return repr(re.sub(r"(password=)[^&,]*", r"\1***", plain))


class Mistake(NamedTuple):
    """One variable that cannot be used."""

    name: str
    wrong: str
    expected: str


class BadSettings(ValueError):
    """Some variables cannot be used; the message lists every one, and no secret."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        width = max(len(each.name) for each in mistakes)
        lines = (f"  {each.name:<{width}}  {each.wrong}; expected {each.expected}" for each in mistakes)
        super().__init__("\n".join(("These settings cannot be used:", *lines)))
        self.mistakes = tuple(mistakes)


class Environment:
    """Variables as typed values. An empty one counts as unset; a bad one reads as its default until `check`."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._set = {name: text for name, value in variables.items() if (text := value.strip())}
        self._mistakes: list[Mistake] = []

    def check(self) -> None:
        """Raises `BadSettings` if anything read so far was wrong."""
        if self._mistakes:
            raise BadSettings(self._mistakes)

    def wrong(self, name: str, wrong: str, expected: str) -> None:
        """Notes a mistake."""
        self._mistakes.append(Mistake(name, wrong, expected))

    def complete(self, needed: Sequence[str], *optional: str) -> bool:
        """Whether a group of variables is set. One that is set in part is a mistake for each that is missing."""
        present = [name for name in (*needed, *optional) if name in self._set]
        if not present:
            return False
        missing = [name for name in needed if name not in self._set]
        for name in missing:
            self.wrong(name, f"is not set, though {present[0]} is", "both, or neither")
        return not missing

    def text(self, name: str, default: str) -> str:
        return self._set.get(name, default)

    def parsed(self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        """The variable as `parse` reads it; a ValueError from it is a mistake."""
        value = self._set.get(name)
        if value is None:
            return default
        try:
            return parse(value)
        except ValueError:
            self.wrong(name, f"is {value[:60]!r}", expected)
            return default

    def number(self, name: str, default: int, low: int, high: int) -> int:
        def parse(text: str) -> int:
            if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
                raise ValueError(text)
            return int(text)

        return self.parsed(name, default, parse, f"a whole number from {low} to {high}")

    def flag(self, name: str, default: bool) -> bool:
        def parse(text: str) -> bool:
            if text.lower() not in YES | NO:
                raise ValueError(text)
            return text.lower() in YES

        return self.parsed(name, default, parse, "true or false")

    def choice(self, name: str, default: Option, options: Sequence[Option]) -> Option:
        def parse(text: str) -> Option:
            return options[options.index(text.lower())]

        return self.parsed(name, default, parse, " or ".join(options))

    def secret(self, name: str, pattern: str, expected: str) -> Secret | None:
        value = self._set.get(name)
        if value is None or re.fullmatch(pattern, value):
            return Secret(value) if value else None
        self.wrong(name, "has a form that cannot be used", expected)
        return None

    def address(self, name: str, *schemes: str) -> Address | None:
        """A URL, or several with commas; its value is not repeated in a mistake, as it may hold a password."""
        value = self._set.get(name)
        if value is None or all(_is_url(each, schemes) for each in _SEVERAL.split(value)):
            return Address(value) if value else None
        self.wrong(name, "is not such a URL", " or ".join(f"{scheme}://…" for scheme in schemes))
        return None


def _is_url(text: str, schemes: Sequence[str]) -> bool:
    try:
        parts = urlsplit(text)
        if "," not in parts.netloc:
            _ = parts.port  # raises ValueError when it is none
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc) and not re.search(r"\s", text)
