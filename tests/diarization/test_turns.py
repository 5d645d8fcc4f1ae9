from __future__ import annotations

import numpy as np
import pytest

from cp_whisperx.diarization.cuts import Cut
from cp_whisperx.diarization.tracks import Grid, Voice
from cp_whisperx.diarization.turns import TurnRules, overlaps, speech_s, turns
from cp_whisperx.timeline import Span, Turn

GRID = Grid(step_s=1.0, first_frame_s=0.05, frame_s=0.1)
RULES = TurnRules(threshold=0.5, min_turn_s=0.2, min_pause_s=0.3)


def voice(begin: int, text: str) -> Voice:
    """A digit a frame: tenths of probability; x is certain."""
    return Voice(begin, np.array([1.0 if letter == "x" else int(letter) / 10 for letter in text], np.float32))


def test_labels_follow_the_first_word_and_pauses_are_closed() -> None:
    late, early = voice(20, "0xxxxx00xxxx0"), voice(0, "xxxxx")
    found = turns([late, early], [Cut(0, 0, 21, 26), Cut(0, 1, 28, 32), Cut(1, 2, 0, 5)], np.array([7, 7, 3]), 40, GRID,
                  100.0, RULES)
    assert found == (Turn(0.0, 0.5, "S1"), Turn(2.1, 3.2, "S2"))


def test_a_voice_of_two_people_changes_between_their_cuts() -> None:
    found = turns([voice(0, "x" * 20)], [Cut(0, 0, 0, 10), Cut(0, 0, 10, 20)], np.array([0, 1]), 20, GRID, 100.0, RULES)
    assert found == (Turn(0.0, 1.0, "S1"), Turn(1.0, 2.0, "S2"))


def test_voices_of_one_person_add_up() -> None:
    """The segmentation lost the thread: two half voices are one whole."""
    found = turns([voice(0, "444444"), voice(0, "333333")], [Cut(0, 0, 0, 6), Cut(1, 1, 0, 6)], np.array([0, 0]), 6,
                  GRID, 100.0, RULES)
    assert found == (Turn(0.0, 0.6, "S1"),)


@pytest.mark.parametrize(("text", "expected"), [("x0000000", ()), ("xx000000", (Turn(0.0, 0.2, "S1"),)),
                                                ("555555", ()), ("000000", ())])
def test_short_and_faint_turns_are_dropped(text: str, expected: tuple[Turn, ...]) -> None:
    assert turns([voice(0, text)], [Cut(0, 0, 0, 1)], np.array([0]), 8, GRID, 100.0, RULES) == expected


@pytest.mark.parametrize(("one", "other", "speech", "expected"), [
    ("xxxx333333", "0000111111", Span(0, 1), (Turn(0.0, 1.0, "S1"),)),
    ("xxxx100000", "0000300000", Span(0, 0.5), (Turn(0.0, 0.4, "S1"),)),
    ("xxxx0000000000", "00000000000000", Span(0, 1.4), (Turn(0.0, 0.9, "S1"),)),
    ("xxxx0000000000", "0000000000xxxx", Span(0, 1.4), (Turn(0.0, 0.7, "S1"), Turn(0.7, 1.4, "S2"))),
    ("xxxx333333", "0000000000", Span(3, 4), (Turn(0.0, 0.4, "S1"),)),
], ids=["the likeliest", "too short a turn", "nobody is likely: who spoke last, for half a second", "between two",
        "no speech there"])
def test_speech_that_detectors_hear_is_somebodys(one: str, other: str, speech: Span,
                                                 expected: tuple[Turn, ...]) -> None:
    cuts = [Cut(0, 0, 0, 4), Cut(1, 1, len(other) - 4, len(other))]
    assert turns([voice(0, one), voice(0, other)], cuts, np.array([0, 1]), len(one), GRID, 100.0, RULES,
                 [speech]) == expected


def test_nothing_ends_behind_the_sound() -> None:
    assert turns([voice(0, "x" * 20)], [Cut(0, 0, 0, 20)], np.array([0]), 20, GRID, 0.75, RULES) == \
        (Turn(0.0, 0.75, "S1"),)


def test_nobody_speaks() -> None:
    assert turns([], [], np.zeros(0, np.int64), 0, GRID, 0.0, RULES) == ()


@pytest.mark.parametrize(("given", "expected"), [
    ((), ()),
    ((Turn(0, 1, "S1"), Turn(1, 2, "S2")), ()),
    ((Turn(0, 3, "S1"), Turn(1, 2, "S2")), (Span(1, 2),)),
    ((Turn(0, 3, "S1"), Turn(1, 4, "S2"), Turn(2, 5, "S3")), (Span(1, 4),)),
    ((Turn(0, 2, "S1"), Turn(0, 2, "S2"), Turn(5, 6, "S1"), Turn(5.5, 6, "S2")), (Span(0, 2), Span(5.5, 6))),
])
def test_overlaps(given: tuple[Turn, ...], expected: tuple[Span, ...]) -> None:
    assert overlaps(given) == expected


def test_speech_of_one() -> None:
    assert speech_s((Turn(0, 1.5, "S1"), Turn(1, 2, "S2"), Turn(3, 4, "S1")), "S1") == 2.5
