from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cp_whisperx.engines.alignment_workers import Workers
from cp_whisperx.engines.pocketsphinx import SphinxAligner
from cp_whisperx.timeline import SAMPLE_RATE
from scenes.voices import spoken

LINES = [(line.text.split(), clip.samples * np.float32(0.1)) for line, clip in spoken(SAMPLE_RATE).items()][:6]


def test_answers_are_those_of_one_aligner_in_order() -> None:
    alone = SphinxAligner()
    expected = [alone.align(wave, words) for words, wave in LINES]
    with Workers(2) as workers:
        asked = [workers.submit(lambda aligner, words=words, wave=wave: aligner.align(wave, words))
                 for words, wave in LINES]
        assert [one.result() for one in asked] == expected
    assert None not in expected


CRASHES = {
    "at once": "raise SystemExit(3)",
    "in the middle of an answer": "import sys; sys.stdin.buffer.readline(); print('[[0.1,', end='')",
    "by nonsense": "import sys; sys.stdin.buffer.readline(); print('Killed')",
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_worker_that_crashes_loses_its_request_alone(name: str) -> None:
    with Workers(1, command=(sys.executable, "-c", CRASHES[name])) as workers:
        asked = [workers.submit(lambda aligner: aligner.align(np.zeros(80_000, np.float32), ["hello"]))
                 for _ in range(3)]
        assert [one.result() for one in asked] == [None, None, None]


PARENT = """
import os, sys, numpy as np
from cp_whisperx.engines.alignment_workers import Workers
workers = Workers(1)
workers.submit(lambda aligner: aligner.align(np.zeros(16000, np.float32), ["hello"])).result()
print(workers._workers[0]._process.pid, flush=True)
os._exit(130)
"""


def test_workers_do_not_outlive_a_stage_that_is_stopped() -> None:
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 130
    worker = Path(f"/proc/{int(done.stdout)}/stat")
    deadline = time.monotonic() + 5
    while worker.exists() and worker.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not worker.exists() or worker.read_text().split()[2] == "Z"


def test_a_task_that_fails_says_so() -> None:
    with Workers(1) as workers:
        asked = workers.submit(lambda aligner: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            asked.result()
