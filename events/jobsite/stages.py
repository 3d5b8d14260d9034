"""The stages of a recording, in their order, and what follows from what."""

from typing import Literal

Stage = Literal["transcribe", "understand", "summarise", "index", "report", "notify"]
Status = Literal["accepted", "processing", "completed", "failed"]

PIPELINE: tuple[Stage, ...] = ("transcribe", "understand", "summarise", "index", "report", "notify")
"""The stages every recording runs through, in the order of `Stage`: it is complete when all of them have ended well."""

BELOW: dict[Stage, tuple[Stage, ...]] = {
    "transcribe": ("understand", "summarise", "index", "report", "notify"),
    "understand": ("summarise", "index", "report", "notify"),
    "summarise": ("report", "notify"),
    "index": (),
    "report": ("notify",),
    "notify": (),
}
"""What has to be done again once a stage has another result. `summarise` and `index` run side by side."""
