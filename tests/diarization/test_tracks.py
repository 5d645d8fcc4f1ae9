from __future__ import annotations

import numpy as np
import pytest

from cp_whisperx.diarization.tracks import Grid, follow, voices

FRAMES, STEP = 50, 10
GRID = Grid(step_s=1.0, first_frame_s=0.05, frame_s=0.1)


def windows(*people: tuple[tuple[int, int], ...], length: int, seed: int = 0) -> np.ndarray:
    """Windows over people who speak from frame to frame, with the columns of each window in an order of its own."""
    speaks = np.zeros((length, 3), np.uint8)
    for column, spans in enumerate(people):
        for start, end in spans:
            speaks[start:end, column] = 255
    order = np.random.default_rng(seed)
    return np.stack([speaks[start:start + FRAMES][:, order.permutation(3)]
                     for start in range(0, length - FRAMES + 1, STEP)])


@pytest.mark.parametrize("seed", range(5))
def test_a_voice_is_followed_through_any_order_of_columns(seed: int) -> None:
    one, other = ((5, 60), (80, 140)), ((62, 95), (120, 160))
    found, frames = voices(windows(one, other, length=200, seed=seed), GRID)
    assert frames == 200
    heard = []
    for voice in found:
        active = np.flatnonzero(voice.probability > 0.5) + voice.begin
        heard.append((int(active.min()), int(active.max()) + 1, len(active)))
    assert sorted(heard) == [(5, 140, 115), (62, 160, 73)]


def test_who_is_silent_for_longer_than_a_window_comes_back_as_another_voice() -> None:
    found, _ = voices(windows(((0, 30), (130, 160)), length=200), GRID)
    assert len(found) == 2


def test_two_voices_at_once_for_the_whole_length() -> None:
    found, _ = voices(windows(((0, 150),), ((0, 150),), length=150), GRID)
    assert len(found) == 2
    assert all((voice.probability > 0.99).all() and len(voice.probability) == 150 for voice in found)


@pytest.mark.parametrize("shape", [(0, FRAMES, 3), (1, FRAMES, 3), (4, FRAMES, 3)])
def test_silence_has_no_voice(shape: tuple[int, int, int]) -> None:
    found, frames = voices(np.zeros(shape, np.uint8), GRID)
    assert found == [] and frames == (FRAMES + STEP * (shape[0] - 1) if shape[0] else 0)


def test_windows_that_do_not_overlap_are_not_linked() -> None:
    activity = np.full((3, FRAMES, 1), 255, np.uint8)
    assert len(follow(activity, Grid(5.0, 0.05, 0.1))) == 3


def test_a_column_that_is_hardly_shared_is_another_voice() -> None:
    """The voice of the first window ends as that of the second begins: two frames in common are not enough."""
    activity = np.zeros((2, FRAMES, 2), np.uint8)
    activity[0, 12:32, 0] = 255
    activity[1, 20:45, 1] = 255
    assert len(follow(activity, GRID)) == 2
