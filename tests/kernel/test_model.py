"""Any interleaving of writers, readers and stale beliefs behaves as a list with a guard does."""

import asyncio
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from events.ids import new_id
from infra import jetstream, streams
from infra.eraser import erase
from infra.log import Conflict, Log
from tests.kernel.ledger import Ledger, intent, new_ledger
from tests.kernel.writing import amounts, store

writers = st.integers(0, 2)
accounts = st.integers(0, 1)


class Machine(RuleBasedStateMachine):
    """Three writers with a connection each, two accounts, one stream; `model` is what the log should hold."""

    urls: str
    eraser_url: str
    replicas: int

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.ledger: Ledger = new_ledger()
        self.accounts: list[UUID] = [new_id(), new_id()]
        self.model: dict[int, tuple[int, int]] = {}  # position: account, amount; -1 for the tombstone
        self.beliefs: dict[tuple[int, int], list[int]] = {}
        self.deleted: set[int] = set()
        self.last = 0

    @initialize()
    def connect(self) -> None:
        async def connect() -> None:
            self.clients = [await jetstream.connect(self.urls, name="model") for _ in range(3)]
            self.eraser = await jetstream.connect(self.eraser_url, name="model")
            await streams.prepare(
                self.clients[0], [streams.context_stream(self.ledger.context, self.replicas)]
            )
            self.logs = [Log(each, self.ledger.catalogue) for each in self.clients]

        self.run(connect())

    def teardown(self) -> None:
        async def close() -> None:
            await asyncio.gather(*(each.close() for each in [*self.clients, self.eraser]))

        self.run(close())
        self.runner.close()

    def past(self, account: int) -> list[int]:
        return [at for at, (whose, _) in sorted(self.model.items()) if whose == account]

    def happened(self, account: int, amounts: list[int]) -> list[int]:
        positions = []
        for amount in amounts:
            self.last += 1
            self.model[self.last] = (account, amount)
            positions.append(self.last)
        return positions

    @rule(writer=writers, account=accounts)
    def load(self, writer: int, account: int) -> None:
        history = self.run(self.logs[writer].load(self.ledger.key(self.accounts[account])))
        past = self.past(account)
        assert [each.position for each in history] == past
        if account not in self.deleted:
            assert amounts(history) == [self.model[at][1] for at in past]
        self.beliefs[writer, account] = past

    @rule(writer=writers, account=accounts)
    def look_for_news(self, writer: int, account: int) -> None:
        known = self.beliefs.get((writer, account), [])
        past = self.past(account)
        if known and set(known) <= set(past):
            news = self.run(self.logs[writer].newer(self.ledger.key(self.accounts[account]), known[-1]))
            if news is not None:
                assert [each.position for each in news] == past[len(known) :]
                self.beliefs[writer, account] = past

    @rule(writer=writers, account=accounts, size=st.integers(1, 40))
    def append(self, writer: int, account: int, size: int) -> None:
        if account in self.deleted:
            return
        belief = self.beliefs.get((writer, account), [])
        new = list(range(self.last, self.last + size))
        events = self.ledger.paid(self.accounts[account], *new)
        appending = self.logs[writer].append(events, intent(), past=belief)
        if belief == self.past(account):
            recorded = self.run(appending)
            assert [each.position for each in recorded] == self.happened(account, new)
            self.beliefs[writer, account] = self.past(account)
        else:
            with pytest.raises(Conflict):
                self.run(appending)

    @rule(writer=writers, account=accounts)
    def append_as_another_tool_does(self, writer: int, account: int) -> None:
        if account not in self.deleted:
            position = self.run(store(self.clients[writer], self.ledger, self.accounts[account], self.last))
            assert [position] == self.happened(account, [self.last])

    @rule(writer=writers, account=accounts)
    def delete_and_erase(self, writer: int, account: int) -> None:
        past = self.past(account)
        if account in self.deleted or self.last < 60:
            return
        key, log = self.ledger.key(self.accounts[account]), self.logs[writer]
        tombstone = [self.ledger.Deleted(account_id=self.accounts[account])]
        self.run(log.append(tombstone, intent(), past=past))
        self.happened(account, [-1])
        self.deleted.add(account)
        assert self.run(erase(key, log=log, eraser=self.eraser)) == len(past)
        for at in past:
            del self.model[at]

    @rule(writer=writers, after=st.integers(0, 100), length=st.integers(0, 100))
    def scan(self, writer: int, after: int, length: int) -> None:
        async def scan() -> list[int]:
            found = self.logs[writer].scan(self.ledger.stream, after=after, until=after + length)
            return [each.position async for each in found]

        expected = [at for at in sorted(self.model) if after < at <= after + length]
        if self.replicas == 1 or not self.deleted:
            assert self.run(scan()) == expected
        else:  # a replica may not yet have erased
            assert set(expected) <= set(self.run(scan()))

    @invariant()
    def the_end_is_known(self) -> None:
        assert self.run(self.logs[0].last_position(self.ledger.stream)) == self.last


@pytest.mark.parametrize("examples", [12])
def test_the_log_behaves_like_its_model(nodes, examples):
    class OnTheseNodes(Machine):
        urls = ",".join(node.url for node in nodes)
        eraser_url = ",".join(node.eraser_url for node in nodes)
        replicas = len(nodes)

    run_state_machine_as_test(
        OnTheseNodes, settings=settings(max_examples=examples, stateful_step_count=25, deadline=None)
    )
