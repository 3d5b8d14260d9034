"""`python -m tests.load [--sphinx] [--quick]`: put a Headwater under load, and print how long each endpoint takes."""

import argparse
import os
import sys

import uvloop

from app.cli.running import spare_collections
from tests.bench.ground import say
from tests.deployment import deployed
from tests.generation.ollama_server import MODEL as WRITER
from tests.generation.ollama_server import ollama_server
from tests.load.model import writing
from tests.load.recordings import recordings
from tests.load.report import table, verdict
from tests.load.running import QUICK, Found, Size, load
from tests.load.world import SAID
from tests.speech.whisper_server import MODEL as LISTENER

PACE = 0.1
"""Seconds that the speech server works for each second of sound."""


async def run(size: Size, *, sphinx: bool, durable: bool) -> Found:
    """The load on a Headwater of its own; `durable` servers wait for the disk, as users' do."""
    async with ollama_server() as ollama:
        settings = {"OLLAMA_URL": ollama.url, "OLLAMA_MODEL": WRITER}
        if sphinx:
            settings |= {"WHISPER_URL": "", "WHISPER_MODEL": ""}
        async with deployed(durable=durable, **settings) as deployment:
            deployment.whisper.says[LISTENER], deployment.whisper.pace = SAID, PACE
            with writing(ollama):
                return await load(deployment, size, recordings(deployment.home))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load",
        description="Uploads at once, chats and reads beside them, on real servers; models are scripted ones.",
    )
    parser.add_argument(
        "--sphinx", action="store_true", help="real pocketsphinx, not a scripted speech server"
    )
    parser.add_argument("--quick", action="store_true", help="two uploads: shows that it works, not how fast")
    parser.add_argument("--uploads", type=int, default=Size().uploads, help="of each of the twenty")
    parser.add_argument("--relaxed", action="store_true", help="servers do not wait for the disk")
    parser.add_argument("--burst", action="store_true", help="all twenty begin in the same instant")
    asked = parser.parse_args()
    size = QUICK if asked.quick else Size(uploads=asked.uploads, within=0.0 if asked.burst else Size().within)
    say(
        f"{size.crews} upload at a time, beginning within {size.within:.0f} s, {size.uploads} times; "
        f"{size.offices} read, {size.askers} ask, {size.talkers} talk"
    )
    before = os.getloadavg()[0]
    spare_collections()
    found = uvloop.run(run(size, sphinx=asked.sphinx, durable=not asked.relaxed))
    print(table(found.timings))
    heard = "pocketsphinx" if asked.sphinx else f"a scripted speech server, {PACE} s for a second of sound"
    synced = "nothing waits for the disk" if asked.relaxed else "every event and blob is synced"
    print(
        f"\n{found.accepted} recordings in {found.seconds:.0f} s, heard by {heard}; {synced}; {os.cpu_count()} cores; "
        f"load average {before:.1f} before, {os.getloadavg()[0]:.1f} after"
    )
    print("processor: " + ", ".join(f"{name} {spent:.1f} s" for name, spent in found.processor.items()))
    errors = [f"{name}: {why}" for name, all in found.timings.errors.items() for why in all]
    for line in [*errors[:20], *found.broken]:
        print(line)
    print(f"accepted recordings that are not through all stages exactly once: {len(found.broken)}")
    print(verdict(found.timings.taken))
    return 1 if errors or found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
