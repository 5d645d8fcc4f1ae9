from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from cp_whisperx.errors import CpWhisperxError, EngineError, MediaError, RunnerError
from cp_whisperx.job import Job, Request
from cp_whisperx.runners.local import LocalRunner, ended


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


def test_an_error_crosses_from_the_process(job: Job, tmp_path: Path) -> None:
    """demux of a film that is gone: the stage's own sentence and hint arrive here."""
    with pytest.raises(CpWhisperxError, match="is no longer there") as caught:
        LocalRunner(tmp_path, quiet=True).run("demux", job)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert not isinstance(caught.value, EngineError)
