"""Aligners in processes of their own, because the search holds the interpreter: `with Workers(count) as workers`.

A worker reads one request a time from its standard input, a line of JSON and then samples, and answers with a line
of JSON. It ends when that input closes, so it never outlives the stage, however that ends. One that crashes loses
its request alone: the words keep the times that they had.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from cp_whisperx.timeline import Span

if TYPE_CHECKING:
    from cp_whisperx.engines.protocols import Aligner, Waveform

_MOST = 8
"""Workers: each holds a model of 45 MB, and eight align faster than a GPU recognises."""


class Workers:
    """`align` of as many aligners as there are threads, at once. Answers do not depend on who gives them."""

    def __init__(self, threads: int, command: Sequence[str] = (sys.executable, "-m", __name__)) -> None:
        """`threads` 0 means all cores that this process may use."""
        count = min(_MOST, threads or len(os.sched_getaffinity(0)))
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="align")
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._workers = [_Worker(command) for _ in range(count)]
        for worker in self._workers:
            self._idle.put(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def submit(self, task: Callable[[Aligner], Any]) -> Future[Any]:
        """Runs `task` with an aligner that is free; sound that it needs is best read inside it."""
        return self._pool.submit(self._run, task)

    def _run(self, task: Callable[[Aligner], Any]) -> Any:
        worker = self._idle.get()
        try:
            return task(worker)
        finally:
            self._idle.put(worker)


class _Worker:
    """An aligner at the other end of a pipe, started when it is first needed."""

    language = "en"

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    def align(self, wave: Waveform, words: Sequence[str]) -> tuple[Span | None, ...] | None:
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        try:
            stdin.write(json.dumps({"words": list(words), "bytes": wave.nbytes}).encode() + b"\n")
            stdin.write(wave.tobytes())
            stdin.flush()
            answer = json.loads(stdout.readline())
        except (OSError, ValueError):
            self.close()
            return None
        return None if answer is None else tuple(Span(*span) if span else None for span in answer)

    def close(self) -> None:
        if self._process is not None:
            # Nothing of a worker is worth waiting for: it writes no files.
            self._process.kill()
            self._process.communicate()
            self._process = None


def serve() -> None:
    """What a worker does. Its own standard output is for answers alone."""
    import numpy as np

    from cp_whisperx.engines.pocketsphinx import SphinxAligner

    aligner = SphinxAligner()
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        wave = np.frombuffer(sys.stdin.buffer.read(request["bytes"]), np.float32)
        spans = aligner.align(wave, request["words"])
        answer = None if spans is None else [span and (span.start, span.end) for span in spans]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
