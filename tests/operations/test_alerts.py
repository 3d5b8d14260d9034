"""Alerts as they are listed: those that stand first, then the newest, page by page."""

from uuid import UUID

from events.envelope import Intent
from events.ids import new_id
from handlers.commands import Commands
from handlers.operations.decide import ALERTS, ClearAlert, RaiseAlert
from tests.deployment import Deployment
from tests.handlers.workshop import now


def intent() -> Intent:
    command_id = new_id()
    return Intent(command_id=command_id, actor="tests", at=now(), correlation_id=command_id)


async def test_alerts_come_in_pages_with_those_that_stand_before_those_that_are_over(
    deployment: Deployment,
) -> None:
    over, older, newer = (new_id() for _ in range(3))
    async with deployment.log() as log, deployment.client() as http:
        commands = Commands(log, [ALERTS])
        for alert in (over, older, newer):
            raised = RaiseAlert(alert_id=alert, kind="test", subject="a test", detail="nothing is wrong")
            await commands.execute(raised, intent())
        last = await commands.execute(ClearAlert(alert_id=over), intent())
        after = {"Headwater-After": last.cursor}
        listed: list[UUID] = []
        page = {"nextCursor": ""}
        while page["nextCursor"] is not None:
            query = f"&cursor={page['nextCursor']}" if page["nextCursor"] else ""
            async with http.get(f"/v1/alerts?limit=1{query}", headers=after) as answer:
                page = await answer.json()
            listed += [UUID(each["id"]) for each in page["items"]]
        async with http.get("/v1/alerts?standing=true&limit=200", headers=after) as answer:
            standing = {UUID(each["id"]) for each in (await answer.json())["items"]}
        for alert in (older, newer):
            await commands.execute(ClearAlert(alert_id=alert), intent())
    ours = [each for each in listed if each in {over, older, newer}]
    assert ours == [newer, older, over]
    assert standing & {over, older, newer} == {older, newer}
