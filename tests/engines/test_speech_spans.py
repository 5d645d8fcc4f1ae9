from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.engines.speech_spans import SpanRules, spans

FRAME_S = 0.032
RULES = SpanRules(threshold=0.5, release=0.35, peak=0.6, min_speech_s=0.1, min_silence_s=0.3, pad_s=0.2,
                  max_span_s=5.0)


def heard(*parts: tuple[int, float]) -> np.ndarray:
    """Frames of a probability each: (how many, how probable)."""
    return np.concatenate([np.full(count, probability, np.float32) for count, probability in parts])


CASES = {
    "nothing": (heard((100, 0.1)), []),
    "one": (heard((50, 0.0), (50, 0.9), (50, 0.0)), [(50, 100)]),
    "hysteresis holds on down to release": (heard((50, 0.0), (20, 0.9), (20, 0.4), (50, 0.0)), [(50, 90)]),
    "release alone never starts": (heard((50, 0.0), (50, 0.45), (50, 0.0)), []),
    "never reaches the peak": (heard((50, 0.0), (50, 0.55), (50, 0.0)), []),
    "a short pause joins": (heard((20, 0.0), (30, 0.9), (5, 0.0), (30, 0.9), (20, 0.0)), [(20, 85)]),
    "a long pause parts": (heard((20, 0.0), (30, 0.9), (20, 0.0), (30, 0.9), (20, 0.0)), [(20, 50), (70, 100)]),
    "too short": (heard((50, 0.0), (2, 0.9), (50, 0.0)), []),
    "to the very end": (heard((50, 0.0), (50, 0.9)), [(50, 100)]),
}


@pytest.mark.parametrize("name", CASES)
def test_frames_become_spans(name: str) -> None:
    probabilities, frames = CASES[name]
    found = spans(probabilities, FRAME_S, len(probabilities) * FRAME_S, RULES)
    assert [(round(span.onset / FRAME_S), round(span.offset / FRAME_S)) for span in found] == frames


def test_padding_never_makes_spans_overlap() -> None:
    found = spans(CASES["a long pause parts"][0], FRAME_S, 120 * FRAME_S, RULES)
    assert found[0].onset - found[0].start == pytest.approx(0.2, abs=2e-3)
    assert found[0].end <= found[1].start
    tight = spans(heard((20, 0.0), (30, 0.9), (10, 0.0), (30, 0.9)), FRAME_S, 90 * FRAME_S, RULES)
    assert tight[0].end == tight[1].start


def test_a_long_span_is_cut_where_speech_is_least_likely() -> None:
    probabilities = heard((300, 0.9))
    probabilities[120] = 0.4
    found = spans(probabilities, FRAME_S, 300 * FRAME_S, RULES)
    assert round(found[0].offset / FRAME_S) == 120
    assert all(span.duration <= RULES.max_span_s + 1e-6 for span in found)


@given(st.lists(st.floats(0, 1, width=32), max_size=600))
def test_spans_are_in_order_and_inside(probabilities: list[float]) -> None:
    duration = len(probabilities) * FRAME_S
    found = spans(np.array(probabilities, np.float32), FRAME_S, duration, RULES)
    clock = 0.0
    for span in found:
        assert clock <= span.start <= span.onset <= span.offset <= span.end <= duration + 1e-3
        assert RULES.peak <= span.peak or span.duration < RULES.max_span_s
        assert span.duration <= RULES.max_span_s + 2 * RULES.pad_s + FRAME_S
        clock = span.end
