"""HTTP of deletions: what is left of something that was deleted, place by place."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.http.endpoints import Call, Endpoint, Reply
from app.operations.deletion import Deletions, DeletionView
from events.envelope import Key
from handlers.refusals import Conflict, NotFound


@dataclass(frozen=True)
class Proof:
    """A kind of aggregate (`jobsite.session`), the path of one of them, and who may see what is left of it."""

    kind: str
    path: str
    scope: str
    tag: str


def endpoints(deletions: Deletions, proofs: Iterable[Proof]) -> tuple[Endpoint, ...]:
    """`<path>/deletion` for each."""
    return tuple(_endpoint(deletions, each) for each in proofs)


def _endpoint(deletions: Deletions, proof: Proof) -> Endpoint:
    context, _, aggregate = proof.kind.partition(".")
    parameter = proof.path.rpartition("{")[2].removesuffix("}")
    what = aggregate.replace("_", " ")

    async def show(call: Call[None, None]) -> Reply:
        report = await deletions.report(Key(context, aggregate, call.ids[parameter]))
        waiting = {} if report.status == "done" else {"Retry-After": "1"}
        return Reply(
            body=report,
            status=202 if waiting else 200,
            headers={"Cache-Control": "no-store", **waiting},
        )

    return Endpoint(
        method="GET",
        path=f"{proof.path}/deletion",
        handle=show,
        summary=f"What is left of a deleted {what}",
        description="Every place where something of it was. 202 while something is left, 200 once nothing is.",
        tag=proof.tag,
        scope=proof.scope,
        answer=DeletionView,
        refusals=(NotFound, Conflict),
    )
