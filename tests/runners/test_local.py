from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.errors import CpWhisperxError, EngineError
from cp_whisperx.job import Job, Request
from cp_whisperx.runners.local import LocalRunner


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job.create(tmp_path, Request(film="/no/film.mkv", fingerprint="sampled:abcdef0123", options={}))


def test_an_error_crosses_from_the_process(job: Job, tmp_path: Path) -> None:
    """demux of a film that is gone: the stage's own sentence and hint arrive here."""
    with pytest.raises(CpWhisperxError, match="is no longer there") as caught:
        LocalRunner(tmp_path, quiet=True).run("demux", job)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert not isinstance(caught.value, EngineError)
