"""Deterministic stand-ins for the engines: fast, without weights, for the tests of everything around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cp_whisperx.engines.protocols import ANY_SCRIPT, Entity, Heard, Task
from cp_whisperx.errors import EngineError
from cp_whisperx.film.facts import FilmFacts
from cp_whisperx.scripts import foreign
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Span, SpeechSpan, Word

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

    def tokens(self, text: str) -> int:
        return len(text.split())

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

    def score(self, wave: Waveform, words: Sequence[str], *, language: str, task: Task,
              names: str = "") -> tuple[float, ...]:
        """A name that is expected is sure, all else is as probable as not."""
        expected = set(re.findall(r"\w+", names))
        return tuple(0.0 if re.findall(r"\w+", word)[:1] and re.findall(r"\w+", word)[0] in expected else -0.7
                     for word in words)

    def expecting(self, wave: Waveform, names: str, *, language: str, task: Task) -> tuple[str, ...]:
        """Nothing that was not heard before."""
        return ()


class CapitalNames:
    """Takes every run of capitalised words that does not begin its sentence for a person."""

    version = "capitals"

    def find(self, text: str) -> tuple[Entity, ...]:
        found = re.findall(r"(?<=[^\s.!?] )[A-Z]\w+(?: [A-Z]\w+)*", text)
        return tuple(Entity(name, "PERSON") for name in found)


class ListedCatalogue:
    """Knows the films that it is given, by number, by id, and by any word of their titles; or has no network."""

    name = "the list"
    notice = "This product uses a list of films."

    def __init__(self, films: Sequence[FilmFacts], *, offline: bool = False) -> None:
        self.films = films
        self.offline = offline
        self.asked: list[str] = []

    def film(self, number: str) -> FilmFacts | None:
        return next((film for film in self._all(f"film {number}") if film.ids["tmdb"] == number), None)

    def search(self, title: str, year: int | None) -> tuple[FilmFacts, ...]:
        words = set(title.casefold().split())
        return tuple(FilmFacts(title=film.title, original_title=film.original_title, year=film.year,
                               original_language=film.original_language, ids=film.ids)
                     for film in self._all(f"search {title} {year}")
                     if year in (None, film.year) and words & set(" ".join(film.titles()).casefold().split()))

    def by_imdb(self, imdb_id: str) -> str | None:
        return next((film.ids["tmdb"] for film in self._all(f"imdb {imdb_id}") if film.ids.get("imdb") == imdb_id),
                    None)

    def _all(self, question: str) -> Sequence[FilmFacts]:
        self.asked.append(question)
        if self.offline:
            raise EngineError("the list could not be reached: no connection")
        return self.films


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


class SteadySound:
    """The same everywhere: for guards, what a clear voice gives unless told otherwise."""

    def __init__(self, mean: float = 0.95, peak: float = 1.0, level_db: float = -20.0,
                 faint: tuple[SpeechSpan, ...] = ()) -> None:
        self._mean, self._peak, self._level_db, self._faint = mean, peak, level_db, faint

    def speech(self, span: Span) -> tuple[float, float]:
        return self._mean, self._peak

    def level_db(self, span: Span) -> float:
        return self._level_db

    def faint(self) -> tuple[SpeechSpan, ...]:
        return self._faint


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


class WordTranslator:
    """Reads: each word has its one translation, or stays; the times of a segment are shared out evenly."""

    def __init__(self, words: Mapping[str, str], *, target: str = "en") -> None:
        self.words, self.target = words, target

    def translate(self, wave: Waveform, spoken: Sequence[Segment], *, source: str) -> Heard:
        return Heard(tuple(map(self._translated, spoken)), "fake")

    def _translated(self, segment: Segment) -> Segment:
        texts = [self.words.get(word, word) for word in segment.text.split()]
        step = segment.duration / len(texts)
        words = tuple(Word(segment.start + number * step, segment.start + (number + 1) * step, f" {text}", 0.9)
                      for number, text in enumerate(texts))
        return replace(segment, text=" ".join(texts), words=words)


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
