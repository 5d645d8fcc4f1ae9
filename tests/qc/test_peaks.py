from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from cp_whisperx.qc import peaks
from cp_whisperx.timeline import SAMPLE_RATE, Anchor, TimeMap


def written(path: Path, levels: list[float]) -> Path:
    """A second of a tone at each level."""
    at = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    sound = np.concatenate([level * np.sin(2 * np.pi * 200 * at) for level in levels])
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return path


def test_a_byte_for_each_tenth_of_a_second(tmp_path: Path) -> None:
    found = peaks(written(tmp_path / "a.wav", [1.0, 0.01, 0.0]), TimeMap(), 3.0)
    assert len(found) == 31
    assert set(found[:10]) <= {254, 255} and set(found[10:20]) <= {25, 26} and set(found[20:]) == {0}


def test_in_film_time(tmp_path: Path) -> None:
    """Sound that starts at 2 s, and has a hole of 5 s after its first second."""
    found = peaks(written(tmp_path / "a.wav", [1.0, 0.25]), TimeMap((Anchor(0.0, 2.0), Anchor(1.0, 8.0))), 10.0)
    assert set(found[:20]) == {0} and min(found[20:30]) > 250
    assert set(found[30:80]) == {0} and 125 < min(found[80:90]) <= max(found[80:90]) < 130


def test_what_lies_outside_the_film_is_left_out(tmp_path: Path) -> None:
    assert len(peaks(written(tmp_path / "a.wav", [1.0, 1.0]), TimeMap((Anchor(0.0, -1.0),)), 0.5)) == 6
