"""Segments and contexts for the guards' cases."""

from __future__ import annotations

from cp_whisperx.engines.fake import SteadySound
from cp_whisperx.guards import Context
from cp_whisperx.timeline import Segment, Word


def segment(text: str, start: float = 10.0, end: float = 13.0, *, logprob: float = -0.3, no_speech: float = 0.05,
            sure: float = 0.9) -> Segment:
    """The words of `text` share its time evenly."""
    parts = text.split() or [text]
    step = (end - start) / len(parts)
    words = tuple(Word(start + number * step, start + (number + 1) * step, f" {part}", sure)
                  for number, part in enumerate(parts))
    return Segment(start, end, text, words, logprob, no_speech, 1.2)


def context(*, mean: float = 0.95, peak: float = 1.0, level_db: float = -20.0, usual: float = -0.3,
            before: tuple[Segment, ...] = (), after: tuple[Segment, ...] = ()) -> Context:
    return Context(SteadySound(mean, peak, level_db), usual, before, after)
