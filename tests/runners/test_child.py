from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cp_whisperx.errors import INTERRUPTED, CpWhisperxError, MediaError, RunnerError
from cp_whisperx.job import Job, Request
from cp_whisperx.runners.child import ended, run


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job.create(tmp_path, Request(film="/no/film.mkv", fingerprint="sampled:abcdef0123", options={}))


SAID = json.dumps(MediaError("the film is mute", hint="unmute", log="/log").as_dict()).encode()

ENDS: dict[str, tuple[int, bytes, type[CpWhisperxError], str]] = {
    "its own error": (3, b"noise\n" + SAID + b"\n", MediaError, "the film is mute"),
    "killed": (-signal.SIGKILL, b"", RunnerError, "was killed: most often the system ran out of memory"),
    "killed in a container": (137, b"", RunnerError, "was killed"),
    "crashed in native code": (-signal.SIGSEGV, b"", RunnerError, "signal SIGSEGV"),
    "no word": (1, b"", RunnerError, "exit code 1"),
    "nonsense": (9, b"no json\n", RunnerError, "exit code 9"),
    "a number": (9, b"42\n", RunnerError, "exit code 9"),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_a_stage_ended_becomes_an_error(job: Job, name: str) -> None:
    code, said, kind, text = ENDS[name]
    error = ended(code, said, "asr", job)
    assert type(error) is kind
    assert text in error.message
    assert error.log


def test_what_it_says_and_how_it_ends() -> None:
    assert run([sys.executable, "-c", "import os; print(os.environ['A']); exit(4)"], {"A": "b"}) == (4, b"b\n")
    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", f"exit({INTERRUPTED})"])


@pytest.mark.parametrize("deaf", [False, True])
def test_an_interrupt_ends_it(tmp_path: Path, deaf: bool) -> None:
    """Told to end, or, where it does not hear that, by its closed input."""
    code = f"import signal, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN if {deaf} else signal.SIG_DFL)\n" \
           f"open({str(tmp_path / 'up')!r}, 'w').close()\nsys.stdin.read()"
    parent = f"from cp_whisperx.runners.child import run\nimport sys\nrun([sys.executable, '-c', {code!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "up").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT
        assert process.stderr and process.stderr.read().endswith("KeyboardInterrupt\n")
