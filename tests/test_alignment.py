from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx import alignment
from cp_whisperx.alignment import APART_S, merged
from cp_whisperx.engines.fake import SteadyAligner
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Span, Word


def words(*times: tuple[float, float]) -> list[Word]:
    return [Word(start, end, f" word{number}", 0.9) for number, (start, end) in enumerate(times)]


def segment(*times: tuple[float, float]) -> Segment:
    made = tuple(words(*times))
    return Segment(made[0].start, made[-1].end, "text", made, -0.2, 0.0, 1.0)


CASES: dict[str, tuple[list[tuple[float, float]], list[Span | None], list[tuple[float, float, str]]]] = {
    "aligned times replace attention's": (
        [(0.3, 0.6), (0.6, 1.0)], [Span(0.5, 0.7), Span(0.72, 1.1)],
        [(0.5, 0.7, "aligned"), (0.72, 1.1, "aligned")]),
    "a word that jumps away keeps attention's": (
        [(1.0, 1.3), (3.0, 3.3), (3.4, 3.8)], [Span(1.1, 1.3), Span(1.4, 1.9), Span(3.45, 3.8)],
        [(1.1, 1.3, "aligned"), (3.0, 3.3, "attention"), (3.45, 3.8, "aligned")]),
    "its end alone may vouch for it": (
        [(1.0, 1.3), (1.3, 3.3), (3.4, 3.8)], [Span(1.1, 1.3), Span(2.9, 3.3), Span(3.45, 3.8)],
        [(1.1, 1.3, "aligned"), (2.9, 3.3, "aligned"), (3.45, 3.8, "aligned")]),
    "a word that has swallowed another is not believed": (
        [(1.0, 1.3), (3.0, 3.5)], [Span(1.1, 1.3), Span(1.4, 3.5)],
        [(1.1, 1.3, "aligned"), (3.0, 3.5, "attention")]),
    "what is not pronounced keeps attention's": (
        [(1.0, 1.3), (1.3, 1.4), (1.5, 1.8)], [Span(1.1, 1.25), None, Span(1.5, 1.9)],
        [(1.1, 1.25, "aligned"), (1.3, 1.4, "attention"), (1.5, 1.9, "aligned")]),
    "it is kept between its neighbours": (
        [(1.0, 1.3), (0.9, 1.7), (1.5, 1.8)], [Span(1.1, 1.25), None, Span(1.5, 1.9)],
        [(1.1, 1.25, "aligned"), (1.25, 1.5, "attention"), (1.5, 1.9, "aligned")]),
    "without room it has no length, and none is taken from others": (
        [(1.0, 1.3), (1.3, 1.4), (1.4, 1.8)], [Span(1.1, 1.35), None, Span(1.35, 1.9)],
        [(1.1, 1.35, "aligned"), (1.35, 1.35, "attention"), (1.35, 1.9, "aligned")]),
    "a word shorter than a phone is not believed": (
        [(1.0, 1.3), (1.3, 1.6)], [Span(1.1, 1.12), Span(1.4, 1.6)],
        [(1.0, 1.3, "attention"), (1.4, 1.6, "aligned")]),
}


@pytest.mark.parametrize("name", CASES)
def test_two_methods_check_each_other(name: str) -> None:
    attention, spans, expected = CASES[name]
    found = merged(words(*attention), spans)
    assert [(word.start, word.end, word.timing) for word in found] == expected
    assert all((word.confidence is not None) == (word.timing == "aligned") for word in found)


def test_confidence_falls_with_the_distance_of_the_two() -> None:
    near, half, end = merged(words((1.0, 1.3), (2.0, 2.3), (3.0, 3.5)),
                             [Span(1.0, 1.2), Span(2.0 + APART_S / 2, 2.8), Span(3.2, 3.5)])
    assert (near.confidence, half.confidence, end.confidence) == (1.0, 0.5, 1.0)


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 2), st.one_of(st.none(), st.floats(0, 1)), st.floats(0, 1)),
                min_size=1, max_size=30))
def test_times_never_run_backwards(drawn: list[tuple[float, float, float | None, float]]) -> None:
    """Whatever attention says, and whatever holes an aligner leaves: its own spans are in order."""
    attention = words(*((start, start + length) for start, length, _, _ in drawn))
    spans: list[Span | None] = []
    clock = 0.0
    for _, _, gap, length in drawn:
        if gap is None:
            spans.append(None)
            continue
        spans.append(Span(clock + gap, clock + gap + length))
        clock += gap + length
    found = merged(attention, spans)
    assert [word.text for word in found] == [word.text for word in attention]
    for before, after in pairwise(found):
        if after.timing == "aligned" or before.timing == "aligned":
            assert before.end <= after.start + 1e-3
    assert all(word.start <= word.end for word in found)


def test_a_window_is_aligned_as_a_whole() -> None:
    aligner = SteadyAligner(start_s=0.5)
    given_ = (segment((0.4, 0.7), (0.8, 1.1)), segment((1.2, 1.5), (1.6, 1.9)))
    found = alignment.align(aligner, np.zeros(4 * SAMPLE_RATE, np.float32), given_)
    assert aligner.asked == [(4.0, (" word0", " word1", " word0", " word1"))]
    assert [(one.start, one.end) for one in found] == [(0.5, 1.3), (1.3, 2.1)]
    assert all(word.timing == "aligned" for one in found for word in one.words)


def test_a_misheard_segment_costs_no_other_its_times() -> None:
    """The loop of words in the second segment does not fit its sound: neither does the window, but the first does."""
    aligner = SteadyAligner(start_s=0.4)
    heard = segment((1.0, 1.3), (1.3, 1.7))
    loop = segment(*((2 + number / 64, 2 + number / 64) for number in range(0, 32, 8) for _ in range(10)))
    first, second = alignment.align(aligner, np.zeros(4 * SAMPLE_RATE, np.float32), (heard, loop))
    assert [word.timing for word in first.words] == ["aligned", "aligned"]
    assert (first.start, first.end) == (1.0, 1.8)
    assert second == loop


def test_without_alignment_nothing_changes() -> None:
    alone = (segment((0.1, 0.2), (0.2, 0.3)),)
    assert alignment.align(SteadyAligner(word_s=5.0), np.zeros(SAMPLE_RATE, np.float32), alone) == alone
    assert alignment.align(SteadyAligner(), np.zeros(0, np.float32), ()) == ()
