"""From speech probabilities to spans: hysteresis, shortest speech and silence, padding, longest span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cp_whisperx.timeline import SpeechSpan, ms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class SpanRules:
    """Speech begins at `threshold` and goes on while the probability stays over `release`.

    A span whose highest probability is below `peak` is not believed: that is what lets `threshold` be low
    enough for quiet speech without taking music for it.
    """

    threshold: float
    release: float
    peak: float
    min_speech_s: float
    min_silence_s: float
    pad_s: float
    max_span_s: float


def spans(probabilities: NDArray[np.float32], frame_s: float, duration_s: float,
          rules: SpanRules) -> tuple[SpeechSpan, ...]:
    """`probabilities` of shape (n_frames,), each for `frame_s` seconds. Spans never overlap, padding included."""
    found = joined(runs(probabilities, rules.threshold, rules.release), rules.min_silence_s / frame_s)
    return spans_of(_believed(found, probabilities, rules, frame_s), probabilities, frame_s, duration_s, rules)


def spans_of(found: list[tuple[int, int]], probabilities: NDArray[np.float32], frame_s: float, duration_s: float,
             rules: SpanRules) -> tuple[SpeechSpan, ...]:
    """The stretches of frames first..last (exclusive) as spans: cut where they are too long, then padded."""
    parts = [part for run in found for part in _cut(run, probabilities, int(rules.max_span_s / frame_s))]
    result = []
    for position, (first, last) in enumerate(parts):
        onset, offset = first * frame_s, min(last * frame_s, duration_s)
        before = parts[position - 1][1] * frame_s if position else 0.0
        after = parts[position + 1][0] * frame_s if position + 1 < len(parts) else duration_s
        # Two neighbours share the silence between them.
        left = rules.pad_s if not position else min(rules.pad_s, (onset - before) / 2)
        right = rules.pad_s if position + 1 == len(parts) else min(rules.pad_s, (after - offset) / 2)
        heard = probabilities[first:last]
        result.append(SpeechSpan(
            start=ms(max(0.0, onset - left)), end=ms(min(duration_s, offset + right)),
            onset=ms(onset), offset=ms(offset),
            probability=round(float(heard.mean()), 3), peak=round(float(heard.max()), 3)))
    return tuple(result)


def runs(probabilities: NDArray[np.float32], threshold: float, release: float) -> list[tuple[int, int]]:
    """Frames first..last (exclusive) of each stretch between crossing `threshold` and falling under `release`."""
    import numpy as np

    # What is at the threshold decides for speech, what is under the release against it; between them nothing changes.
    decided = np.flatnonzero((probabilities >= threshold) | (probabilities < release))
    if not decided.size:
        return []
    speaks = probabilities[decided] >= threshold
    turns = np.flatnonzero(np.diff(speaks, prepend=False))
    edges = decided[turns].tolist()
    if len(edges) % 2:
        edges.append(len(probabilities))
    return list(zip(edges[::2], edges[1::2], strict=True))


def joined(found: list[tuple[int, int]], min_silence: float) -> list[tuple[int, int]]:
    """Stretches, by their beginning, with those made one that overlap or lie less than `min_silence` frames apart."""
    result: list[tuple[int, int]] = []
    for first, last in found:
        if result and first - result[-1][1] < min_silence:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def _believed(found: list[tuple[int, int]], probabilities: NDArray[np.float32], rules: SpanRules,
              frame_s: float) -> list[tuple[int, int]]:
    return [(first, last) for first, last in found
            if (last - first) * frame_s >= rules.min_speech_s and float(probabilities[first:last].max()) >= rules.peak]


def _cut(run: tuple[int, int], probabilities: NDArray[np.float32], longest: int) -> list[tuple[int, int]]:
    """Cuts a run that is too long where speech is least probable, in the second half of what fits."""
    first, last = run
    parts = []
    while last - first > longest:
        half = first + longest // 2
        cut = half + int(probabilities[half:first + longest].argmin())
        parts.append((first, cut))
        first = cut
    return [*parts, (first, last)]
