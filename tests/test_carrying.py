from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.carrying import carry
from cp_whisperx.timeline import Segment, Word


def segment(text: str, *times: tuple[float, float]) -> Segment:
    words = tuple(Word(start, end, f" {word}", 0.9) for word, (start, end) in zip(text.split(), times, strict=True))
    return Segment(words[0].start, words[-1].end, text, words, -0.2, 0.0, 1.0)


def even(text: str, start: float, end: float) -> Segment:
    count = len(text.split())
    step = (end - start) / count
    return segment(text, *((start + number * step, start + (number + 1) * step) for number in range(count)))


SPOKEN = (segment("मैं घर", (1.0, 1.4), (1.45, 2.0)), segment("जाता हूँ", (4.0, 4.5), (4.5, 5.0)))

CASES = {
    "words share the speech by their length": (
        (even("aaaa bbbb", 0.8, 2.2),), (SPOKEN[0],), [(1.0, 1.5), (1.5, 2.0)]),
    "no word lies in a pause": (
        (even("aa bb cc dd", 0.5, 5.5),), SPOKEN, [(1.0, 1.5), (1.5, 2.0), (4.0, 4.5), (4.5, 5.0)]),
    "each segment has the words of its time": (
        (even("aa bb", 0.9, 2.5), even("cc", 3.0, 5.2)), SPOKEN, [(1.0, 1.5), (1.5, 2.0), (4.0, 5.0)]),
    "a word across a pause goes where more of it lies": (
        (even("aaa bbb ccc", 0.5, 5.5),), SPOKEN, [(1.0, 1.667), (1.667, 2.0), (4.333, 5.0)]),
    "where nothing is spoken a segment keeps its times": (
        (even("aa", 0.9, 5.0), even("bb", 8.0, 9.0)), SPOKEN, [(1.0, 5.0), (8.0, 9.0)]),
}


@pytest.mark.parametrize("name", CASES)
def test_times_are_carried_over(name: str) -> None:
    translated, spoken, expected = CASES[name]
    found = carry(translated, spoken)
    words = [word for one in found for word in one.words]
    if name.startswith("a word across"):
        assert words[1].end <= 2.0 or words[1].start >= 4.0
        assert words[0].start == 1.0 and words[2].end == 5.0
    elif name.startswith("where nothing"):
        assert words[0].timing == "carried" and (words[0].start, words[1].start) == (1.0, 8.0)
        assert words[1].timing == "attention"
    else:
        assert [(word.start, word.end) for word in words] == expected
        assert {word.timing for word in words} == {"carried"}
    assert [one.text for one in found] == [one.text for one in translated]


def test_without_speech_nothing_changes() -> None:
    translated = (even("aa bb", 1.0, 2.0),)
    assert carry(translated, ()) == translated
    assert carry((), SPOKEN) == ()


@given(st.lists(st.tuples(st.floats(0.01, 2), st.floats(0.05, 1)), min_size=1, max_size=12),
       st.lists(st.integers(1, 12), min_size=1, max_size=12))
def test_carried_words_stay_in_the_speech_and_in_order(gaps: list[tuple[float, float]], sizes: list[int]) -> None:
    clock, times = 0.0, []
    for gap, length in gaps:
        times.append((clock + gap, clock + gap + length))
        clock += gap + length
    spoken = segment("अ " * len(times), *times)
    found = carry((even(" ".join("x" * size for size in sizes), 0.0, clock),), (spoken,))
    words = found[0].words
    assert all(before.end <= after.start + 2e-3 for before, after in pairwise(words))
    assert all(word.start <= word.end for word in words)
    assert spoken.start - 1e-3 <= words[0].start and words[-1].end <= spoken.end + 1e-3
