from __future__ import annotations

import numpy as np
import pytest

from cp_whisperx.engines.joint_speech import CELL, CELL_S, begun, lost_and_invented, mean, on_cells
from cp_whisperx.timeline import SpeechSpan


def span(onset: float, offset: float) -> SpeechSpan:
    return SpeechSpan(onset - 0.2, offset + 0.2, onset, offset, 0.9, 1.0)


def test_frames_that_fit_fall_into_cells_unchanged() -> None:
    """Two cells to a frame of the coarse detector: an onset stays at the sample where it was."""
    heard = np.array([0.1, 0.9, 0.5], np.float32)
    assert on_cells(heard, 2 * CELL, CELL, 6 * CELL).tolist() == pytest.approx([0.1, 0.1, 0.9, 0.9, 0.5, 0.5])


def test_each_cell_has_the_nearest_frame() -> None:
    """Frames of 270 samples, the first centred on sample 495.5; before and behind them the last one known."""
    samples = 16_000 * 600
    frames = np.arange(int((samples - 495.5) // 270) + 1, dtype=np.float32)
    found = on_cells(frames, 270, 495.5, samples)
    assert len(found) == samples // CELL
    for cell in (0, 1, 2, 3, 100, 20_000, len(found) - 1):
        centre = (cell + 0.5) * CELL
        assert found[cell] == pytest.approx(np.argmin(np.abs(495.5 + frames * 270 - centre)), abs=0.51)


def test_no_frames_are_silence() -> None:
    assert on_cells(np.zeros(0, np.float32), 270, 495.5, 1000).tolist() == [0, 0, 0, 0]
    assert on_cells(np.zeros(0, np.float32), 270, 495.5, 0).size == 0


def test_the_mean_is_weighted() -> None:
    coarse, fine = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)
    assert mean(coarse, fine, 0.25).tolist() == [0.75, 0.25]


LOST = {
    "the same": ([(1, 2)], [(1, 2)], 0, 0),
    "nothing heard": ([], [(1, 2)], 1, 0),
    "nothing kept": ([(1, 2)], [], 0, 1),
    "half": ([(1, 2)], [(1.5, 3)], 1, 0.5),
    "one over two": ([(0, 10)], [(1, 2), (4, 6)], 0, 7),
    "two under one": ([(1, 2), (4, 6)], [(0, 10)], 7, 0),
    "in turns": ([(0, 3), (5, 8)], [(2, 6), (7, 9)], 3, 3),
    "apart": ([(0, 1), (4, 5)], [(2, 3)], 1, 2),
}


@pytest.mark.parametrize(("alone", "kept", "lost", "invented"), LOST.values(), ids=LOST)
def test_seconds_lost_and_invented(alone: list[tuple[float, float]], kept: list[tuple[float, float]], lost: float,
                                   invented: float) -> None:
    found = lost_and_invented([span(*times) for times in alone], [span(*times) for times in kept])
    assert found == pytest.approx((lost, invented))


# Seconds in which the fine detector is sure; those in which both hear speech; where speech is taken to begin and end.
BEGUN = {
    "the other one is late": ([(1.0, 3.0)], [(1.5, 3.0)], [(1.0, 3.0)]),
    "by a few cells": ([(1.42, 3.0)], [(1.5, 3.0)], [(1.5, 3.0)]),
    "not at once": ([(1.0, 1.4)], [(1.5, 3.0)], [(1.5, 3.0)]),
    "sure for longer: it ran on over music": ([(0.2, 3.0)], [(1.5, 3.0)], [(1.5, 3.0)]),
    "sure from the start of the sound": ([(0.0, 3.0)], [(0.5, 3.0)], [(0.5, 3.0)]),
    "a pause in speech": ([(1.0, 3.0)], [(1.0, 1.5), (2.0, 3.0)], [(1.0, 1.5), (2.0, 3.0)]),
    "the end is left alone": ([(1.0, 4.0)], [(1.0, 3.0)], [(1.0, 3.0)]),
    "nothing": ([(1.0, 2.0)], [], []),
}


@pytest.mark.parametrize(("sure", "both", "expected"), BEGUN.values(), ids=BEGUN)
def test_a_beginning_that_one_detector_heard(sure: list[tuple[float, float]], both: list[tuple[float, float]],
                                             expected: list[tuple[float, float]]) -> None:
    def cells(times: list[tuple[float, float]], low: float, high: float) -> np.ndarray:
        made = np.full(round(5 / CELL_S), low, np.float32)
        for start, end in times:
            made[round(start / CELL_S):round(end / CELL_S)] = high
        return made

    given = cells(both, 0.45, 0.7)
    found = begun(given, cells(sure, 0.3, 0.9), 0.5)
    assert ((found >= 0.5) == (cells(expected, 0.0, 1.0) >= 0.5)).all()
    assert (given == cells(both, 0.45, 0.7)).all()
