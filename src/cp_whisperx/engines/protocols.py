"""What a stage asks of a tool. A deterministic fake of each is in `fake`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from cp_whisperx.timeline import Segment, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Waveform = NDArray[np.float32]
    """Mono samples at 16 kHz in [-1, 1], shape (n,)."""

Task = Literal["transcribe", "translate"]

ANY_SCRIPT: frozenset[str] = frozenset()
"""The empty set: nothing is forbidden."""


class SpeechDetector(Protocol):
    frame_samples: int
    """Samples that one probability stands for."""

    def probabilities(self, blocks: Iterator[Waveform]) -> Iterator[NDArray[np.float32]]:
        """Speech probability 0..1 of each frame, in order; state is carried from block to block.

        Blocks hold whole frames, but for the last.
        """
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser made of one window. Times are seconds from the start of the window."""

    segments: tuple[Segment, ...]
    attempt: str
    """Name of the decoding attempt that was kept."""
    refused: tuple[Segment, ...] = ()
    """What a first decoding had in a script that the text is not in."""


class Transcriber(Protocol):
    multilingual: bool
    window_s: float
    """Longest sound that is recognised at a time."""

    def languages(self, wave: Waveform) -> dict[str, float]:
        """Probability of each language for the first `window_s` of the sound."""
        ...

    def transcribe(self, wave: Waveform, *, language: str, task: Task, scripts: frozenset[str] = ANY_SCRIPT,
                   prompt: str = "") -> Heard:
        """Words of one window of at most `window_s`. The same input gives the same result.

        `scripts` are those of cp_whisperx.scripts that may be written. `prompt` is taken for what was said before.
        """
        ...


class Aligner(Protocol):
    language: str
    """The one language that it knows, ISO 639-1."""

    def align(self, wave: Waveform, words: Sequence[str]) -> tuple[Span | None, ...] | None:
        """Where in the sound each of the written words is said, seconds from its start, in order.

        None for a word that is not pronounced (a dash alone). None instead of the tuple if the words cannot be
        found in the sound. The same input gives the same result, whatever was aligned before.
        """
        ...
