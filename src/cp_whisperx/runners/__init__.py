"""Ways to run a stage. All execute `python -m cp_whisperx.stages NAME JOB`; the truth is the record on disk."""

from __future__ import annotations

from typing import Protocol

from cp_whisperx.job import Job


class Runner(Protocol):
    name: str

    def run(self, stage: str, job: Job) -> None:
        """Returns when the stage is done.

        Raises the stage's own error, RunnerError if it was killed, KeyboardInterrupt if it was interrupted.
        """
        ...
