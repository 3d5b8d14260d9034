"""`python -m tests.golden` makes the golden file of every event that has none, and leaves alone what is there.

A golden file holds an event as somebody's log may hold it, so it is neither edited nor deleted once it is committed.
The values of a new one are made up after the types of its fields: look at them first, and give them better ones.
"""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import inspect

from app import contexts
from events.catalogue import Catalogue

TESTS = Path(__file__).parent
CATALOGUE = Catalogue(contexts.EVENTS, contexts.UPCASTS)


def golden_of(name: str, tests: Path = TESTS) -> Path:
    """`jobsite.session.transcribed.v2` is in `tests/jobsite/golden/session.transcribed.v2.json`."""
    context, _, event = name.partition(".")
    return tests / context / "golden" / f"{event}.json"


def lifted_of(name: str, tests: Path = TESTS) -> Path:
    """What an event of an older version is read as: `….transcribed.lifted.json`, beside it."""
    return golden_of(name, tests).with_suffix(".lifted.json")


def add_missing(catalogue: Catalogue, tests: Path) -> Iterator[Path]:
    """Make what is missing, and only that."""
    for name, kind in catalogue.types.items():
        golden, lifted = golden_of(name, tests), lifted_of(name, tests)
        if not golden.exists():
            yield written(golden, sample(inspect.type_info(kind), kind.name, count(1)))
        event = catalogue.decode(name, golden.read_bytes())
        if type(event) is not kind and not lifted.exists():
            yield written(lifted, json.loads(catalogue.encode(event)))


def written(path: Path, values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x") as file:
        json.dump(values, file, indent=2, ensure_ascii=False)
        file.write("\n")
    return path


def sample(kind: inspect.Type, field: str, ids: Iterator[int]) -> Any:  # noqa: PLR0911 - a list of cases
    """A value as JSON has it, never the default, so that the test sees a field that is lost."""
    match kind:
        case inspect.StructType(fields=fields):
            return {each.encode_name: sample(each.type, each.name, ids) for each in fields}
        case inspect.UnionType(types=types):
            return sample(next(each for each in types if not isinstance(each, inspect.NoneType)), field, ids)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return [sample(item, field, ids)]
        case inspect.TupleType(item_types=items):
            return [sample(each, field, ids) for each in items]
        case inspect.DictType(value_type=value):
            return {field: sample(value, field, ids)}
        case inspect.LiteralType(values=values):
            return values[-1]
        case inspect.UUIDType():
            return str(UUID(int=(0x0199C0DE << 96) | (0x7 << 76) | (0x8 << 60) | next(ids)))
        case inspect.DateTimeType():
            return "2026-11-16T07:30:00Z"
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return 3
        case inspect.FloatType():
            return 1.5
        case inspect.StrType():
            return next(ids).to_bytes(32).hex() if field in {"blob", "html"} else field.replace("_", " ")
    raise TypeError(f"{field} is of a type that has no sample here: {kind}")


if __name__ == "__main__":
    for path in add_missing(CATALOGUE, TESTS):
        print(f"made {path.relative_to(TESTS.parent)}: look at it, give it better values, commit it")
