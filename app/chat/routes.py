"""HTTP of `chat`: projects, what is said in them, the socket on which replies are told, and models."""

from typing import Any

from app.chat.bodies import (
    Again,
    ChangedProject,
    ExportQuery,
    NewMessage,
    NewProject,
    ProjectQuery,
    ProjectsQuery,
)
from app.chat.projects import Projects
from app.chat.views import Projects as Listing
from app.chat.views import ProjectSummary, ProjectView, Sent
from app.http.endpoints import Endpoint
from handlers.chat.project.decide import no_project
from handlers.refusals import Conflict, Invalid, NotFound


def endpoints(projects: Projects) -> tuple[Endpoint, ...]:
    """The endpoints of projects."""
    at = "/v1/projects/{projectId}"

    def endpoint(method: str, path: str, handle: Any, summary: str, **more: Any) -> Endpoint:
        scope = "chat:read" if method == "GET" else "chat:write"
        return Endpoint(
            method=method, path=path, handle=handle, summary=summary, tag="projects", scope=scope,
            stranger=no_project, **more,
        )  # fmt: skip

    return (
        endpoint("GET", "/v1/projects", projects.listing, "List projects", query=ProjectsQuery, answer=Listing),
        endpoint(
            "POST", "/v1/projects", projects.create, "Create a project", body=NewProject, status=201,
            answer=ProjectSummary, example=NewProject(title="Boiler room"),
        ),
        endpoint(
            "GET", at, projects.show, "A project with its messages", query=ProjectQuery, answer=ProjectView,
            refusals=(NotFound,),
        ),
        endpoint(
            "PATCH", at, projects.change, "Rename a project, change how it replies, show another branch",
            body=ChangedProject, status=204, refusals=(NotFound, Conflict, Invalid),
        ),
        endpoint(
            "DELETE", at, projects.delete, "Delete a project for good", status=204, refusals=(NotFound,),
            description="With it go its messages and its events in the log, down to one that says it was deleted; "
            f"{at}/deletion tells what is left.",
        ),
        endpoint(
            "POST", f"{at}/messages", projects.send, "Say something", body=NewMessage, status=202, answer=Sent,
            refusals=(NotFound, Conflict, Invalid), example=NewMessage(content="What is a joist?"),
        ),
        endpoint(
            "POST", f"{at}/regenerate", projects.regenerate, "Have another reply", body=Again, status=202,
            answer=Sent, refusals=(NotFound, Conflict),
        ),
        endpoint(
            "POST", f"{at}/stop", projects.stop, "End the reply that is being made, and keep what came",
            body=Again, status=204, refusals=(NotFound, Conflict),
        ),
        endpoint(
            "GET", f"{at}/export", projects.export, "A project as a file", query=ExportQuery,
            media_type="text/markdown", refusals=(NotFound,),
        ),
    )  # fmt: skip
