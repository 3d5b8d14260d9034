"""Rules of a collection."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from events.envelope import Event
from events.knowledge import (
    CollectionDeleted,
    CollectionDescribed,
    CollectionNameFreed,
    CollectionRenamed,
    IndexBegun,
    IndexDropped,
    IndexPromoted,
    IndexReverted,
)
from handlers.knowledge.collection.decide import (
    COLLECTIONS,
    ChangeCollection,
    DeleteCollection,
    DropIndex,
    PromoteIndex,
    RevertIndex,
)
from handlers.refusals import Conflict, NotFound
from tests.knowledge.facts import BEGUN, COLLECTION, CREATED, CUT, SMALL, begin, create
from tests.rules import Given
from tests.rules import given as given_of

promote = PromoteIndex(collection_id=COLLECTION, number=2)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
revert = RevertIndex(collection_id=COLLECTION, at=NOON)
delete = DeleteCollection(collection_id=COLLECTION)
PROMOTED = IndexPromoted(collection_id=COLLECTION, number=2, before=1)
REVERTED = IndexReverted(collection_id=COLLECTION, number=1, before=2)
FREED, GONE = (
    CollectionNameFreed(collection_id=COLLECTION, title="papers"),
    CollectionDeleted(collection_id=COLLECTION),
)


def given(*past: Event) -> Given:
    return given_of(COLLECTIONS, *past)


def drop(number: int) -> DropIndex:
    return DropIndex(collection_id=COLLECTION, number=number)


def test_a_collection_is_made_once() -> None:
    given().when(create, create).then(CREATED)


def test_a_new_name_is_claimed_and_the_old_one_set_free() -> None:
    change = ChangeCollection(collection_id=COLLECTION, title="letters", description="Old ones")
    renamed = CollectionRenamed(collection_id=COLLECTION, title="letters", before="papers")
    described = CollectionDescribed(collection_id=COLLECTION, description="Old ones")
    given(CREATED).when(change, change).then(renamed, described)
    assert (renamed.claims, renamed.releases) == (
        (*replace(CREATED, title="letters").claims,),
        CREATED.claims,
    )


def test_a_deleted_collection_frees_its_name_before_its_tombstone_which_tells_nothing() -> None:
    given(CREATED).when(delete, delete).then(FREED, GONE)
    assert FREED.releases == CREATED.claims
    assert not GONE.releases


def test_nothing_happens_to_a_collection_that_is_not_there() -> None:
    for past in ((), (CREATED, FREED, GONE)):
        given(*past).when(begin).refused(NotFound, "COLLECTION_NOT_FOUND")
    given(CREATED, FREED, GONE).when(create).then()


def test_an_index_is_built_promoted_and_reverted() -> None:
    given(CREATED).when(begin, promote, revert, promote).then(BEGUN, PROMOTED, REVERTED, PROMOTED)


def test_an_index_keeps_what_is_not_said_as_it_is() -> None:
    bare = replace(begin, embedder=None, chunking=None)
    given(CREATED).when(bare).then(replace(BEGUN, embedder="minilm", chunking=None))
    third = IndexBegun(collection_id=COLLECTION, number=3, embedder="words", chunking=SMALL)
    dropped = IndexDropped(collection_id=COLLECTION, number=1, embedder="minilm")
    given(CREATED, BEGUN, PROMOTED).when(bare).then(dropped, third)


def test_one_index_is_built_at_a_time() -> None:
    given(CREATED, BEGUN).when(begin).refused(Conflict, "REINDEX_UNDER_WAY")


def test_only_a_candidate_is_promoted_and_only_once() -> None:
    given(CREATED).when(promote).refused(Conflict, "NO_SUCH_CANDIDATE")
    given(CREATED, BEGUN, PROMOTED).when(promote).then()


def test_there_must_be_something_to_revert_to() -> None:
    given(CREATED, BEGUN).when(revert).refused(Conflict, "NOTHING_TO_REVERT")


def test_a_promotion_is_reverted_until_its_grace_is_over_whenever_the_index_before_is_dropped() -> None:
    kept = replace(PROMOTED, kept_until=NOON)
    given(CREATED, BEGUN).when(replace(promote, kept_until=NOON)).then(kept)
    in_time = replace(revert, at=NOON - timedelta(microseconds=1))
    given(CREATED, BEGUN, kept).when(in_time).then(REVERTED)
    given(CREATED, BEGUN, kept).when(revert).refused(Conflict, "NOTHING_TO_REVERT")
    given(CREATED, BEGUN, kept, REVERTED, PROMOTED).when(revert).then(REVERTED)


def test_the_index_that_answers_is_never_dropped() -> None:
    given(CREATED, BEGUN).when(drop(1)).refused(Conflict, "INDEX_ANSWERS")
    dropped = IndexDropped(collection_id=COLLECTION, number=2, embedder="words")
    given(CREATED, BEGUN).when(drop(2), drop(2)).then(dropped)


def test_the_next_index_never_shares_its_table_with_the_one_that_answers() -> None:
    dropped = IndexDropped(collection_id=COLLECTION, number=2, embedder="words")
    given(CREATED, BEGUN, dropped).when(begin).then(replace(BEGUN, number=4))
    assert CUT != SMALL
