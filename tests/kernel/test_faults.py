"""What the log promises when a node of its cluster dies."""

import asyncio
import random
from uuid import UUID

from events.ids import new_id
from handlers.commands import Commands
from handlers.refusals import Unavailable
from infra import jetstream, streams
from infra.jetstream import LogUnavailable
from infra.log import Log
from tests.kernel.ledger import Ledger, Pay, intent, new_ledger
from tests.kernel.wiring import connections, until
from tests.kernel.writing import amounts, write


async def leader_of(nc, stream: str, nodes):
    """The node that leads a stream."""
    name = (await jetstream.api(nc, f"STREAM.INFO.{stream}"))["cluster"]["leader"]
    return next(node for node in nodes if node._node.name == name)


async def until_whole(nc, stream: str) -> None:
    """Wait until every replica of a stream is back: a node that has started is not at once one of the cluster."""

    async def whole() -> bool:
        try:
            replicas = (await jetstream.api(nc, f"STREAM.INFO.{stream}"))["cluster"]["replicas"]
        except LogUnavailable:
            return False
        return all(each["current"] and not each.get("offline") for each in replicas)

    await until(whole, within=30)


class Writer:
    """Pays ever higher amounts into an account, as a client does: when in doubt, the same command again."""

    def __init__(self, account: UUID, number: int, commands: Commands) -> None:
        self.account, self.number, self._commands = account, number, commands
        self.acknowledged: list[int] = []

    async def write(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            amount = 10_000 * self.number + len(self.acknowledged)
            await self._insist(Pay(account_id=self.account, amounts=(amount,) * (1 + amount % 2)))
            self.acknowledged += (amount,) * (1 + amount % 2)
            await asyncio.sleep(random.uniform(0, 0.02))  # who never pauses leaves another writer no chance

    async def _insist(self, command: Pay) -> None:
        why = intent()
        while True:
            try:
                await self._commands.execute(command, why)
                return
            except Unavailable:
                continue


async def follow(log: Log, ledger: Ledger, end: asyncio.Future[int]) -> list[int]:
    """Every position there is until the end is known and reached."""
    positions: list[int] = []
    async with log.reader(ledger.stream, after=0) as reader:
        while not end.done() or await reader.before(end.result()):
            positions += [each.position for each in await reader.take(1000, wait=0.1)]
    return positions


async def test_the_death_of_a_leader_costs_no_acknowledged_event(cluster):
    async with connections(",".join(node.url for node in cluster)) as connect:
        nc, ledger, shared = await connect(), new_ledger(), new_id()
        await streams.prepare(nc, [streams.context_stream(ledger.context, 3)])
        log, stop, end = (
            Log(nc, ledger.catalogue),
            asyncio.Event(),
            asyncio.get_running_loop().create_future(),
        )
        following = asyncio.create_task(follow(Log(await connect(), ledger.catalogue), ledger, end))
        writers = [
            Writer(account, number, Commands(Log(await connect(), ledger.catalogue), [ledger.decider]))
            for number, account in enumerate([new_id(), new_id(), new_id(), shared, shared])
        ]
        writing = [asyncio.create_task(each.write(stop)) for each in writers]

        async def have_written(*goals: int) -> None:
            async def so() -> bool:
                return all(len(each.acknowledged) > goal for each, goal in zip(writers, goals, strict=True))

            await until(so, within=30)

        await have_written(*[30] * 5)
        leader = await leader_of(nc, ledger.stream, cluster)
        leader.kill()
        await have_written(*[len(each.acknowledged) + 10 for each in writers])
        await leader.start()
        stop.set()
        await asyncio.gather(*writing)
        await until_whole(nc, ledger.stream)
        end.set_result(await log.last_position(ledger.stream))
        assert await following == list(range(1, end.result() + 1))
        for each in writers:
            history = amounts(await log.load(ledger.key(each.account)))
            assert [amount for amount in history if amount // 10_000 == each.number] == each.acknowledged


async def test_a_client_that_knew_one_node_goes_on_with_the_others(cluster):
    async with connections(cluster[0].url) as connect:
        nc, ledger = await connect(), new_ledger()
        await streams.prepare(nc, [streams.context_stream(ledger.context, 3)])
        leader = await leader_of(nc, ledger.stream, cluster)
        node = next(each for each in cluster if each is not leader)
        async with connections(node.url) as connect_there:
            log, account = Log(await connect_there(), ledger.catalogue), new_id()
            past = await write(log, ledger, account, 1, 2)
            async with log.reader(ledger.stream, after=0) as reader:
                await reader.open()
                node.kill()
                try:
                    await write(log, ledger, account, 1, 2, past=past)
                    assert amounts(await log.load(ledger.key(account))) == list(range(6))
                    positions = []
                    async with asyncio.timeout(60):
                        while len(positions) < 6:
                            positions += [each.position for each in await reader.take(10)]
                    assert positions == past
                finally:
                    await node.start()
                    await until_whole(nc, ledger.stream)
