"""Times for words of a translation: those of the spoken words that they stand for.

English words cannot be aligned with Hindi sound, and attention of the translating decoder is worse than that of the
transcribing one. So the same window is transcribed too, and each translated segment is laid over the words that are
spoken in its time: its words share their intervals by length, and never lie in a pause between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cp_whisperx.timeline import Segment, Span, Word, ms

_JOIN_S = 0.1
"""A shorter pause between spoken words is none."""


def carry(translated: Sequence[Segment], spoken: Sequence[Segment]) -> tuple[Segment, ...]:
    """The translated segments, in order, with carried times; one in whose time nothing is spoken keeps its own."""
    words = [word for segment in spoken for word in segment.words]
    shares: list[list[Word]] = [[] for _ in translated]
    for word in words:
        if near := _nearest(translated, (word.start + word.end) / 2):
            shares[near[1]].append(word)
    return tuple(_laid(segment, _intervals(share)) if share else segment
                 for segment, share in zip(translated, shares, strict=True))


def _nearest(segments: Sequence[Segment], at_s: float) -> tuple[float, int] | None:
    """How far the nearest segment is, and which it is."""
    away = [(max(segment.start - at_s, at_s - segment.end, 0.0), position)
            for position, segment in enumerate(segments)]
    return min(away, default=None)


def _intervals(words: Sequence[Word]) -> list[Span]:
    """Where somebody speaks: the words with the short pauses between them, in order."""
    spans: list[Span] = []
    for word in words:
        if spans and word.start - spans[-1].end < _JOIN_S:
            spans[-1] = Span(spans[-1].start, max(spans[-1].end, word.end))
        else:
            spans.append(Span(word.start, word.end))
    return spans


def _laid(segment: Segment, spans: Sequence[Span]) -> Segment:
    """Words one behind another over the speech in `spans`; a word across a pause goes where more of it lies."""
    total_s = sum(span.duration for span in spans)
    letters = [max(1, len(word.text.strip())) for word in segment.words]
    laid: list[Word] = []
    said = 0
    for word, size in zip(segment.words, letters, strict=True):
        start, end = (total_s * part / sum(letters) for part in (said, said + size))
        said += size
        at = _in_speech(Span(start, end), spans)
        laid.append(replace(word, start=ms(at.start), end=ms(at.end), timing="carried", confidence=None))
    return replace(segment, start=laid[0].start, end=laid[-1].end, words=tuple(laid))


def _in_speech(part: Span, spans: Sequence[Span]) -> Span:
    """A stretch of the speech alone, in seconds of speech, as a time: within the interval that holds most of it."""
    best: tuple[float, Span] | None = None
    before_s = 0.0
    for span in spans:
        own = Span(before_s, before_s + span.duration)
        shift = span.start - before_s
        shared = own.overlap(part)
        if best is None or shared > best[0]:
            best = shared, Span(max(own.start, min(part.start, own.end)) + shift,
                                min(own.end, max(part.end, own.start)) + shift)
        before_s = own.end
    assert best is not None
    return best[1]
