"""Two speech detectors made one: the mean of what they hear, frame by frame.

A detector of speech by its texture (Silero) hears quiet lines, but takes an instrument for a voice now and then, and
loses far voices; a segmentation network that tells voices apart has other faults: it runs on over music after a
line. Where they agree the mean is sure, where only one is, it lies between the thresholds: it can carry on a stretch
that both have begun, and cannot begin or confirm one, but for its first moments (`begun`). Measured by
bench/speech_activity.py, against either alone and against the union of their spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cp_whisperx.timeline import SAMPLE_RATE, SpeechSpan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CELL = 256
"""Samples: 16 ms. Frames of 512 samples fall evenly into it, so that no onset of the coarse detector moves."""
CELL_S = CELL / SAMPLE_RATE
REACH_S = 1.0
LATE_S = 0.1
SURE = 0.8
"""When the detector by texture is late, see `begun`: at most, at least, and how sure the other one must be."""


def on_cells(values: NDArray[np.float32], frame: int, first_centre: float, samples: int) -> NDArray[np.float32]:
    """For each cell of a sound of `samples`, the value of the frame whose centre is nearest; shape (cells,).

    `frame` and `first_centre` in samples. Without frames, zeros.
    """
    import numpy as np

    cells = -(-samples // CELL)
    if not values.size:
        return np.zeros(cells, np.float32)
    centres = (np.arange(cells, dtype=np.float32) + np.float32(0.5)) * np.float32(CELL / frame)
    nearest = np.rint(centres - np.float32(first_centre / frame)).astype(np.int32)
    return np.asarray(values[np.clip(nearest, 0, len(values) - 1)], np.float32)


def mean(coarse: NDArray[np.float32], fine: NDArray[np.float32], fine_weight: float) -> NDArray[np.float32]:
    """Weighted mean of two probabilities on the same cells."""
    import numpy as np

    return np.asarray(coarse * np.float32(1 - fine_weight) + fine * np.float32(fine_weight), np.float32)


def begun(both: NDArray[np.float32], fine: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """`both` with `threshold` in the cells of a beginning that only the fine detector heard.

    Behind loud music the detector by texture wakes up to half a second late, and the first words of a quiet line
    are lost. The other one is believed back to where it became sure, if it became so within REACH_S before both
    are: where it was sure for longer, it ran on over music. A few cells say nothing: there the mean is more exact.
    """
    import numpy as np

    speaks = both >= threshold
    reach, shortest = round(REACH_S / CELL_S), round(LATE_S / CELL_S)
    result = both.copy()
    for first in np.flatnonzero(np.diff(speaks, prepend=False) & speaks).tolist():
        before = slice(max(0, first - reach), first)
        other = np.flatnonzero((fine[before] < SURE) | speaks[before])
        # A span that is just behind another one is a pause in it.
        if not other.size or speaks[before.start + other[-1]]:
            continue
        since = before.start + int(other[-1]) + 1
        if first - since >= shortest:
            result[since:first] = np.maximum(result[since:first], np.float32(threshold))
    return result


def lost_and_invented(alone: Sequence[SpeechSpan], kept: Sequence[SpeechSpan]) -> tuple[float, float]:
    """Seconds of `kept` that `alone` lacks, and of `alone` that are not kept, padding left aside."""
    shared, position = 0.0, 0
    for span in alone:
        while position < len(kept) and kept[position].offset <= span.onset:
            position += 1
        for other in kept[position:]:
            if other.onset >= span.offset:
                break
            shared += min(span.offset, other.offset) - max(span.onset, other.onset)
    return (max(0.0, sum(span.offset - span.onset for span in kept) - shared),
            max(0.0, sum(span.offset - span.onset for span in alone) - shared))
