"""Word times by two methods that check each other: the recogniser's attention and forced alignment with the sound.

Attention is rough (0.2 s) and seldom far off; alignment is exact (0.01 s) and, on a wrong or missing word, far off.
So aligned times count where attention is near them, and attention's where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cp_whisperx.timeline import SAMPLE_RATE, Segment, Span, Word, ms

if TYPE_CHECKING:
    from cp_whisperx.engines.protocols import Aligner, Waveform

APART_S = 0.3
"""Two times of a word whose starts and whose ends are both further apart than this contradict each other. One of them
is enough: attention gives a word the silence before it, and then only its end says where it is."""

_MARGIN_S = 0.4
"""Sound around a segment that is aligned by itself."""

_SHORTEST_S = 0.03
"""A word has at least one phone, and a phone three frames of 10 ms."""

_LONGEST_S = 2.0
"""A word that seems longer has swallowed what was not heard, or music."""


def align(aligner: Aligner, wave: Waveform, segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments of one window with better times where they could be had. Times count from the start of `wave`.

    The window is aligned as a whole, since a segment's own bounds are what is to be corrected; if its words are not
    found in it, segment by segment, so that one misheard segment costs no other its times.
    """
    words = [word for segment in segments for word in segment.words]
    spans = _spans(aligner, wave, words, 0.0)
    if spans is None and len(segments) > 1:
        spans = [span for segment in segments for span in _alone(aligner, wave, segment)]
    if spans is None:
        return tuple(segments)
    times = iter(merged(words, spans))
    result = []
    for segment in segments:
        own = tuple(next(times) for _ in segment.words)
        result.append(replace(segment, start=own[0].start, end=own[-1].end, words=own))
    return tuple(result)


def _alone(aligner: Aligner, wave: Waveform, segment: Segment) -> list[Span | None]:
    start = max(0.0, segment.start - _MARGIN_S)
    piece = wave[round(start * SAMPLE_RATE):round((segment.end + _MARGIN_S) * SAMPLE_RATE)]
    return _spans(aligner, piece, segment.words, start) or [None] * len(segment.words)


def _spans(aligner: Aligner, wave: Waveform, words: Sequence[Word], shift_s: float) -> list[Span | None] | None:
    if not words or not wave.size:
        return None
    found = aligner.align(wave, [word.text for word in words])
    if found is None:
        return None
    return [span and Span(ms(span.start + shift_s), ms(span.end + shift_s)) for span in found]


def merged(words: Sequence[Word], spans: Sequence[Span | None]) -> list[Word]:
    """Each word with the times to be believed; they never run backwards. `spans` are the aligned times.

    `confidence` says how near the two methods are: 1 at the same start or end, 0 at APART_S.
    """
    result: list[Word] = []
    position = 0
    while position < len(words):
        span = spans[position]
        if span is not None and _agree(words[position], span):
            near = 1 - _apart(words[position], span) / APART_S
            result.append(replace(words[position], start=span.start, end=span.end, timing="aligned",
                                  confidence=round(near, 2)))
            position += 1
            continue
        last = position
        while last < len(words) and not ((found := spans[last]) and _agree(words[last], found)):
            last += 1
        room = Span(result[-1].end if result else 0.0,
                    found.start if last < len(words) and (found := spans[last]) else float("inf"))
        result += _squeezed(words[position:last], room)
        position = last
    return result


def _agree(word: Word, span: Span) -> bool:
    return _apart(word, span) < APART_S and _SHORTEST_S <= span.duration <= _LONGEST_S


def _apart(word: Word, span: Span) -> float:
    return min(abs(word.start - span.start), abs(word.end - span.end))


def _squeezed(words: Sequence[Word], room: Span) -> list[Word]:
    """Words with attention's times, kept between the aligned ones; where they do not fit, they share the room."""
    if room.duration < _SHORTEST_S * len(words) or words[0].start > room.end or words[-1].end < room.start:
        step = min(room.duration, 1.0) / len(words)
        return [replace(word, start=ms(room.start + number * step), end=ms(room.start + (number + 1) * step))
                for number, word in enumerate(words)]
    result: list[Word] = []
    for word in words:
        start = min(max(word.start, room.start), room.end)
        result.append(replace(word, start=ms(start), end=ms(min(max(word.end, start), room.end))))
    return result
