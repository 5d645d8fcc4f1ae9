"""Speech spans packed into the windows that a recogniser takes, and the way back to sample time.

A window holds nothing but speech spans, one after another, with at most a short silence between them: what
lies outside the spans is never decoded, and a film of short remarks does not cost a full window for each.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cp_whisperx.media.samples import Samples
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Span, SpeechSpan, Word, ms, total

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JOIN_S = 0.5
"""Longest silence kept between two spans of a window, as digital silence."""

SNAP_S = 0.3
"""A first word that starts this much behind the onset of its span was not heard at the onset."""

_CLEARLY_S = 0.06
"""A word that ends less than this behind an onset may as well be the end of what was before it."""


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

    def place(self, segments: Sequence[Segment]) -> tuple[Segment, ...]:
        """Segments with window times, in sample time: each word inside the one span that it belongs to.

        Cross-attention puts a first word up to 0.2 s off, while a detector hears the onset of speech within
        two of its frames: the first word of a span starts on the onset, unless it is far from it.
        """
        placed = []
        seen: set[int] = set()
        for segment in segments:
            words = []
            for word in segment.words:
                position = self._span_of(word)
                words.append(self._in_span(word, position, first=position not in seen))
                seen.add(position)
            placed.append(replace(segment, start=words[0].start, end=words[-1].end, words=tuple(words)))
        return tuple(placed)

    def _span_of(self, word: Word) -> int:
        """The span in whose speech the word ends; else the one it covers most; else the nearest.

        A word at the beginning of speech is given the silence before it, so its end says more than its start.
        """
        last = max(0, bisect.bisect_right(self.offsets, word.end) - 1)
        near = range(max(0, last - 1), min(len(self.spans), last + 2))

        def fit(position: int) -> tuple[bool, float, float]:
            span, shift = self.spans[position], self.offsets[position] - self.spans[position].start
            heard = Span(span.onset + shift, span.offset + shift)
            ends_in_it = heard.start + _CLEARLY_S <= word.end <= heard.end
            away = max(heard.start - word.end, word.end - heard.end, 0.0)
            return ends_in_it, heard.overlap(word), -away

        return max(near, key=fit)

    def _in_span(self, word: Word, position: int, *, first: bool) -> Word:
        span = self.spans[position]
        shift = span.start - self.offsets[position]
        start = min(max(word.start + shift, span.onset), span.offset)
        if first and start - span.onset <= SNAP_S:
            start = span.onset
        # The offset is late rather than early (the detector holds on), so it bounds words and never drags them.
        end = min(max(word.end + shift, start), max(span.offset, start))
        return replace(word, start=ms(start), end=ms(end))


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
