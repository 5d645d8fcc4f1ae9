"""Both sides of every window, in frames at 24 per second: Netflix's rules and the BBC's."""

from __future__ import annotations

import pytest

from cp_whisperx.subtitles import profiles
from cp_whisperx.subtitles.breaks import Break
from cp_whisperx.subtitles.grid import Grid
from cp_whisperx.subtitles.timing import Timing
from cp_whisperx.subtitles.tokens import Token

RATE = 24.0
CUT = 240


def token(start: float, end: float) -> Token:
    return Token("word", 4, True, start / RATE, end / RATE, (0, 1), "", False, Break.PLAIN)


def timing(*spans: tuple[float, float], profile: str = "netflix-en", cuts: tuple[int, ...] = (CUT,),
           rate: float | None = RATE) -> Timing:
    return Timing([token(*span) for span in spans], profiles.named(profile), Grid.of(rate),
                  [cut / RATE for cut in cuts])


@pytest.mark.parametrize(("profile", "spoken", "shown"), [
    # in-cue, frames from the cut: where the word begins, where the cue does
    ("netflix-en", -13, -13), ("netflix-en", -12, -12), ("netflix-en", -11, -12), ("netflix-en", -9, -12),
    ("netflix-en", -8, 0), ("netflix-en", -1, 0), ("netflix-en", 0, 0), ("netflix-en", 1, 0), ("netflix-en", 11, 0),
    ("netflix-en", 12, 12),
    ("bbc", -12, -12), ("bbc", -11, 0), ("bbc", 11, 0), ("bbc", 12, 12),
])
def test_in_cues_near_a_cut(profile: str, spoken: int, shown: int) -> None:
    assert timing((CUT + spoken, CUT + spoken + 24), profile=profile).ins == [CUT + shown]


def test_between_two_near_cuts_the_nearer_one_counts() -> None:
    assert timing((CUT + 3, CUT + 40), cuts=(CUT, CUT + 10)).ins == [CUT]
    assert timing((CUT + 7, CUT + 40), cuts=(CUT, CUT + 10)).ins == [CUT + 10]
    # 12 frames before the second cut would be 9 behind the first.
    assert timing((CUT + 11, CUT + 40), cuts=(CUT, CUT + 21)).ins == [CUT + 21]
    assert timing((CUT + 14, CUT + 40), cuts=(CUT, CUT + 24)).ins == [CUT + 12]


def test_where_a_cue_belongs_before_one_cut_it_may_be_near_another() -> None:
    made = timing((0, CUT + 7), cuts=(CUT, CUT + 10))
    assert [made.at_cut(CUT + end) for end in (-2, -1, 0, 7, 8, 9)] == [None, CUT, CUT, CUT, None, CUT + 10]
    assert timing((0, CUT), cuts=(CUT, CUT + 2)).at_cut(CUT) == CUT


def test_in_cues_never_change_their_order() -> None:
    made = timing(*((start, start + 1) for start in range(200, 300)), cuts=(220, 231, 240, 262)).ins
    assert made == sorted(made)


@pytest.mark.parametrize("rate", [23.976, 24.0, 25.0, 50.0, None])
def test_in_cues_lie_on_the_frame_nearest_to_the_word(rate: float | None) -> None:
    made = timing((30.6, 60), cuts=(), rate=rate)
    assert abs(made.grid.seconds(made.ins[0]) - 30.6 / RATE) <= (0.5 / rate if rate else 0) + 0.001


START = CUT - 60


@pytest.mark.parametrize(("profile", "spoken_until", "characters", "shown_until"), [
    # out-cue, frames from the cut, of a cue that has been read by then
    ("netflix-en", -3, 4, -3), ("netflix-en", -2, 4, -2), ("netflix-en", -1, 4, -2), ("netflix-en", 0, 4, -2),
    ("netflix-en", 11, 4, -2), ("netflix-en", 12, 4, 12), ("netflix-en", 13, 4, 13),
    ("bbc", -1, 4, -1), ("bbc", 0, 4, 0), ("bbc", 1, 4, 0), ("bbc", 11, 4, 0), ("bbc", 12, 4, 12),
    # 50 characters need 60 frames and a millisecond: behind the cut there is time to read them, before it there is not
    ("netflix-en", 1, 50, 12), ("netflix-en", -1, 50, -2),
])
def test_out_cues_near_a_cut(profile: str, spoken_until: int, characters: int, shown_until: int) -> None:
    made = timing((START, CUT + spoken_until), profile=profile)
    assert made.out(START, 0, characters, 1) - CUT == shown_until


@pytest.mark.parametrize(("spoken", "characters", "lasts"), [
    (5, 4, 20), (20, 4, 20), (21, 4, 21),                       # least duration: 20 frames
    (24, 20, 25), (24, 30, 36), (24, 31, 36), (30, 31, 38),      # to be read at 20 a second; lingers 12 frames at most
    (167, 10, 167), (168, 10, 168), (160, 200, 168),            # longest duration: 168 frames
])
def test_how_long_a_cue_lasts(spoken: int, characters: int, lasts: int) -> None:
    assert timing((0, spoken), cuts=()).out(0, 0, characters, 1) == lasts


@pytest.mark.parametrize(("words", "lasts"), [(1, 8), (2, 15), (4, 29)])
def test_the_bbc_shows_a_cue_by_its_words(words: int, lasts: int) -> None:
    assert timing((0, 2), cuts=(), profile="bbc").out(0, 0, 1, words) == lasts


@pytest.mark.parametrize(("profile", "following", "shown_until"), [
    # the cue is spoken until frame 48; where the next one begins, where this one ends
    ("netflix-en", 47, 45), ("netflix-en", 48, 46), ("netflix-en", 50, 48), ("netflix-en", 51, 49),
    ("netflix-en", 59, 57), ("netflix-en", 60, 48), ("netflix-en", 90, 48),
    ("bbc", 48, 48), ("bbc", 49, 49), ("bbc", 71, 71), ("bbc", 72, 48),
])
def test_gaps(profile: str, following: int, shown_until: int) -> None:
    assert timing((0, 48), (following, following + 24), profile=profile, cuts=()).out(0, 0, 4, 1) == shown_until


@pytest.mark.parametrize(("spoken_until", "shown_until"), [(155, 159), (159, 159), (160, 165)])
def test_a_cue_that_cannot_last_until_the_next_leaves_half_a_second(spoken_until: int, shown_until: int) -> None:
    """The next one begins on frame 171; 137 characters are read by frame 165; 168 is the longest."""
    assert timing((0, spoken_until), (171, 200), cuts=()).out(0, 0, 137, 1) == shown_until


def test_cuts_inside() -> None:
    made = timing((0, 24), cuts=(10, 20, 30))
    assert [made.crossed(*span) for span in ((0, 40), (10, 30), (10, 31), (11, 20), (31, 90))] == [3, 1, 2, 0, 0]
