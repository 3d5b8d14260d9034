"""Given/when/then for the rules of any aggregate: `given(SESSIONS, UPLOADED).when(command).then(TRANSCRIBED)`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pytest

from events.envelope import Event
from handlers.commands import Command, Decider
from handlers.refusals import Refusal


@dataclass(frozen=True)
class Given:
    """What has happened so far."""

    decider: Decider[Any, Any]
    past: tuple[Event, ...]

    def when(self, *commands: Command) -> "Decided":
        """Carry out commands one after the other."""
        return Decided(self.decider, self.past, commands)


@dataclass(frozen=True)
class Decided:
    """What commands make of the past."""

    decider: Decider[Any, Any]
    past: tuple[Event, ...]
    commands: tuple[Command, ...]

    def then(self, *expected: Event) -> None:
        """Exactly these events follow; none means that nothing happens."""
        assert self._follows() == list(expected)

    def refused(self, refusal: type[Refusal], code: str) -> None:
        """The last command is refused, with this code."""
        with pytest.raises(refusal) as caught:
            self._follows()
        assert caught.value.code == code

    def _follows(self) -> list[Event]:
        events: list[Event] = []
        for command in self.commands:
            assert isinstance(command, self.decider.commands)
            events += self._decide(command, [*self.past, *events])
        return events

    def _decide(self, command: Command, past: Sequence[Event]) -> Sequence[Event]:
        return self.decider.decide(command, reduce(self.decider.evolve, past, self.decider.initial))


def given(decider: Decider[Any, Any], *past: Event) -> Given:
    """Begin with what has happened."""
    return Given(decider, past)
