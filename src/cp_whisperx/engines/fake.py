"""Deterministic stand-ins for the engines: fast, without weights, for the tests of everything around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cp_whisperx.engines.protocols import Heard, Task
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cp_whisperx.engines.protocols import Waveform


class EnergyDetector:
    """Takes a frame for speech if it is louder than -40 dBFS."""

    frame_samples = 512
    version = "energy"

    def probabilities(self, blocks: Iterator[Waveform]) -> Iterator[NDArray[np.float32]]:
        import numpy as np

        for block in blocks:
            padded = np.zeros(-(-block.size // self.frame_samples) * self.frame_samples, np.float32)
            padded[:block.size] = block
            power = (padded.reshape(-1, self.frame_samples) ** 2).mean(axis=1)
            yield np.where(power > 1e-4, 0.95, 0.02).astype(np.float32)


class CountingTranscriber:
    """Hears one word a half second, named by the loudness of its window, so that text depends on the sound."""

    multilingual = True
    window_s = 30.0

    def __init__(self, *, language: str = "en") -> None:
        self.language = language
        self.calls = 0

    def languages(self, wave: Waveform) -> dict[str, float]:
        return {self.language: 0.9, "fr": 0.1}

    def transcribe(self, wave: Waveform, *, language: str, task: Task) -> Heard:
        self.calls += 1
        words = []
        for number in range(int(wave.size / SAMPLE_RATE / 0.5)):
            part = wave[int(number * 0.5 * SAMPLE_RATE):int((number + 1) * 0.5 * SAMPLE_RATE)]
            level = round(float(abs(part).mean()) * 1000)
            if level:
                words.append(Word(number * 0.5, number * 0.5 + 0.4, f"word{level}", 0.9))
        if not words:
            return Heard((), "fake")
        text = " ".join(word.text for word in words)
        return Heard((Segment(words[0].start, words[-1].end, text, tuple(words), -0.2, 0.1, 1.2),), "fake")


class LoudnessSegmenter:
    """One local speaker for each loudness: the quietest is the first; in silence there is nobody."""

    window_samples = 5 * SAMPLE_RATE
    frames = 293
    speakers = 3
    first_frame_samples = 495.5
    frame_samples = 270
    version = "loudness"

    def activity(self, batches: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        import numpy as np

        starts = np.arange(self.frames) * self.frame_samples
        for batch in batches:
            sums = np.cumsum(np.pad(np.abs(batch), ((0, 0), (1, 0))), axis=1, dtype=np.float64)
            ends = np.minimum(starts + 991, batch.shape[1])
            level = (sums[:, ends] - sums[:, starts]) / (ends - starts)
            speaker = np.digitize(level, (0.01, 0.1, 0.3))
            yield np.where(speaker[..., None] == np.arange(1, self.speakers + 1), 0.9, 0.05).astype(np.float32)


class PitchEmbedder:
    """The frequency that is strongest, as a position on a quarter circle: near pitches have near embeddings."""

    size = 2
    frame_s = 0.01
    partial_frames = 160
    version = "pitch"

    def features(self, wave: Waveform) -> NDArray[np.float32]:
        hop = round(self.frame_s * SAMPLE_RATE)
        return wave[:wave.size // hop * hop].reshape(-1, hop).astype("float32")

    def embed(self, partials: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        spectrum = np.abs(np.fft.rfft(partials.reshape(len(partials), -1), axis=1))
        angle = spectrum.argmax(axis=1) / spectrum.shape[1] * np.pi / 2 * 8
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)

    def embed_waves(self, waves: Sequence[Waveform]) -> NDArray[np.float32]:
        import numpy as np

        size = self.partial_frames * round(self.frame_s * SAMPLE_RATE)
        filled = [self.features(np.resize(wave, size)) for wave in waves]
        return self.embed(np.stack(filled)) if filled else np.zeros((0, self.size), np.float32)
