"""Each stage in a process of its own on this machine: its memory ends with it, and its peak is its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from cp_whisperx.errors import INTERRUPTED, CpWhisperxError, RunnerError
from cp_whisperx.job import LOG, Job
from cp_whisperx.models.store import ENVIRONMENT
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
        # The pipe to its stdin closes with this process, however that ends: the stage never outlives it.
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdin and process.stdout
            try:
                said = process.stdout.read()
                code = process.wait()
            except KeyboardInterrupt:
                process.terminate()
                process.wait()
                raise
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code:
            raise ended(code, said, stage, job)


def _without_others_secrets(stage: str) -> dict[str, str]:
    """This process's environment less the keys that only other stages may use."""
    others = {name for one in STAGES for name in one.image.secrets} - set(find(stage).image.secrets)
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in others}


def ended(code: int, said: bytes, stage: str, job: Job) -> CpWhisperxError:
    """The error of a stage that ended with `code` and printed `said`."""
    lines = said.decode(errors="replace").strip().splitlines()
    if code > 0 and lines:
        try:
            return CpWhisperxError.from_dict(json.loads(lines[-1]))
        except (ValueError, AttributeError):
            pass
    log = str(job.partial(stage) / LOG)
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return RunnerError(f"{stage} was killed: most often the system ran out of memory",
                           hint="close other programs or choose a smaller --model; run again to go on", log=log)
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return RunnerError(f"{stage} ended without a word ({how})", hint="run again to go on", log=log)
