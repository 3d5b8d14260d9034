"""What may be said where only a few words are known, for refusals, which people read."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.inspect import (
    CollectionType,
    DictType,
    EnumType,
    LiteralType,
    Metadata,
    StructType,
    Type,
    UnionType,
    type_info,
)

_STEP = re.compile(r"[^.\[\]]+|\[[^\]]*\]")


def choices(shape: Any, place: str) -> tuple[str, ...]:
    """The words that `shape` knows at a place as msgspec writes it (`items[3].kind`); none where any will do."""
    return tuple(dict.fromkeys(map(str, _words(type_info(shape), _STEP.findall(place)))))


def _words(kind: Type, steps: Sequence[str]) -> Iterable[Any]:
    match kind:
        case Metadata():
            yield from _words(kind.type, steps)
        case UnionType():
            for each in kind.types:
                yield from _words(each, steps)
        case LiteralType() if not steps:
            yield from kind.values
        case EnumType() if not steps:
            yield from (each.value for each in kind.cls)
        case CollectionType() if steps:
            yield from _words(kind.item_type, steps[1:])
        case DictType() if steps:
            yield from _words(kind.value_type, steps[1:])
        case StructType() if steps == [kind.tag_field]:
            yield kind.tag
        case StructType() if steps:
            for field in kind.fields:
                if field.encode_name == steps[0]:
                    yield from _words(field.type, steps[1:])
