"""Query strings and form fields, decoded into structs."""

import math
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec
from msgspec.inspect import (
    FrozenSetType,
    ListType,
    SetType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)
from multidict import MultiMapping

from app.http.bodies import invalid
from app.http.problems import Malformed

Shape = type[msgspec.Struct]


def query_reader(shape: Shape | None) -> Callable[[MultiMapping[str]], Any]:
    """A function from a query string to `shape`; unknown and malformed parameters are refused by name.

    A parameter may be repeated where the struct has a list. Without a shape no parameter is taken.
    """
    lists = {name: _is_list(kind) for name, kind in _fields(shape).items()} if shape else {}

    def read(query: MultiMapping[str]) -> Any:
        values: dict[str, Any] = {}
        for name in query:
            if name not in lists:
                raise _unknown(name, lists)
            given = query.getall(name)
            if not lists[name] and len(given) > 1:
                raise Malformed("INVALID_PARAMETER", f"{name} is given {len(given)} times.", field=name)
            values[name] = (
                [_storable(name, each) for each in given] if lists[name] else _storable(name, given[0])
            )
        return convert(values, shape) if shape else None

    return read


def convert(texts: Any, shape: Any) -> Any:
    """Texts to a struct, or one text to a plain type; what does not fit is refused by name."""
    try:
        result = msgspec.convert(texts, shape, strict=False)
    except msgspec.ValidationError as error:
        refusal = invalid("INVALID_PARAMETER", error, shape)
        raise Malformed(refusal.code, refusal.detail, field=refusal.field) from None
    for name, value in _members(result):
        if isinstance(value, float) and not math.isfinite(value):
            raise Malformed("INVALID_PARAMETER", f"{name} must be a finite number.", field=name)
    return result


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    """The names that clients use, with what was read for each."""
    if isinstance(value, msgspec.Struct):
        return [
            (each, getattr(value, own))
            for own, each in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        ]
    return [("this", value)]


def printable(text: str) -> str:
    """The beginning of a client's text, fit for a message."""
    return text[:64].encode("ascii", "backslashreplace").decode()


def _storable(name: str, text: str) -> str:
    """The text, if a database could keep it."""
    if "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise Malformed(
            "INVALID_PARAMETER", f"{name} is not UTF-8, or holds the character U+0000.", field=name
        )
    return text


def _unknown(name: str, known: Iterable[str]) -> Malformed:
    allowed = ", ".join(known)
    there_are = f"there are {allowed}" if allowed else "there are none"
    shown = printable(name)
    return Malformed("UNKNOWN_PARAMETER", f"There is no parameter {shown} here; {there_are}.", field=shown)


def _fields(shape: Shape) -> dict[str, Type]:
    info = cast(StructType, type_info(shape))
    return {each.encode_name: each.type for each in info.fields}


def _is_list(kind: Type) -> bool:
    if isinstance(kind, UnionType):
        return any(map(_is_list, kind.types))
    return isinstance(kind, ListType | VarTupleType | SetType | FrozenSetType)
