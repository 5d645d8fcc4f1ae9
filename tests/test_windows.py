from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.media.samples import Samples
from cp_whisperx.timeline import SAMPLE_RATE, Segment, SpeechSpan, Word
from cp_whisperx.windows import JOIN_S, pack, spread


def span(start: float, end: float, pad: float = 0.2) -> SpeechSpan:
    return SpeechSpan(start, end, start + pad, end - pad, 0.9, 1.0)


def segment(*words: tuple[float, float, str]) -> Segment:
    made = tuple(Word(start, end, text, 0.9) for start, end, text in words)
    return Segment(made[0].start, made[-1].end, "".join(word.text for word in made), made, -0.2, 0.0, 1.0)


def test_spans_fill_windows_with_short_joins() -> None:
    windows = pack([span(10, 20), span(25, 30), span(400, 412), span(413, 416)], 30)
    assert [len(window.spans) for window in windows] == [3, 1]
    assert windows[0].offsets == (0.0, 10 + JOIN_S, 15 + 2 * JOIN_S)
    assert windows[0].speech_s == 27


def test_spans_that_touch_stay_joined() -> None:
    assert pack([span(0, 5), span(5, 8)], 30)[0].offsets == (0.0, 5.0)


def test_a_span_that_fits_no_window_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        pack([span(0, 31)], 30)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.5, 25)), max_size=40))
def test_windows_hold_every_span_once_and_fit(gaps: list[tuple[float, float]]) -> None:
    spans, clock = [], 0.0
    for gap, length in gaps:
        spans.append(span(clock + gap, clock + gap + length))
        clock += gap + length
    windows = pack(spans, 30)
    assert [one for window in windows for one in window.spans] == spans
    assert all(window.duration_s <= 30 + 1e-6 for window in windows)


def test_sound_outside_the_spans_is_never_heard(tmp_path: Path) -> None:
    import wave

    loud = np.full(10 * SAMPLE_RATE, 16384, "<i2")
    loud[2 * SAMPLE_RATE:3 * SAMPLE_RATE] = 8192
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(loud.tobytes())
    (window,) = pack([span(2, 3), span(5, 6)], 30)
    sound = window.sound(Samples(tmp_path / "a.wav"))
    assert sound.size == round((2 + JOIN_S) * SAMPLE_RATE)
    assert np.all(sound[:SAMPLE_RATE] == 0.25)
    assert np.all(sound[SAMPLE_RATE:round((1 + JOIN_S) * SAMPLE_RATE)] == 0)
    assert np.all(sound[-SAMPLE_RATE:] == 0.5)


PLACED = {
    "inside": ((1.4, 1.6), (101.4, 101.6)),
    "the first word starts on the onset": ((0.35, 0.6), (100.2, 100.6)),
    "a late first word stays late": ((0.9, 1.2), (100.9, 101.2)),
    "never before the onset": ((0.0, 0.5), (100.2, 100.5)),
    "never behind the offset": ((4.0, 5.3), (104.0, 104.8)),
    "a word that ends in the next span belongs to it": ((4.7, 6.0), (110.2, 110.5)),
    "in the silence between: the nearest": ((5.05, 5.15), (104.8, 104.8)),
}


@pytest.mark.parametrize("name", PLACED)
def test_words_are_placed_in_their_span(name: str) -> None:
    (window,) = pack([span(100, 105), span(110, 115)], 30)
    (start, end), expected = PLACED[name]
    (placed,) = window.place([segment((start, end, " word"))])
    assert (placed.words[0].start, placed.words[0].end) == expected


def test_spread_covers_the_whole_film() -> None:
    assert spread(3, 12) == (0, 1, 2)
    positions = spread(240, 12)
    assert len(positions) == 12
    assert positions[0] < 20 and positions[-1] >= 220
