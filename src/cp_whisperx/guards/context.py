"""What a guard may look at besides the segment itself."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from cp_whisperx.engines.speech_spans import SpanRules, spans
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Span, SpeechSpan

if TYPE_CHECKING:
    from cp_whisperx.media.samples import Samples

Verdict = Literal["drop", "re-decode"]
"""drop: there is nothing to hear. re-decode: something may be said here; it is recognised once more, alone."""

_SILENT_DB = -90.0
_LOWEST_USUAL = -1.6
"""A whole film of nonsense must not make nonsense usual: no model gives real speech less than this in the median."""
_FEW = 5
_FAINT = SpanRules(threshold=0.2, release=0.1, peak=0.3, min_speech_s=0.4, min_silence_s=0.3, pad_s=0.2,
                   max_span_s=25.0)


@dataclass(frozen=True, slots=True)
class Doubt:
    """`reason` is in words for a person and holds the numbers."""

    verdict: Verdict
    reason: str


class Sound(Protocol):
    """What is to be heard in a span of sample time."""

    def speech(self, span: Span) -> tuple[float, float]:
        """Mean and highest probability of speech, 0..1."""
        ...

    def level_db(self, span: Span) -> float:
        """RMS level in dB of full scale."""
        ...

    def faint(self) -> tuple[SpeechSpan, ...]:
        """Spans that a lower threshold takes for speech, those of the usual one among them."""
        ...


@dataclass(frozen=True)
class Context:
    """`before` and `after` are the segments around it as recognised, in order."""

    sound: Sound
    usual: float
    """Log probability per token that is usual in this film: a language in which the model is weak has a low one."""
    before: tuple[Segment, ...] = ()
    after: tuple[Segment, ...] = ()


class HeardSound:
    """The film's samples, and a detector's probability of speech in each frame of `frame_s` (Speech.frames)."""

    def __init__(self, samples: Samples, frames: Path, frame_s: float) -> None:
        import numpy as np

        self._samples = samples
        self._frames = np.load(frames).astype(np.float32)
        self._frame_s = frame_s

    def speech(self, span: Span) -> tuple[float, float]:
        first = max(0, min(int(span.start / self._frame_s), len(self._frames) - 1))
        frames = self._frames[first:max(first + 1, round(span.end / self._frame_s))]
        return (float(frames.mean()), float(frames.max())) if len(frames) else (0.0, 0.0)

    def faint(self) -> tuple[SpeechSpan, ...]:
        return spans(self._frames, self._frame_s, len(self._samples) / SAMPLE_RATE, _FAINT)

    def level_db(self, span: Span) -> float:
        import numpy as np

        piece = self._samples.slice(round(span.start * SAMPLE_RATE), round(span.end * SAMPLE_RATE))
        power = float(np.mean(np.square(piece, dtype=np.float64))) if piece.size else 0.0
        return 10 * float(np.log10(power)) if power > 0 else _SILENT_DB


def usual_logprob(segments: Sequence[Segment]) -> float:
    """The median over the film; 0, which asks for nothing, where there are too few segments for one."""
    if len(segments) < _FEW:
        return 0.0
    return max(_LOWEST_USUAL, statistics.median(segment.avg_logprob for segment in segments))


def mean_probability(segment: Segment) -> float:
    """Of the words, 0..1: unlike `avg_logprob`, which a recogniser gives per window, it is the segment's own."""
    return statistics.fmean(word.probability for word in segment.words) if segment.words else 0.0
