"""Projects: listed, made, shown, changed, talked in, exported, deleted."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET

from app.chat import queries
from app.chat.bodies import (
    EVERYTHING,
    Again,
    ChangedProject,
    ExportQuery,
    NewMessage,
    NewProject,
    ProjectQuery,
    ProjectsQuery,
)
from app.chat.exporting import as_markdown
from app.chat.leading import Lead, led
from app.chat.sending import Sending, part_of
from app.chat.views import Exported, ProjectSummary, ProjectView
from app.chat.views import Projects as Listing
from app.http.auth import Principal
from app.http.cursor import from_cursor, to_cursor
from app.http.endpoints import Call, Reply
from app.intents import created_id, intent
from events.chat import Manner
from events.envelope import Key
from handlers.chat.project.commands import ConfigureProject, CreateProject, DeleteProject, RenameProject
from handlers.chat.project.decide import PROJECTS, UNTITLED, no_project
from handlers.refusals import Invalid, NotFound
from infra.blobs.disposition import content_disposition
from infra.replies import gone_subject

JSON = {"Content-Type": "application/json"}


class Projects:
    """Answers what is asked about projects."""

    def __init__(
        self,
        *,
        sending: Sending,
        db: asyncpg.Pool,
        exists: Callable[[Key], Awaitable[bool]],
        lead: Lead,
        clock: Callable[[], datetime],
    ) -> None:
        self._sending, self._commands, self._sources = sending, sending.commands, sending.sources
        self._db, self._exists, self._lead, self._clock = db, exists, lead, clock

    async def found(self, project_id: UUID, principal: Principal) -> asyncpg.Record:
        """The row of a project. Raises `NotFound`, and `Forbidden` for who may not read what its replies are from."""
        row = await queries.project(self._db, project_id)
        if row is None and await self._exists(Key("chat", "project", project_id)):
            row = await queries.project(self._db, project_id)
        if row is None:
            raise no_project()
        self._sources.allow(principal, row)
        return row

    async def known(self, project_id: UUID, principal: Principal) -> None:
        """Raises `NotFound` for a project that is not there, `Forbidden` where it may not be read."""
        await self.found(project_id, principal)

    async def guard(self, project_id: UUID, principal: Principal) -> None:
        """Raises `Forbidden` where it may not be read. One that was deleted may be followed, as its end is told; one
        that is not there yet only by who may read everything: what its replies will be from is not known."""
        try:
            await self.found(project_id, principal)
        except NotFound:
            if await self._commands.look(PROJECTS, project_id) == PROJECTS.initial:
                self._sources.allow_all(principal)

    async def listing(self, call: Call[ProjectsQuery, None]) -> Reply:
        q = call.query
        before = from_cursor(q.cursor, tuple[datetime, UUID]) if q.cursor else None
        contexts = self._sources.readable(call.principal)
        rows = await queries.projects(
            self._db, query=q.query, before=before, limit=q.limit + 1, contexts=contexts
        )
        last = rows[q.limit - 1] if len(rows) > q.limit else None
        more = to_cursor(last.updated_at, last.id) if last else None
        return Reply(body=Listing(projects=tuple(rows[: q.limit]), next_cursor=more))

    async def create(self, call: Call[None, NewProject]) -> Reply:
        body = call.body
        manner = Manner(
            model=body.model,
            instructions=body.instructions,
            collections=await self._sources.collections(call.principal, body.collections),
            jobs=await self._sources.jobs(call.principal, body.jobs),
        )
        made = intent(call, self._clock, body)
        project_id = created_id(made, "project")
        title = body.title.strip() if body.title else None
        command = CreateProject(project_id=project_id, title=title or None, manner=manner)
        outcome = await self._commands.execute(command, made, fresh=True)
        at = made.at
        if outcome.repeated or not outcome.events:
            at = (await self.found(project_id, call.principal))["created_at"]
            outcome = await self._sending.first(project_id, made) or outcome
        answer = ProjectSummary(
            id=project_id, title=title or UNTITLED, message_count=0, created_at=at, updated_at=at
        )
        location = {"Location": f"/v1/projects/{project_id}"}
        return Reply(body=answer, position=outcome.cursor, headers=location)

    async def show(self, call: Call[ProjectQuery, None]) -> Reply:
        row = await self.found(call.ids["projectId"], call.principal)
        messages = await queries.branch(self._db, row["id"], row["leaf"], most=call.query.limit)
        messages = await led(self._lead, call, messages)
        manner, withdrawn = msgspec.json.decode(row["manner"], type=Manner), row["withdrawn"] or 0
        unsaid = not messages or messages[-1].id != row["leaf"]
        view = ProjectView(
            failed=await queries.fault(self._db, row["id"], row["leaf"]) if unsaid else None,
            **msgspec.structs.asdict(queries.summary(row)),
            messages=messages,
            running=row["running"],
            leaf=row["leaf"],
            position=f"CHAT@{max(row['revision'], withdrawn)}",
            **msgspec.structs.asdict(manner),
        )
        linked = any(each.citations for each in messages)  # links hold for a while only
        etag = None if linked else f"{row['revision']}-{withdrawn}-{call.query.limit}"
        return Reply(body=view, etag=etag)

    async def change(self, call: Call[None, ChangedProject]) -> Reply:
        """One command after the other: each may be sent again under the same key. What can be refused comes first."""
        project_id, body = call.ids["projectId"], call.body
        made, outcome = intent(call, self._clock, project_id, body), None
        await self.found(project_id, call.principal)
        configure = await self._configure(call)
        title = "" if body.title is UNSET else str(body.title).strip()
        if body.title is not UNSET and not title:
            raise Invalid("INVALID_BODY", "A title needs a visible character.", field="title")
        if isinstance(body.shown, UUID):
            outcome = await self._sending.show(project_id, body.shown, part_of(made, "shown"))
        if title:
            rename = RenameProject(project_id=project_id, title=title)
            outcome = await self._sending.once(rename, made)
        if configure:
            outcome = await self._sending.once(configure, part_of(made, "manner"))
        return Reply(position=outcome.cursor if outcome else None)

    async def _configure(self, call: Call[None, ChangedProject]) -> ConfigureProject | None:
        body, sources = call.body, self._sources
        given = {name: getattr(body, name) for name in Manner.__struct_fields__}
        given = {name: value for name, value in given.items() if value is not UNSET}
        if body.collections is not UNSET:
            given["collections"] = await sources.collections(call.principal, body.collections)
        if body.jobs is not UNSET:
            given["jobs"] = await sources.jobs(call.principal, body.jobs)
        return ConfigureProject(project_id=call.ids["projectId"], **given) if given else None

    async def delete(self, call: Call[None, None]) -> Reply:
        project_id = call.ids["projectId"]
        made = intent(call, self._clock, project_id)
        outcome = await self._commands.execute(DeleteProject(project_id=project_id), made)
        await self._sending.signals.send(gone_subject(project_id), {})  # nobody need go on with a reply
        return Reply(position=outcome.cursor)

    async def send(self, call: Call[None, NewMessage]) -> Reply:
        project_id, body = call.ids["projectId"], call.body
        made = intent(call, self._clock, project_id, body)
        if not body.content.strip() or "\0" in body.content:
            raise Invalid("INVALID_BODY", "A message needs a visible character.", field="content")
        may = self._sources.readable(call.principal)
        if body.edits:
            sent = await self._sending.edit(project_id, body.edits, body.content, made, contexts=may)
        else:
            parent = body.parent_id if isinstance(body.parent_id, UUID) else None
            sent = await self._sending.send(
                project_id, body.content, made, contexts=may, parent=parent, at_leaf=body.parent_id is UNSET
            )
        return Reply(body=sent, position=sent.position)

    async def regenerate(self, call: Call[None, Again]) -> Reply:
        project_id = call.ids["projectId"]
        made = intent(call, self._clock, project_id, call.body)
        may = self._sources.readable(call.principal)
        sent = await self._sending.regenerate(project_id, call.body.message_id, made, contexts=may)
        return Reply(body=sent, position=sent.position)

    async def stop(self, call: Call[None, Again]) -> Reply:
        project_id = call.ids["projectId"]
        await self.found(project_id, call.principal)
        made = intent(call, self._clock, project_id, call.body)
        if first := await self._sending.first(project_id, made):
            return Reply(position=first.cursor)
        reply = call.body.message_id or await self._sending.running(project_id)
        outcome = await self._sending.stop(project_id, reply, made, draft=None)
        return Reply(position=outcome.cursor)

    async def export(self, call: Call[ExportQuery, None]) -> Reply:
        row = await self.found(call.ids["projectId"], call.principal)
        about = queries.summary(row)
        if call.query.format == "json":
            everything = await queries.whole(self._db, row["id"])
            body: object = Exported(project=about, leaf=row["leaf"], messages=everything)
            return Reply(body=body, headers={**_attachment(about.title, "json"), **JSON})
        messages = await queries.branch(self._db, row["id"], row["leaf"], most=EVERYTHING)
        text = as_markdown(about, messages).encode()
        kind = {"Content-Type": "text/markdown; charset=utf-8"}
        return Reply(body=text, headers={**_attachment(about.title, "md"), **kind})


def _attachment(title: str, ending: str) -> dict[str, str]:
    return {
        "Content-Disposition": content_disposition(f"{title}.{ending}", "text/plain"),
        "Cache-Control": "no-store",
    }
