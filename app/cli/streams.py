"""`headwater streams`."""

import argparse

import msgspec

from app import contexts
from app.main import standing
from app.places import places
from app.settings import Settings
from infra import backlog, streams


async def show_streams(settings: Settings, asked: argparse.Namespace) -> int:
    """Make the missing streams and show all; 1 when one has drifted."""
    where = places(settings)
    async with standing(settings, where, "streams") as kernel:
        names = [config["name"] for config in streams.all_streams(contexts.NAMES, settings.stream_replicas)]
        rows = await backlog.states(kernel.nc, names)
    for row in rows:
        drifted = [str(drift) for drift in kernel.drifts if drift.stream == row.stream]
        if asked.json:
            print(msgspec.json.encode({**msgspec.to_builtins(row), "drift": drifted}).decode())
            continue
        print(
            f"{row.stream:<13} {row.subjects:<16} {row.messages:>10} messages {row.size:>12} bytes  "
            f"positions {row.first}-{row.last}  {row.replicas} replica(s)  {row.storage}"
        )
        for line in drifted:
            print(f"  drifted: {line}. Headwater leaves it; mend it with `nats stream edit`.")
    return 1 if kernel.drifts else 0
