"""What must be true in the end: every recording that was accepted went through all its stages, each of them once."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.deployment import Deployment
from tests.jobsite.uploads import LIFE, get
from tests.load.world import World

ONCE = (*LIFE, "indexed")
TROUBLE = {("dead_letter", "recorded"), ("alert", "raised")}


async def broken(deployment: Deployment, world: World, *, since: int) -> list[str]:
    """Promises that were not kept, in words. `since` is where OPERATIONS was at the beginning."""
    found: list[str] = []
    async with deployment.client() as http:
        for each in world.accepted:
            status = await get(http, each["statusUrl"])
            if status["status"] != "completed":
                found.append(f"session {each['sessionId']} is {status['status']}: {status['stages']}")
    lives: dict[str, list[str]] = defaultdict(list)
    async with deployment.log() as log:
        async for recorded in log.scan("JOBSITE"):
            lives[str(recorded.event.key.id)].append(recorded.event.name)
        async for recorded in log.scan("OPERATIONS", after=since):
            if (recorded.event.key.aggregate, recorded.event.name) in TROUBLE:
                found.append(f"{recorded.cursor}: {recorded.event}")
    ids = [each["sessionId"] for each in world.accepted]
    found += [f"session {id} was accepted {n} times" for id, n in Counter(ids).items() if n > 1]
    return found + [f"session {id}: {odd}" for id in ids if (odd := _odd(lives[id]))]


def _odd(names: Sequence[str]) -> str:
    """Stages that did not happen exactly once, or failed."""
    counts = Counter(names)
    wrong = [f"{name} {counts[name]} times" for name in ONCE if counts[name] != 1]
    return ", ".join([*wrong, *(name for name in names if name.endswith("failed"))])
