"""Deterministic stand-ins for the engines: fast, without weights, for the tests of everything around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cp_whisperx.engines.protocols import Entity, Heard, Task
from cp_whisperx.errors import EngineError
from cp_whisperx.film.facts import FilmFacts
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
