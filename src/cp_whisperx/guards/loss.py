"""Speech that got no words: where it is, and what is worth hearing once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cp_whisperx.timeline import Span, SpeechSpan, ms

UNHEARD_S = 0.8
"""Shorter speech without words is a breath, a laugh, or the end of a word."""
_NEAR_S = 0.3
"""A word's times are no better than this: what is so near to a word belongs to it."""
_PAD_S = 0.2
_JOIN_S = 1.0
_LONGEST_S = 25.0


@dataclass(frozen=True, slots=True)
class Missed:
    """A span to be heard again. `faint`: it was found only at the lower threshold, so its words need more credit."""

    span: SpeechSpan
    faint: bool


def unheard(speech: Sequence[SpeechSpan], words: Sequence[Span]) -> tuple[SpeechSpan, ...]:
    """The parts of `speech`, from onset to offset, that are not under words; at least UNHEARD_S long."""
    ordered = sorted(Span(word.start - _NEAR_S, word.end + _NEAR_S) for word in words)
    found = []
    for span in speech:
        start = span.onset
        for word in ordered:
            if word.end <= start or word.start >= span.offset:
                continue
            found.append(_part(span, start, word.start))
            start = word.end
        found.append(_part(span, start, span.offset))
    return tuple(part for part in found if part.offset - part.onset >= UNHEARD_S)


def again(speech: Sequence[SpeechSpan], faint: Sequence[SpeechSpan], words: Sequence[Span],
          hopeless: Sequence[Span] = ()) -> tuple[Missed, ...]:
    """What a second hearing tries, in order: speech without words, and what a lower threshold takes for speech.

    `hopeless` is where the guards found that there is nothing to hear.
    """
    certain = [Missed(span, False) for span in _joined(unheard(speech, words))]
    taken = [Span(span.start, span.end) for span in speech]
    doubtful = [Missed(span, True) for span in _joined(unheard(faint, [*words, *taken]))]
    return tuple(sorted((missed for missed in (*certain, *doubtful) if not _hopeless(missed.span, hopeless)),
                        key=lambda missed: missed.span))


def _hopeless(span: SpeechSpan, hopeless: Sequence[Span]) -> bool:
    return sum(span.overlap(other) for other in hopeless) > span.duration / 2


def _part(span: SpeechSpan, onset: float, offset: float) -> SpeechSpan:
    onset, offset = max(onset, span.onset), min(max(offset, onset), span.offset)
    return SpeechSpan(ms(max(span.start, onset - _PAD_S)), ms(min(span.end, offset + _PAD_S)), ms(onset), ms(offset),
                      span.probability, span.peak)


def _joined(spans: Sequence[SpeechSpan]) -> list[SpeechSpan]:
    """Neighbours as one, as long as they fit a recogniser's window: a sentence is heard better whole."""
    joined: list[SpeechSpan] = []
    for span in spans:
        if joined and span.start - joined[-1].end < _JOIN_S and span.end - joined[-1].start <= _LONGEST_S:
            last = joined[-1]
            joined[-1] = SpeechSpan(last.start, span.end, last.onset, span.offset,
                                    min(last.probability, span.probability), max(last.peak, span.peak))
        else:
            joined.append(span)
    return joined
