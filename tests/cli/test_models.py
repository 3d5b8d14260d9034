"""`headwater migrate` and `rebuild`."""

import asyncpg

from app.contexts import READ_MODELS
from tests.deployment import Deployment
from tests.jobsite.uploads import completed, get, sound


async def test_migrating_again_changes_nothing(deployment: Deployment) -> None:
    for _ in range(2):
        migrated = await deployment.cli("migrate")
        assert (migrated.status, migrated.out) == (0, f"read models are there: {', '.join(READ_MODELS)}\n"), (
            migrated.err
        )


async def test_rows_that_are_not_as_the_log_has_them_are_found_and_mended(deployment: Deployment) -> None:
    async with deployment.client() as http:
        taken = await completed(http, sound(), title="As it was")
        db = await asyncpg.connect(deployment.environment["DATABASE_URL"])
        changed = "update jobsite.sessions set title = 'As it never was' where id = $1"
        await db.execute(changed, taken["sessionId"])
        await db.close()
        compared = await deployment.cli("rebuild", "jobsite", "--dry-run")
        assert compared.status == 1
        [differing] = [line for line in compared.out.splitlines() if "DIFFERS" in line]
        assert differing.split()[0] == "sessions"
        assert (await get(http, f"/v1/sessions/{taken['sessionId']}"))["title"] == "As it never was"
        assert (await deployment.cli("rebuild", "jobsite")).status == 0
        assert (await get(http, f"/v1/sessions/{taken['sessionId']}"))["title"] == "As it was"
    assert (await deployment.cli("rebuild", "all", "--dry-run")).status == 0


async def test_a_read_model_that_does_not_exist_is_named(deployment: Deployment) -> None:
    mistaken = await deployment.cli("rebuild", "gardens")
    assert mistaken.status == 1
    assert mistaken.err == f"There is no read model gardens; there are {', '.join(READ_MODELS)}.\n"
