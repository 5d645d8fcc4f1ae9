"""What a stage asks of a tool. A deterministic fake of each is in `fake`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from cp_whisperx.timeline import Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Waveform = NDArray[np.float32]
    """Mono samples at 16 kHz in [-1, 1], shape (n,)."""

Task = Literal["transcribe", "translate"]


class SpeechDetector(Protocol):
    frame_samples: int
    """Samples that one probability stands for."""

    def probabilities(self, blocks: Iterator[Waveform]) -> Iterator[NDArray[np.float32]]:
        """Speech probability 0..1 of each frame, in order; state is carried from block to block.

        Blocks hold whole frames, but for the last.
        """
        ...


class SpeakerSegmenter(Protocol):
    """Tells a few local speakers apart within one window; who is who is not kept from one window to the next."""

    window_samples: int
    frames: int
    """Per window."""
    speakers: int
    first_frame_samples: float
    """Frame i of a window is centred on `first_frame_samples` + i * `frame_samples`."""
    frame_samples: int

    def activity(self, batches: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Windows of shape (n, window_samples) to probabilities 0..1 of shape (n, frames, speakers), in order."""
        ...


class SpeakerEmbedder(Protocol):
    size: int
    """Length of an embedding."""
    frame_s: float
    partial_frames: int
    """Frames that are embedded at a time."""

    def features(self, wave: Waveform) -> NDArray[np.float32]:
        """What the encoder hears, one row per `frame_s`, shape (frames, bands); frames may be picked and joined."""
        ...

    def embed(self, partials: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features of shape (n, partial_frames, bands) to embeddings of length 1, shape (n, size)."""
        ...

    def embed_waves(self, waves: Sequence[Waveform]) -> NDArray[np.float32]:
        """One embedding per waveform, the mean over its partials, shape (n, size)."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser made of one window. Times are seconds from the start of the window."""

    segments: tuple[Segment, ...]
    attempt: str
    """Name of the decoding attempt that was kept."""


class Transcriber(Protocol):
    multilingual: bool
    window_s: float
    """Longest sound that is recognised at a time."""

    def languages(self, wave: Waveform) -> dict[str, float]:
        """Probability of each language for the first `window_s` of the sound."""
        ...

    def transcribe(self, wave: Waveform, *, language: str, task: Task) -> Heard:
        """Words of one window of at most `window_s`. The same input gives the same result."""
        ...
