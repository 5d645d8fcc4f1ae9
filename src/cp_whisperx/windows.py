"""Speech spans packed into the windows that a recogniser takes, and the way back to sample time.

A window holds nothing but speech spans, one after another, with at most a short silence between them: what
lies outside the spans is never decoded, and a film of short remarks does not cost a full window for each.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cp_whisperx.media.samples import Samples
from cp_whisperx.timeline import SAMPLE_RATE, Segment, SpeechSpan, Word, ms, total

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JOIN_S = 0.5
"""Longest silence kept between two spans of a window, as digital silence."""


@dataclass(frozen=True, slots=True)
class Window:
    """`offsets[i]` is where `spans[i]` starts in the window, seconds."""

    spans: tuple[SpeechSpan, ...]
    offsets: tuple[float, ...]

    @property
    def duration_s(self) -> float:
        return self.offsets[-1] + self.spans[-1].duration

    @property
    def speech_s(self) -> float:
        return total(self.spans)

    def sound(self, samples: Samples) -> NDArray[np.float32]:
        """float32, shape (n,), the spans in their places and zeros between them."""
        import numpy as np

        wave = np.zeros(round(self.duration_s * SAMPLE_RATE), np.float32)
        for span, offset in zip(self.spans, self.offsets, strict=True):
            piece = samples.slice(round(span.start * SAMPLE_RATE), round(span.end * SAMPLE_RATE))
            start = round(offset * SAMPLE_RATE)
            wave[start:start + piece.size] = piece[:wave.size - start]
        return wave

    def place(self, word: Word) -> Word:
        """A word with window times, in sample time: inside the one span in which its middle lies."""
        position = max(0, bisect.bisect_right(self.offsets, (word.start + word.end) / 2) - 1)
        span, shift = self.spans[position], self.spans[position].start - self.offsets[position]
        start = min(max(word.start + shift, span.start), span.end)
        end = min(max(word.end + shift, start), span.end)
        return Word(ms(start), ms(end), word.text, word.probability)

    def place_segment(self, segment: Segment) -> Segment:
        words = tuple(self.place(word) for word in segment.words)
        return Segment(words[0].start, words[-1].end, segment.text, words, segment.avg_logprob,
                       segment.no_speech_prob, segment.compression_ratio)


def pack(spans: Sequence[SpeechSpan], longest_s: float) -> tuple[Window, ...]:
    """Fills windows in order. A span longer than `longest_s` is the detector's fault and raises ValueError."""
    windows: list[Window] = []
    taken: list[SpeechSpan] = []
    offsets: list[float] = []
    for span in spans:
        if span.duration > longest_s:
            raise ValueError(f"a span of {span.duration:.1f} s does not fit a window of {longest_s:.1f} s")
        offset = offsets[-1] + taken[-1].duration + min(JOIN_S, span.start - taken[-1].end) if taken else 0.0
        if taken and offset + span.duration > longest_s:
            windows.append(Window(tuple(taken), tuple(offsets)))
            taken, offsets, offset = [], [], 0.0
        taken.append(span)
        offsets.append(round(offset, 6))
    if taken:
        windows.append(Window(tuple(taken), tuple(offsets)))
    return tuple(windows)


def spread(count: int, most: int) -> tuple[int, ...]:
    """At most `most` positions out of `count`, evenly over all of them."""
    if count <= most:
        return tuple(range(count))
    return tuple(sorted({round((position + 0.5) * count / most - 0.5) for position in range(most)}))
