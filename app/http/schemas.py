"""JSON schemas of structs, for the descriptions of the API and of what it sends by itself."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

Schema = dict[str, Any]


class Schemas:
    """The schemas of some types, and the components that they refer to."""

    def __init__(self, types: Iterable[Any]) -> None:
        distinct = list(dict.fromkeys(types))
        schemas, components = self.plain(
            msgspec.json.schema_components(distinct, ref_template="#/components/schemas/{name}")
        )
        self._components: dict[str, Schema] = components
        self._of: dict[Any, Schema] = dict(zip(distinct, schemas, strict=True))

    def __getitem__(self, kind: Any) -> Schema:
        """The schema of a type: for a struct, a reference."""
        return self._of[kind]

    def resolved(self, kind: Any) -> Schema:
        """The schema that the reference of a struct leads to."""
        return self._components[_target(self._of[kind]["$ref"])]

    def used_in(self, document: Any, *kinds: Any) -> dict[str, Schema]:
        """The components that a document or one of the kinds refers to, directly or through others."""
        used: dict[str, Schema] = {}
        found = _references([document, *(self._of[each] for each in kinds)])
        while found:
            used |= {name: self._components[name] for name in found}
            found = _references(list(used.values())) - used.keys()
        return dict(sorted(used.items()))

    @staticmethod
    def plain(value: Any) -> Any:
        """A value as the JSON that it is sent as: no structs, no tuples."""
        return msgspec.json.decode(msgspec.json.encode(value))


def _target(reference: str) -> str:
    return reference.rpartition("/")[2]


def _references(document: Any) -> set[str]:
    text = msgspec.json.encode(document).decode()
    return {_target(each) for each in re.findall(r'"\$ref":"(#/components/schemas/[^"]+)"', text)}
