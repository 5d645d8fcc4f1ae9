"""Cuts: the short pieces of sound in which one voice speaks alone, each to be told apart by its embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cp_whisperx.diarization.tracks import Voice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPEAKS = 0.5
"""A voice speaks at this probability."""
_OTHERS = 0.3
"""It speaks alone while that of all others together stays below this."""
_LEAST_S = 0.1
_STRETCH = 1.25
"""A run up to this many times the length of a cut stays whole."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Frames `start` to `end` of the film, spoken by `voice` alone in one breath, `run`."""

    voice: int
    run: int
    start: int
    end: int


def cut(voices: Sequence[Voice], frames: int, frame_s: float, length_s: float) -> list[Cut]:
    """Half-overlapping cuts of `length_s` of all that is spoken alone, voice by voice; shorter runs as they are.

    A local speaker may be two people who speak one after the other, so a cut is as short as an embedding can bear.
    """
    import numpy as np

    total = np.zeros(frames, np.float32)
    for voice in voices:
        total[voice.begin:voice.end] += voice.probability
    length = length_s / frame_s
    made: list[Cut] = []
    run = 0
    for number, voice in enumerate(voices):
        others = total[voice.begin:voice.end] - voice.probability
        for start, end in runs((voice.probability > SPEAKS) & (others < _OTHERS)):
            start, end = start + voice.begin, end + voice.begin
            if (end - start) * frame_s < _LEAST_S:
                continue
            more = 0 if end - start <= _STRETCH * length else max(1, int(np.ceil((end - start - length) / length * 2)))
            for place in range(more + 1):
                first = start + (end - start - length) * place / more if more else start
                made.append(Cut(number, run, round(first), round(first + length) if more else end))
            run += 1
    return made


def at_once(voices: Sequence[Voice], most: int) -> tuple[list[Cut], list[int]]:
    """A cut for each voice, and its speaker, where nobody is ever heard alone and so no sound is one person's.

    What is heard at the same time are different people, at most `most`; one that begins when another has ended is
    taken for the same.
    """
    import numpy as np

    spoken = [(int(places[0]) + voice.begin, int(places[-1]) + voice.begin + 1, number)
              for number, voice in enumerate(voices) if len(places := np.flatnonzero(voice.probability > SPEAKS))]
    ends: list[int] = []
    made: list[tuple[Cut, int]] = []
    for start, end, number in sorted(spoken):
        free = [label for label, busy in enumerate(ends) if busy <= start]
        if not free and len(ends) == most:
            continue
        label = free[0] if free else len(ends)
        ends[label:label + 1] = [end]
        made.append((Cut(number, number, start, end), label))
    return [piece for piece, _ in made], [label for _, label in made]


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First position of each stretch of true values, and one past its last."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
