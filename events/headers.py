"""The headers of a message in the log as they are stored: a block of lines, in which each is found when asked for.

A replay asks every event for two of its dozen headers. Reading all of them was a sixth of its time.
"""

import re
from collections.abc import Iterator, Mapping

NAME = re.compile(r"\r\n([^:\r\n]+):")


class Headers(Mapping[str, str]):
    """`NATS/1.0`, then one `Name: value` a line. Of a name that is there twice, the first counts."""

    def __init__(self, block: bytes) -> None:
        self.text = block.decode(errors="replace")

    def __getitem__(self, name: str) -> str:
        _, found, rest = self.text.partition(f"\r\n{name}:")
        if not found:
            raise KeyError(name)
        return rest[: rest.index("\r")].strip()

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(NAME.findall(self.text)))

    def __len__(self) -> int:
        return len(set(NAME.findall(self.text)))
