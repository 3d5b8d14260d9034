"""What a stop that is not heard ends in."""

import json
import signal
import subprocess
import sys

STUBBORN = """
import asyncio
from app.cli import running
from infra.telemetry import logs

async def forgetful():
    print("ready", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

running.STOP_WITHIN = 0.1
logs.setup("info", process="test")
running.until_stopped(forgetful())
"""


def test_what_does_not_stop_is_broken_off_and_told_of() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    told = json.loads(said)
    assert (told["level"], told["message"]) == ("error", "broken off")
    assert any("at sleep, line" in each for each in told["atWork"])


WORDY = """
from app.cli import running

async def talk():
    for n in range(100_000):
        print(n)
    return 0

raise SystemExit(running.once(talk()))
"""


def test_who_has_read_enough_is_told_nothing_more() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORDY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""
    assert process.returncode == 1
