"""Whatever happens in whatever order, and wherever workers crash: nothing is left without what it belongs to."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from events.ids import derived_id
from events.knowledge import Chunking
from handlers.knowledge.collection.decide import (
    COLLECTIONS,
    BeginIndex,
    Collection,
    CreateCollection,
    DeleteCollection,
    DropIndex,
    PromoteIndex,
    RevertIndex,
)
from handlers.knowledge.document.commands import (
    CancelIngestion,
    ChangeMetadata,
    DeleteDocument,
    Reingest,
    RetryIngestion,
    UploadDocument,
)
from handlers.knowledge.document.decide import DOCUMENTS
from handlers.knowledge.document.state import Document
from tests.knowledge.world import MODEL, World, tables

CUT = Chunking(strategy="words", size=9, overlap=0)
SMALL = Chunking(strategy="words", size=5, overlap=0)
TEXTS = ("a single", "two words or more", "bad", "")

which = st.integers(0, 1000)
collections = st.integers(0, 1)
cuts = st.sampled_from([None, CUT, SMALL])


class Machine(RuleBasedStateMachine):
    """Two collections that are made, emptied and deleted while documents come and go and workers die."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.collections = [self.world.new_id(), self.world.new_id()]
        self.seen: list[UploadDocument] = []
        """Uploads whose collection was seen to exist, and that are not yet written."""
        for n, each in enumerate(self.collections):
            self.make(each)
            self.see(n, TEXTS[1])
            self.upload(0)

    def make(self, id: UUID) -> None:
        self.world.execute(
            CreateCollection(collection_id=id, title=str(id), description="", embedder="one", chunking=CUT)
        )

    @rule(n=collections, text=st.sampled_from(TEXTS))
    def see(self, n: int, text: str) -> None:
        collection_id = self.collections[n]
        if not isinstance(self.world.state(COLLECTIONS, collection_id), Collection):
            return
        blob = hashlib.sha256(text.encode()).hexdigest()
        self.world.blobs.stored[blob] = text.encode()
        generation = 0
        while True:
            id = derived_id(collection_id, blob, str(generation))
            if type(self.world.state(DOCUMENTS, id)).__name__ != "Deleted":
                break
            generation += 1
        self.seen.append(
            UploadDocument(
                document_id=id, collection_id=collection_id, ingestion_id=self.world.new_id(), blob=blob,
                size=len(text), media_type="text/plain", file_name=text, chunking=CUT, metadata={},
            )
        )  # fmt: skip

    @rule(n=which)
    def upload(self, n: int) -> None:
        if self.seen:
            self.world.execute(self.seen.pop(n % len(self.seen)))

    @rule(n=collections, text=st.sampled_from(TEXTS), rest=st.booleans())
    def put(self, n: int, text: str, rest: bool) -> None:
        """What usually happens."""
        self.see(n, text)
        self.upload(len(self.seen) - 1)
        if rest:
            self.world.settle()

    @rule(n=collections, anew=st.booleans(), sure=st.integers(0, 3))
    def delete_collection(self, n: int, anew: bool, sure: int) -> None:
        if sure < 3:
            return
        self.world.execute(DeleteCollection(collection_id=self.collections[n]))
        if anew:
            self.collections[n] = self.world.new_id()
            self.make(self.collections[n])

    @rule(n=which, what=st.sampled_from(["cancel", "retry", "again", "again", "relabel", "delete"]), cut=cuts)
    def change_document(self, n: int, what: str, cut: Chunking | None) -> None:
        ids = list(
            dict.fromkeys(each.event.key.id for each in self.world.log if each.event.aggregate == "document")
        )
        if not ids:
            return
        id = ids[n % len(ids)]
        state = self.world.state(DOCUMENTS, id)
        if not isinstance(state, Document):
            return
        orders: dict[str, Any] = {
            "delete": DeleteDocument(document_id=id),
            "cancel": CancelIngestion(document_id=id, ingestion_id=state.ingestion),
            "retry": RetryIngestion(document_id=id, ingestion_id=state.ingestion),
            "again": Reingest(document_id=id, ingestion_id=self.world.new_id(), chunking=cut),
            "relabel": ChangeMetadata(document_id=id, metadata={"n": n}),
        }
        self.world.execute(orders[what])

    @rule(
        n=collections,
        what=st.sampled_from(["begin", "begin", "promote", "revert", "drop"]),
        cut=cuts,
        to=which,
    )
    def change_index(self, n: int, what: str, cut: Chunking | None, to: int) -> None:
        id = self.collections[n]
        state = self.world.state(COLLECTIONS, id)
        if not isinstance(state, Collection):
            return
        orders: dict[str, Any] = {
            "begin": BeginIndex(collection_id=id, embedder=("one", "two")[to % 2], chunking=cut),
            "promote": PromoteIndex(collection_id=id, number=state.candidate or 0),
            "revert": RevertIndex(collection_id=id, at=datetime.now(UTC)),
            "drop": DropIndex(collection_id=id, number=state.candidate or state.previous or 0),
        }
        self.world.execute(orders[what])

    @rule(n=which)
    def work(self, n: int) -> None:
        if self.world.waiting:
            delivery = self.world.waiting[n % len(self.world.waiting)]
            self.world.run(delivery)

    @rule(n=which)
    def tell(self, n: int) -> None:
        if ready := [each for each in self.world.waiting if each.answer is not None]:
            self.world.tell(ready[n % len(ready)])

    @rule(n=which, told=st.integers(0, 2))
    def crash(self, n: int, told: int) -> None:
        if ready := [each for each in self.world.waiting if each.answer is not None]:
            self.world.tell(ready[n % len(ready)], most=told)

    @rule()
    def rest(self) -> None:
        """Nothing new happens until all is done."""
        self.world.settle()

    @rule(n=which)
    def work_and_tell(self, n: int) -> None:
        if self.world.waiting:
            delivery = self.world.waiting[n % len(self.world.waiting)]
            self.world.run(delivery)
            self.world.tell(delivery)

    def teardown(self) -> None:
        for each in self.seen:
            self.world.execute(each)
        self.world.settle()
        rows = tables(self.world.log, self.world.blobs)
        assert rows == tables(self.world.erased(), self.world.blobs)
        live = {key[0]: self.world.state(COLLECTIONS, key[0]) for key in rows["collections"]}
        documents = {key[0]: self.world.state(DOCUMENTS, key[0]) for key in rows["documents"]}
        assert all(isinstance(each, Document) for each in documents.values())
        for id, document in documents.items():
            assert document.collection_id in live, "a document without its collection"
            self.check_document(id, document, live[document.collection_id], rows)
        for table in MODEL.tables:
            for key in rows[table.name]:
                if "source_id" in table.columns or "document_id" in table.columns:
                    assert key[0] in documents, f"{table.name} without its document"

    def check_document(self, id: UUID, document: Any, collection: Any, rows: dict[str, Any]) -> None:
        status = rows["documents"][id,]["status"]
        assert status in {"completed", "failed", "cancelled"}, "stuck"
        if status != "completed":
            assert document.complete or not document.slots, "found, though it has never been complete"
            return
        assert {slot.number for slot in document.slots.values()} == set(collection.live)
        text = self.world.blobs.stored[document.blob].decode().split()
        for number, plan in collection.live.items():
            slot, size = document.slot(number), (plan.chunking or document.chunking).size
            assert (slot.embedder, slot.chunks, slot.parsed) == (plan.embedder, len(text), document.parsed)
            found = {
                key[1]: row["text"]
                for key, row in rows[f"chunks_{plan.embedder}_{'ab'[number % 2]}"].items()
                if key[0] == id
            }
            assert [found[n].split("/")[0] for n in sorted(found)] == text
            assert {each.split("/")[1] for each in found.values()} <= {str(size)}


def test_no_chunk_outlives_its_document_and_no_document_its_collection() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
