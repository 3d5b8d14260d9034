"""Who and what is meant, what a model may say, and what is answered to the log."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest

from events.jobsite import BuilderAdded, BuilderRenamed, JobAdded, JobDeleted
from handlers.jobsite.builder.decide import AddBuilder
from handlers.jobsite.directory import Job, Names, meant
from handlers.jobsite.hearing import Heard, HeardCommand, by_model
from handlers.jobsite.job.decide import AddJob
from handlers.jobsite.similarity import similarity
from infra.generation import Usage
from infra.speech import Segment, Transcript

SESSION, BUILDER, JOB, OTHER = (UUID(int=n) for n in range(1, 5))
TODAY = date(2026, 11, 16)
NAMES = Names({BUILDER: "Hendricks"}, {JOB: Job("Maple Street", BUILDER)})


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("Maple Street", "maple  STREET.", 1, 1),
        ("Hendricks", "hendrix", 0.4, 0.7),
        ("Maple Street", "Mabel Street", 0.5, 0.8),
        ("Maple Street", "Oak Avenue", 0, 0.1),
        ("", "", 0, 0),
        ("Hendricks", "", 0, 0),
    ],
)
def test_names_are_alike_by_their_trigrams(one: str, other: str, least: float, most: float) -> None:
    assert least <= similarity(one, other) <= most
    assert similarity(one, other) == similarity(other, one)


def test_the_same_name_however_it_is_written_is_the_same_job() -> None:
    found = meant(SESSION, "maple street", "HENDRICKS", NAMES)
    assert found == (BUILDER, JOB, (), ())
    assert meant(SESSION, "Maple Street", None, NAMES) == (BUILDER, JOB, (), ())


def test_what_was_not_there_is_added_and_near_names_are_only_suggested() -> None:
    found = meant(SESSION, "Mabel Street", "Hendrix", NAMES)
    builder, job = found.added
    assert isinstance(builder, AddBuilder)
    assert isinstance(job, AddJob)
    assert (builder.title, job.title, job.builder_id) == ("Hendrix", "Mabel Street", builder.builder_id)
    assert (found.builder_id, found.job_id) == (builder.builder_id, job.job_id)
    assert [(each.kind, each.id, each.name) for each in found.suggestions] == [
        ("builder", BUILDER, "Hendricks"),
        ("job", JOB, "Maple Street"),
    ]
    assert meant(SESSION, "Mabel Street", "Hendrix", NAMES) == found


def test_a_job_that_several_builders_have_is_nobodys_until_people_say_whose() -> None:
    names = Names({BUILDER: "Hendricks"}, {JOB: Job("Mill", BUILDER), OTHER: Job("Mill", None)})
    found = meant(SESSION, "Mill", None, names)
    assert (found.job_id, found.added, [each.id for each in found.suggestions]) == (None, (), [JOB, OTHER])
    assert meant(SESSION, "Mill", "Hendricks", names).job_id == JOB


def test_recordings_that_name_the_same_new_job_at_once_add_one_and_a_name_that_was_given_up_another() -> None:
    first = meant(SESSION, "Oak Lane", "Smith", NAMES)
    other = meant(OTHER, "oak lane.", "SMITH", NAMES)
    assert (first.builder_id, first.job_id) == (other.builder_id, other.job_id)
    assert first.job_id
    assert first.builder_id
    names = Names()
    names.learn(BuilderAdded(builder_id=first.builder_id, title="Smith"))
    names.learn(JobAdded(job_id=first.job_id, title="Oak Lane", builder_id=first.builder_id))
    assert meant(OTHER, "Oak Lane", "Smith", names) == (first.builder_id, first.job_id, (), ())
    names.learn(JobDeleted(job_id=first.job_id))
    again = meant(OTHER, "Oak Lane", "Smith", names)
    assert again.job_id not in {None, first.job_id}
    names.learn(BuilderRenamed(builder_id=first.builder_id, title="Smythe", was="Smith"))
    assert meant(OTHER, None, "Smith", names).builder_id not in {None, first.builder_id}


def test_names_are_learned_and_forgotten_from_the_log() -> None:
    names = Names()
    names.learn(JobAdded(job_id=JOB, title="Mill"))
    assert names.jobs == {JOB: Job("Mill", None)}


class Model:
    """A model that answers what it is told to."""

    model = "test"

    def __init__(self, *commands: HeardCommand) -> None:
        self.heard = Heard(commands=list(commands))
        self.asked: list[Any] = []

    async def structured(self, turns: Any, shape: Any, *, model: str | None = None) -> tuple[Heard, Usage]:
        self.asked.append(turns)
        return self.heard, Usage()


def note(*lines: str) -> Transcript:
    return Transcript(
        tuple(Segment(line, 3.0 * n, 3.0 * n + 2) for n, line in enumerate(lines)), "en", 60.0, "t"
    )


async def test_a_model_is_believed_only_what_stands_in_the_note() -> None:
    model: Any = Model(
        HeardCommand(kind="job", text="maple street", quote="job Maple Street"),
        HeardCommand(
            kind="action_item",
            text="order drywall",
            owner=" Mike ",
            due="2026-11-20",
            quote="order  drywall!",
        ),
        HeardCommand(kind="action_item", text="order drywall", quote="order drywall"),
        HeardCommand(kind="note", text="call", due="friday", quote="nobody said this"),
        HeardCommand(kind="action_item", text="paint", due="friday", quote="paint it!"),
    )
    found = await by_model(
        note("This is job maple street.", "Mike, order drywall.", "And paint it."), TODAY, model
    )
    assert [(each.kind, each.text, each.owner, each.quote) for each in found.commands] == [
        ("job", "Maple Street", None, "job maple street"),
        ("action_item", "Order drywall", "Mike", "order drywall"),
        ("action_item", "Paint", None, "paint it"),
    ]
    assert [each.due for each in found.commands] == [None, date(2026, 11, 20), date(2026, 11, 20)]
    assert found.method == "model:test"
    assert "2026-11-16" in model.asked[0][0].content


async def test_a_long_note_is_read_in_parts_of_whole_sentences() -> None:
    model: Any = Model()
    lines = [f"We looked at window {n} and it was fine so far as anyone could tell." for n in range(400)]
    found = await by_model(note(*lines), TODAY, model)
    parts = [turns[1].content.strip() for turns in model.asked]
    assert len(parts) > 1
    assert "\n".join(parts) == "\n".join(lines) == found.text


def test_what_a_model_may_answer_is_bounded() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"commands":[{"kind":"demolish","text":"x","quote":"x"}]}', type=Heard)
