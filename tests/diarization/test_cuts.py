from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.diarization.cuts import at_once, cut, runs
from cp_whisperx.diarization.tracks import Voice


def voice(begin: int, *spoken: int) -> Voice:
    return Voice(begin, np.array(spoken, np.float32))


@pytest.mark.parametrize(("mask", "expected"), [
    ([], []), ([0, 0], []), ([1, 1], [(0, 2)]), ([0, 1, 1, 0, 1], [(1, 3), (4, 5)]),
])
def test_runs(mask: list[int], expected: list[tuple[int, int]]) -> None:
    assert runs(np.array(mask, bool)) == expected


def test_only_what_is_spoken_alone_is_cut() -> None:
    one, other = voice(0, *[1] * 30), voice(20, *[1] * 30)
    made = cut([one, other], 50, 0.1, 5.0)
    assert [(piece.voice, piece.start, piece.end) for piece in made] == [(0, 0, 20), (1, 30, 50)]
    assert len({piece.run for piece in made}) == 2


def test_a_whisper_of_another_does_not_count() -> None:
    quiet = Voice(0, np.full(30, 0.2, np.float32))
    assert len(cut([voice(0, *[1] * 30), quiet], 30, 0.1, 5.0)) == 1


def test_two_at_once_all_the_time_leave_nothing() -> None:
    assert cut([voice(0, *[1] * 30), voice(0, *[1] * 30)], 30, 0.1, 5.0) == []


@pytest.mark.parametrize(("spans", "most", "labels"), [
    (((0, 30), (0, 30)), 9, [0, 1]), (((0, 30), (10, 30), (20, 40)), 9, [0, 1, 2]), (((0, 30), (0, 30)), 1, [0]),
    (((0, 10), (0, 30), (10, 30)), 9, [0, 1, 0]), (((5, 5), (0, 30)), 9, [0]), ((), 9, []),
], ids=["two", "three", "one too many", "one after another", "one who never speaks", "nobody"])
def test_who_speaks_at_once_is_not_one(spans: tuple[tuple[int, int], ...], most: int, labels: list[int]) -> None:
    made, found = at_once([Voice(start, np.ones(end - start, np.float32)) for start, end in spans], most)
    assert found == labels and len(made) == len(labels)
    assert all((piece.start, piece.end) == spans[piece.voice] for piece in made)


@given(st.integers(1, 300), st.floats(0.3, 4.0))
def test_long_runs_are_cut_evenly_and_wholly(frames: int, length_s: float) -> None:
    made = cut([voice(7, *[1] * frames)], frames + 7, 0.1, length_s)
    covered = set()
    for piece in made:
        assert piece.run == 0 and 7 <= piece.start < piece.end <= 7 + frames
        covered |= set(range(piece.start, piece.end))
        if len(made) > 1:
            assert abs((piece.end - piece.start) * 0.1 - length_s) <= 0.11
    assert len(covered) == frames
    assert len(made) <= max(1, frames * 0.1 / length_s * 2 + 1)
