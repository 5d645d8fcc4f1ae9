from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cp_whisperx.engines import warm as warming
from cp_whisperx.engines.device import Device
from cp_whisperx.engines.protocols import Heard
from cp_whisperx.errors import EngineError
from cp_whisperx.models.store import ModelStore

LOG = logging.getLogger("test")


class OnGpu:
    """Stands for a recogniser on a GPU, which this machine may not have; notes what it is given to hear."""

    def __init__(self, model: Path, **options: object) -> None:
        self.device = Device("cuda", "float16", "pretended")
        self.heard_s = 0.0
        OnGpu.last = self

    last: OnGpu

    def transcribe(self, wave: NDArray[np.float32], *, language: str, task: str) -> Heard:
        self.heard_s = wave.size / 16_000
        assert abs(wave).max() > 0
        return Heard((), "beam")


def test_a_gpu_hears_something_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(warming, "WhisperTranscriber", OnGpu)
    seconds = warming.warm(tmp_path, LOG)
    assert seconds is not None and seconds >= 0
    assert OnGpu.last.heard_s >= 1


@pytest.mark.real
def test_without_a_gpu_there_is_nothing_to_do(models: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import ctranslate2

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)
    assert warming.warm(models.path("tiny.en"), LOG) is None


def test_a_broken_model_is_one_sentence(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(EngineError, match="cannot be loaded"):
        warming.warm(tmp_path, LOG)
