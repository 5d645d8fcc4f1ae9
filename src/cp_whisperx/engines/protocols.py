"""What a stage asks of a tool. A deterministic fake of each is in `fake`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from cp_whisperx.film.facts import FilmFacts
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
    refused: tuple[Segment, ...] = ()
    """What a first decoding had in a script that the text is not in."""


class Transcriber(Protocol):
    multilingual: bool
    window_s: float
    """Longest sound that is recognised at a time."""

    def tokens(self, text: str) -> int:
        """How many tokens the model's own tokenizer makes of a text."""
        ...

    def languages(self, wave: Waveform) -> dict[str, float]:
        """Probability of each language for the first `window_s` of the sound."""
        ...

    def transcribe(self, wave: Waveform, *, language: str, task: Task, scripts: frozenset[str] = ANY_SCRIPT,
                   prompt: str = "") -> Heard:
        """Words of one window of at most `window_s`. The same input gives the same result.

        `scripts` are those of cp_whisperx.scripts that may be written. `prompt` is taken for what was said before.
        """
        ...

    def score(self, wave: Waveform, words: Sequence[str], *, language: str, task: Task,
              names: str = "") -> tuple[float, ...]:
        """Natural logarithm of the probability of each of the words, given the sound and the words before it.

        `words` are a whole text of the window, each with the space before it. `names` are to be expected. Costs little
        for the wave that was transcribed last.
        """
        ...

    def expecting(self, wave: Waveform, names: str, *, language: str, task: Task) -> tuple[str, ...]:
        """The words of one window as they are heard by one who expects the names, each with the space before it.

        Names are likely to be right, and others to be missing. Costs little for the wave that was transcribed last.
        """
        ...


class Translator(Protocol):
    """A second pass over one window: what was said in one language, as text of another."""

    target: str
    """Language of the text that it gives, ISO 639-1."""

    def translate(self, wave: Waveform, spoken: Sequence[Segment], *, source: str) -> Heard:
        """The window in `target`, in segments of about the times at which they are said, seconds from its start.

        `spoken` is the transcript in `source`, empty if nobody made one. A translator may listen, read, or both.
        Its words need no good times: those of the words spoken are carried over. The same input gives the same text.
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


@dataclass(frozen=True, slots=True)
class Entity:
    """A name in a text as it is written there, and its kind by the labels of OntoNotes 5 (PERSON, GPE, LOC…)."""

    text: str
    label: str


class NameFinder(Protocol):
    version: str

    def find(self, text: str) -> tuple[Entity, ...]:
        """The named entities of a text, in order. The same text gives the same entities."""
        ...


class FilmCatalogue(Protocol):
    """A data base of films. Each method raises EngineError, one sentence, where no answer can be had."""

    name: str
    notice: str
    """What its terms ask a product to say."""

    def film(self, number: str) -> FilmFacts | None:
        """All that is known of a film by its number in this catalogue; None if there is none of that number."""
        ...

    def search(self, title: str, year: int | None) -> tuple[FilmFacts, ...]:
        """Films of about that title, without credits and running time. The year narrows the search."""
        ...

    def by_imdb(self, imdb_id: str) -> str | None:
        """The catalogue's number of the film with that id (`tt0112870`)."""
        ...
