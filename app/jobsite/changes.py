"""Several commands that one request asks for, each under an id of its own, so that a retry repeats none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.http.endpoints import Call, Reply
from app.intents import intent
from app.jobsite.job_views import Done
from events.envelope import Intent
from events.ids import derived_id
from handlers.commands import Command, Commands
from handlers.jobsite.job.decide import JOBS, Deleted, State
from handlers.refusals import NameTaken, NotFound


async def not_deleted(commands: Commands, job_id: UUID | None) -> None:
    """A job may be named by an id before it has a name, but not when it was deleted. Raises `NotFound`."""
    if job_id is not None:
        state: State = await commands.look(JOBS, job_id)
        if isinstance(state, Deleted):
            raise NotFound("JOB_NOT_FOUND", f"There is no job {job_id} any more.", field="jobId")


@contextmanager
def naming(kind: str, name: str) -> Iterator[None]:
    """Says in the words of whoever asked that a name is taken."""
    try:
        yield
    except NameTaken as refused:
        raise NameTaken(f"There is already a {kind} called {name!r}.", field="name") from refused


def asked_by(call: Call[Any, Any], clock: Callable[[], datetime], id: UUID) -> Intent:
    """What a request asks of the aggregate `id`; all that its path names tells it from another under the same key."""
    named = {name: call.ids.get(name, value) for name, value in call.params.items()}
    return intent(call, clock, id, call.body, *(each for each in named.values() if each != id))


async def carried_out(
    commands: Commands, call: Call[Any, Any], clock: Callable[[], datetime], id: UUID, *wanted: Command
) -> Reply:
    """Carry them out one after the other; the position is that of the last."""
    first = made = asked_by(call, clock, id)
    position = ""
    for n, command in enumerate(wanted):
        if n:
            made = msgspec.structs.replace(made, command_id=derived_id(first.command_id, str(n)))
        outcome = await commands.execute(command, made)
        if outcome.events:  # what the others find changed has been changed by this
            made = msgspec.structs.replace(made, unchanged_since=None)
        position = outcome.cursor
    return Reply(body=Done(id=id, position=position), position=position)
