from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.timeline import Anchor, Span, TimeMap, Word, monotone, total


@pytest.mark.parametrize(("one", "other", "seconds"), [
    (Span(0, 2), Span(1, 3), 1), (Span(0, 1), Span(1, 2), 0), (Span(0, 1), Span(5, 6), 0), (Span(0, 9), Span(2, 3), 1),
])
def test_overlap(one: Span, other: Span, seconds: float) -> None:
    assert one.overlap(other) == other.overlap(one) == seconds


def test_total() -> None:
    assert total([Span(0, 1.5), Span(2, 3)]) == 2.5


HOLE = TimeMap((Anchor(0.0, 0.5), Anchor(10.0, 13.5)))


@pytest.mark.parametrize(("sample_s", "film_s"), [(-1.0, -0.5), (0.0, 0.5), (9.5, 10.0), (10.0, 13.5), (12.0, 15.5)])
def test_film_time_follows_the_anchors(sample_s: float, film_s: float) -> None:
    assert HOLE.film_time(sample_s) == pytest.approx(film_s)


def test_jumps() -> None:
    assert HOLE.jumps(0.2) == (10.0,)
    assert HOLE.jumps(4.0) == ()
    assert TimeMap((Anchor(0, 0), Anchor(5, 5.03))).jumps(0.2) == ()


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(-5, 5))))
def test_monotone_words_never_run_backwards(times: list[tuple[float, float]]) -> None:
    words = monotone([Word(start, start + length, f"w{position}", 0.5)
                      for position, (start, length) in enumerate(times)])
    assert [word.text for word in words] == [f"w{position}" for position in range(len(times))]
    clock = 0.0
    for word in words:
        assert clock <= word.start <= word.end
        clock = word.end
