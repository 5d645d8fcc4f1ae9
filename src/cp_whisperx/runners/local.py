"""Each stage in a process of its own on this machine: its memory ends with it, and its peak is its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cp_whisperx.job import Job
from cp_whisperx.models.store import ENVIRONMENT
from cp_whisperx.runners import child
from cp_whisperx.stages import STAGES, find


class LocalRunner:
    name = "local"

    def __init__(self, models: Path, *, quiet: bool = False) -> None:
        """`models` is the root of the model store; `quiet` keeps all but warnings and errors off stderr."""
        self._models = models
        self._quiet = quiet

    def run(self, stage: str, job: Job) -> None:
        command = [sys.executable, "-m", "cp_whisperx.stages", stage, str(job.folder), "--stop-on-eof",
                   *(["--quiet"] if self._quiet else [])]
        environment = _without_others_secrets(stage) | {ENVIRONMENT: str(self._models), "HF_HUB_OFFLINE": "1"}
        code, said = child.run(command, environment)
        if code:
            raise child.ended(code, said, stage, job)


def _without_others_secrets(stage: str) -> dict[str, str]:
    """This process's environment less the keys that only other stages may use."""
    others = {name for one in STAGES for name in one.image.secrets} - set(find(stage).image.secrets)
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in others}
