"""All of `chat` over HTTP, put together."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import asyncpg

from app.chat import models, routes, sockets
from app.chat.finding import ProjectSources
from app.chat.leading import leading
from app.chat.projects import Projects
from app.chat.rooms import Rooms
from app.chat.sending import Sending
from app.chat.topics import PROJECTS
from app.http.endpoints import Endpoint
from app.live.hub import Hub
from app.search.routes import Link
from app.search.searcher import Searcher
from events.envelope import Key
from handlers.chat.reply.words import Words
from handlers.commands import Commands
from infra.generation import Generator
from infra.signals import Signals


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    signals: Signals,
    words: Words,
    searcher: Searcher,
    link: Link,
    generator: Generator | None,
    hub: Hub,
    exists: Callable[[Key], Awaitable[bool]],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    """Projects, their socket, and models."""
    sending = Sending(commands, db, signals, words, ProjectSources(searcher.sources))
    lead = leading(searcher, link)
    projects = Projects(sending=sending, db=db, exists=exists, lead=lead, clock=clock)
    rooms = Rooms(feed=hub.feed(PROJECTS.stream), topic=PROJECTS, signals=signals, db=db, clock=clock)
    hub.listen(PROJECTS.name, rooms.signalled)
    hub.guard(PROJECTS.name, projects.guard)
    return (
        *routes.endpoints(projects),
        sockets.endpoint(
            clients=hub.clients,
            heartbeat=hub.heartbeat,
            rooms=rooms,
            sending=sending,
            known=projects.known,
            lead=lead,
            clock=clock,
        ),
        models.endpoint(generator),
    )
