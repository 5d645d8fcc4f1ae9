"""A stage as a child process: watched until it ends, never outliving this process, its end told as an error."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Mapping, Sequence

from cp_whisperx.errors import INTERRUPTED, CpWhisperxError, RunnerError
from cp_whisperx.job import LOG, Job


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """The exit code of the process, and what it printed; stderr is this process's.

    The pipe to its stdin closes with this process, however that ends. Raises KeyboardInterrupt, when the child has
    ended, if this process is interrupted or if the child says that it was.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin and process.stdout
        try:
            said = process.stdout.read()
            code = process.wait()
        except KeyboardInterrupt:
            # A client of a container passes the signal on to the stage, which ends within a second. A stage that is
            # not up yet loses it, since nothing kills the first process of a container unasked: it finds its input
            # closed.
            process.terminate()
            process.stdin.close()
            process.wait()
            raise
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code, said


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
