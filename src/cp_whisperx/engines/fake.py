"""Deterministic stand-ins for the engines: fast, without weights, for the tests of everything around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cp_whisperx.engines.protocols import ANY_SCRIPT, Heard, Task
from cp_whisperx.scripts import foreign
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Span, Word

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

    def transcribe(self, wave: Waveform, *, language: str, task: Task, scripts: frozenset[str] = ANY_SCRIPT,
                   prompt: str = "") -> Heard:
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


class SteadyAligner:
    """Puts the words on the sound one behind the other, each `word_s` long, from `start_s` on; None if they do not fit.

    A word without letters and digits is not pronounced.
    """

    language = "en"

    def __init__(self, *, start_s: float = 0.0, word_s: float = 0.4) -> None:
        self.start_s, self.word_s = start_s, word_s
        self.asked: list[tuple[float, tuple[str, ...]]] = []

    def align(self, wave: Waveform, words: Sequence[str]) -> tuple[Span | None, ...] | None:
        length_s = wave.size / SAMPLE_RATE
        self.asked.append((length_s, tuple(words)))
        spans: list[Span | None] = []
        clock = self.start_s
        for word in words:
            if not any(character.isalnum() for character in word):
                spans.append(None)
                continue
            spans.append(Span(clock, clock + self.word_s))
            clock += self.word_s
        return tuple(spans) if clock <= length_s + 1e-6 else None


class TextTranscriber(CountingTranscriber):
    """Hears the first of its texts that is in the scripts it may write, whatever the sound; half a second a word."""

    def __init__(self, *texts: str, language: str = "hi") -> None:
        super().__init__(language=language)
        self.texts = texts
        self.asked: list[tuple[frozenset[str], str]] = []

    def transcribe(self, wave: Waveform, *, language: str, task: Task, scripts: frozenset[str] = ANY_SCRIPT,
                   prompt: str = "") -> Heard:
        self.calls += 1
        self.asked.append((scripts, prompt))
        text = next(text for text in self.texts if not scripts or not foreign(text, scripts) or text == self.texts[-1])
        words = tuple(Word(number * 0.5, number * 0.5 + 0.4, f" {word}", 0.9)
                      for number, word in enumerate(text.split()))
        return Heard((Segment(0.0, words[-1].end, text, words, -0.2, 0.1, 1.2),), "fake")
