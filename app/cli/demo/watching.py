"""How far the stages are: a bar for each on a terminal, elsewhere a line for each change."""

import asyncio
import sys
import time
from collections.abc import Sequence

from tqdm import tqdm

from app.cli.demo.uploading import Sent
from app.client import Headwater
from app.jobsite.views import StageView
from infra.samples import PLAN, SITE_NOTE

LOOK = 0.2
"""Seconds between two looks."""
SILENT = 120.0
"""Seconds without any change after which nobody waits any longer."""
OVER = {"completed", "failed", "deleted"}
BAR = "{desc}{bar:24} {n:3.0f} %{postfix}"
WIDEST = 11
"""Letters of the longest stage's name, and a space."""


async def watch(headwater: Headwater, sent: Sent) -> None:
    """Until every stage of both has ended, well or not; or nothing has moved for long."""
    board, known, since = Board(), "", time.monotonic()
    while True:
        recording = await headwater.status(sent.session_id)
        plan = await headwater.attachment(sent.attachment_id)
        board.show(SITE_NOTE.name, recording.stages)
        board.show(PLAN.name, plan.stages)
        if {recording.status, plan.status} <= OVER:
            break
        if (now := repr((recording, plan.stages))) != known:
            known, since = now, time.monotonic()
        elif time.monotonic() - since > SILENT:
            board.close()
            print(f"\nNothing has changed for {SILENT:.0f} s; what is there so far:")
            return
        await asyncio.sleep(LOOK)
    board.close()


class Board:
    """The stages that are shown, below the name of what they are of."""

    def __init__(self) -> None:
        self._stages: dict[tuple[str, str], Stage] = {}

    def show(self, of: str, stages: Sequence[StageView]) -> None:
        for told in stages:
            if (of, told.stage) not in self._stages:
                self._stages[of, told.stage] = Stage(told.stage, of)
            self._stages[of, told.stage].show(told)

    def close(self) -> None:
        for stage in self._stages.values():
            stage.close()


class Stage:
    """How far a stage is, on the terminal."""

    def __init__(self, name: str, of: str) -> None:
        self._name = f"  {of:<{len(SITE_NOTE.name)}}  {name:<{WIDEST}}"
        self._told = ""
        self._bar = tqdm(total=100, desc=self._name, bar_format=BAR) if sys.stderr.isatty() else None

    def show(self, stage: StageView) -> None:
        told = _state(stage)
        if self._bar is not None:
            self._bar.set_postfix_str(told, refresh=False)
            self._bar.update(stage.progress - self._bar.n)
        elif told != self._told:
            print(f"{self._name}{told}", flush=True)
        self._told = told

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _state(stage: StageView) -> str:
    """An attempt that has failed, while the next is waited for, is told with its number."""
    again = f", attempt {stage.attempts} failed" if stage.error and stage.state == "processing" else ""
    return f"{stage.state}{again}"
