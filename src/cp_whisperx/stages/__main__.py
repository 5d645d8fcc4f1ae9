"""`python -m cp_whisperx.stages NAME JOB`: one stage of one job. Every runner and every image executes this.

Log and progress go to stderr; if the stage fails, the error goes to stdout as one JSON object.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from cp_whisperx import log as logs
from cp_whisperx import publish, stages
from cp_whisperx.errors import INTERRUPTED, CpWhisperxError
from cp_whisperx.job import Job
from cp_whisperx.models.store import ModelStore
from cp_whisperx.stage import Stage, run_stage

_log = logs.get(__name__)


def main() -> int:
    parser = argparse.ArgumentParser(prog="cp_whisperx.stages", description="Runs one stage of one job.",
                                     epilog="example: python -m cp_whisperx.stages asr out/my-film-1a2b3c4d")
    parser.add_argument("stage", metavar="NAME", help="one of: " + ", ".join(stages.NAMES))
    parser.add_argument("job", metavar="JOB", type=Path, help="folder of the job")
    parser.add_argument("--runner", default="local", help="recorded with the result")
    parser.add_argument("--stop-on-eof", action="store_true",
                        help="end when standard input closes: the parent is gone")
    parser.add_argument("--quiet", action="store_true", help="only warnings and errors on stderr")
    arguments = parser.parse_args()
    logs.configure(logging.WARNING if arguments.quiet else logging.INFO)
    attended = arguments.stop_on_eof
    try:
        stage = stages.find(arguments.stage)
        job = Job.open(arguments.job)
        _stop_at_once(stage, job, on_eof=attended)
        run_stage(stage, job, ModelStore(), runner=arguments.runner)
    except CpWhisperxError as error:
        if not attended:
            _log.error(f"{error.message} ({error.hint})" if error.hint else error.message)
        # The one result of a stage that failed: runners read it, whatever process or container it comes from.
        sys.stdout.write(json.dumps(error.as_dict(), ensure_ascii=False) + "\n")
        return error.exit_code
    return 0


def _stop_at_once(stage: Stage[Any, Any], job: Job, *, on_eof: bool) -> None:
    """Ends the process within a second of SIGTERM, SIGINT or the parent's death, even inside native code.

    Python runs signal handlers only between bytecodes, and recognising one window is a single call of
    seconds. So the signals are blocked and a thread waits for them; whatever stands on the disk at that
    moment is what a power cut would leave, which is a state that the next run can start from.
    """
    signals = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def end(why: str) -> None:
        logs.get(stage.name).warning(f"stops: {why}")
        partial = job.partial(stage.name)
        if not stage.resumes and partial.exists():
            try:
                publish.remove(partial)
            except OSError as error:
                _log.warning(f"{partial} could not be removed: {error}")
        os._exit(INTERRUPTED)

    def await_signal() -> None:
        end(signal.Signals(signal.sigwait(signals)).name)

    def await_eof() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        end("the process that started it is gone")

    threading.Thread(target=await_signal, daemon=True).start()
    if on_eof:
        threading.Thread(target=await_eof, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
