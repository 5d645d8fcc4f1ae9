from __future__ import annotations

import pytest

from cp_whisperx.guards.loss import again, unheard
from cp_whisperx.timeline import Span, SpeechSpan


def speech(onset: float, offset: float, peak: float = 1.0) -> SpeechSpan:
    return SpeechSpan(onset - 0.2, offset + 0.2, onset, offset, 0.9, peak)


CASES = {
    "all under words": ([speech(1, 5)], [(1.0, 2.5), (2.6, 5.0)], []),
    "no word at all": ([speech(1, 5)], [], [(1, 5)]),
    "the end is missing": ([speech(1, 5)], [(1.0, 2.5)], [(2.8, 5)]),
    "the middle is missing": ([speech(1, 9)], [(1.0, 2.0), (7.0, 9.0)], [(2.3, 6.7)]),
    "a pause between words": ([speech(1, 5)], [(1.0, 2.5), (3.7, 5.0)], []),
    "a breath": ([speech(1, 1.7)], [], []),
    "a word of another span": ([speech(1, 3), speech(5, 8)], [(5.0, 8.0)], [(1, 3)]),
    "words that overlap": ([speech(1, 5)], [(1.0, 4.9), (2.0, 2.2)], []),
    "no speech": ([], [(1.0, 2.0)], []),
}


@pytest.mark.parametrize("name", CASES)
def test_speech_without_words(name: str) -> None:
    spans, words, lost = CASES[name]
    found = unheard(spans, [Span(*word) for word in words])
    assert [(span.onset, span.offset) for span in found] == lost
    for span in found:
        assert any(whole.start <= span.start <= span.onset < span.offset <= span.end <= whole.end for whole in spans)


def test_neighbours_are_heard_together_up_to_a_window() -> None:
    spans = [speech(start, start + 9.5) for start in (0.5, 10.5, 20.5, 40.0)]
    heard = [(miss.span.onset, miss.span.offset) for miss in again(spans, (), [])]
    assert heard == [(0.5, 20.0), (20.5, 30.0), (40, 49.5)]


def test_the_lower_threshold_adds_what_lies_outside() -> None:
    usual = [speech(1, 5)]
    faint = [speech(0.8, 5.4, 0.9), speech(20, 23, 0.4)]
    found = again(usual, faint, [Span(1.0, 5.0)])
    assert [(miss.span.onset, miss.faint) for miss in found] == [(20, True)]


def test_where_nothing_is_to_be_heard_nobody_listens_again() -> None:
    assert again([speech(1, 5)], (), [], [Span(1.0, 4.8)]) == ()
    assert len(again([speech(1, 5)], (), [], [Span(1.0, 2.0)])) == 1
