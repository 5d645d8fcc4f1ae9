"""Samples are read where they are needed."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from cp_whisperx.media.samples import Samples


def _wav(path: Path, samples: list[int]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.array(samples, "<i2").tobytes())
    return path


def test_slices_are_floats_cut_at_the_ends(tmp_path: Path) -> None:
    samples = Samples(_wav(tmp_path / "a.wav", [0, 16384, -32768, 32767]))
    assert len(samples) == 4
    assert samples.slice(1, 3).tolist() == [0.5, -1.0]
    assert samples.slice(-5, 100).dtype == np.float32
    assert len(samples.slice(-5, 100)) == 4
    assert len(samples.slice(4, 8)) == len(samples.slice(-8, -4)) == 0


@pytest.mark.parametrize("size", [44, 20, 0])
def test_a_file_that_holds_none(tmp_path: Path, size: int) -> None:
    path = _wav(tmp_path / "a.wav", [])
    path.write_bytes(path.read_bytes()[:size])
    assert len(Samples(path)) == 0
    assert Samples(path).slice(0, 10).shape == (0,)
