"""What was meant by what was said: the contents of the blobs that `understood` and `summarised` name."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from events.jobsite import Place
from infra.speech import Transcript

CommandKind = Literal["job", "builder", "action_item", "note"]
DiscrepancyKind = Literal["quantity", "statement"]


class SpokenCommand(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that was said to Headwater and not to people: `action item order forty sheets by Friday`."""

    kind: CommandKind
    text: str
    """What it is about: the name of a job or builder, what is to be done, what the office must know."""
    owner: str | None = None
    due: date | None = None
    quote: str
    """The words, as the transcript has them."""
    place: Place
    """Where they stand in the transcript's full text (`infra/chunking.full_text` of the corrected segments)."""


class Understanding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A transcript with its commands told apart."""

    transcript: Transcript
    """With all corrections that were known."""
    commands: tuple[SpokenCommand, ...] = ()
    kept: tuple[tuple[int, int], ...] = ()
    """What is left of the transcript's full text, as stretches of characters, in order."""
    text: str = ""
    """Those stretches, put together: the note itself."""
    method: str = "grammar"


class Quote(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Words of a source, with their place in it."""

    source: Literal["session", "attachment"]
    source_id: UUID
    title: str
    """What people call the source."""
    text: str
    place: Place


class Discrepancy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Two sources that do not agree. Its id derives from what they say, so that it is found again as the same."""

    id: UUID
    kind: DiscrepancyKind
    about: str
    """The thing that they speak of, such as `drywall sheets`."""
    detail: str
    """The contradiction in a sentence."""
    said: Quote
    against: Quote
    method: str


class ProposedItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something to do that a summary found beyond the spoken commands."""

    id: UUID
    text: str
    owner: str | None = None
    due: date | None = None
    quote: str
    place: Place
    method: str


class Summary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A recording summed up."""

    text: str
    sentences: tuple[Quote, ...] = ()
    """Where it comes from: of an extractive summary the sentences themselves."""
    action_items: tuple[ProposedItem, ...] = ()
    discrepancies: tuple[Discrepancy, ...] = ()
    notes: tuple[str, ...] = ()
    """What was said for the office."""
    method: str
