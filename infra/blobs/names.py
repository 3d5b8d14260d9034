"""Which blobs an event names: every value of it that reads as the key of one."""

import re
from functools import cache
from typing import NamedTuple

import msgspec
from msgspec import inspect

from events.envelope import Event

KEY = re.compile(r"[0-9a-f]{64}")
KEYS = re.compile(rb'"([0-9a-f]{64})"')
NO_TEXT = (
    inspect.BoolType,
    inspect.DateTimeType,
    inspect.FloatType,
    inspect.IntType,
    inspect.NoneType,
    inspect.UUIDType,
)

_encode = msgspec.json.Encoder().encode


def named(event: Event) -> frozenset[str]:
    """The keys of the blobs that an event brought or refers to.

    What it brought it says itself (`Event.blobs`); looking at every value as well, nothing is erased that anybody still
    refers to, and nothing is left because somebody forgot to say so.
    """
    fields = _fields(type(event))
    found = set(event.blobs)
    for name in fields.texts:
        text = getattr(event, name)
        if text and len(text) == 64 and KEY.fullmatch(text):
            found.add(text)
    if fields.others:
        inside = _encode([getattr(event, name) for name in fields.others])
        found.update(key.decode() for key in KEYS.findall(inside))
    return frozenset(found.difference(event.forgets))


class Fields(NamedTuple):
    """The fields of an event that may name a blob: those that are a text or nothing, and those with more in them."""

    texts: tuple[str, ...]
    others: tuple[str, ...]


@cache  # a replay asks of every event
def _fields(kind: type[Event]) -> Fields:
    texts, others = list[str](), list[str]()
    shape = inspect.type_info(kind)
    assert isinstance(shape, inspect.StructType)  # noqa: S101 (for the type checker: events are structs)
    for field in shape.fields:
        may_be = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        holding = [each for each in may_be if not isinstance(each, NO_TEXT)]
        if all(isinstance(each, inspect.StrType | inspect.NoneType) for each in may_be):
            texts.append(field.name)
        elif holding:
            others.append(field.name)
    return Fields(tuple(texts), tuple(others))
