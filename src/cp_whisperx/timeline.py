"""The values on the time line: frozen, in seconds. Sample time until subtitle-gen, film time after it."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

SAMPLE_RATE = 16_000
"""Hz. Every stage that listens works on mono samples at this rate."""


def ms(seconds: float) -> float:
    """Rounded to one millisecond, as times are written."""
    return round(seconds, 3)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, `start` <= `end`, seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        return self.end - self.start

    def overlap(self, other: Span) -> float:
        """Seconds that both cover; 0 where they do not meet."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))


@dataclass(frozen=True, slots=True, order=True)
class SpeechSpan(Span):
    """Speech as a detector hears it.

    `start` and `end` include the padding that a recogniser needs; `onset` and `offset` are where speech was
    heard without it. `probability` is the mean over onset..offset, `peak` the highest, both 0..1.
    """

    onset: float
    offset: float
    probability: float
    peak: float


Timing = Literal["attention", "aligned", "carried"]
"""How a word got its times: the recogniser's cross-attention, forced alignment with the sound, or those of the
spoken words that it translates."""


@dataclass(frozen=True, slots=True, order=True)
class Word(Span):
    """One written word with its punctuation, and the space before it where the script has one.

    `probability` 0..1 is the recogniser's own. `confidence` 0..1 is that of the times, None where the method gives
    none. `speaker` is None until turns are known.
    """

    text: str
    probability: float
    timing: Timing = "attention"
    confidence: float | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Turn(Span):
    """One speaker speaks; turns of different speakers may overlap."""

    speaker: str


@dataclass(frozen=True, slots=True, order=True)
class Alternative:
    """A name that may have been said in the place of `count` words of a segment, from the word `first` on.

    `name` may have words beside it that were misheard with it.
    `gain` is the natural logarithm of how many times more probable the sound makes it, to a recogniser that expects
    it, than the words as they were heard; `likeness` 0..1 is how much it sounds like them. `reheard`: who
    expected names heard it so.
    """

    first: int
    count: int
    name: str
    gain: float
    likeness: float
    reheard: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Segment(Span):
    """What a recogniser gives at a time: text and its words, with the measures it gives for doubt."""

    text: str
    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """A rule that a cue could not keep: its name, what it came to, and the limit, in the unit of the rule."""

    rule: str
    value: float
    limit: float


@dataclass(frozen=True, slots=True, order=True)
class Song(Span):
    """A section whose words are sung; `score` 0..1 is how much it sounds like it."""

    score: float


@dataclass(frozen=True, slots=True, order=True)
class Cue(Span):
    """One subtitle: `lines` from top to bottom, with dashes, labels and song signs as they are shown.

    `speakers` has the speaker of each line ("": unknown), or is empty where nobody is known; `words` are the positions
    of its first word and of the one behind its last, in the words it was made of; `cps` is its reading speed in
    characters per second. `italic` and `top` (of the picture, not its foot) hold for the whole cue; `slanted` are the
    positions of single words in italics, counted over the lines.
    """

    lines: tuple[str, ...]
    speakers: tuple[str, ...] = ()
    words: tuple[int, int] | None = None
    sung: bool = False
    cps: float = 0.0
    breaches: tuple[Breach, ...] = ()
    italic: bool = False
    top: bool = False
    slanted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Anchor:
    """From `sample_s` on (to the next anchor) film time runs at `film_s` + (t - `sample_s`)."""

    sample_s: float
    film_s: float


@dataclass(frozen=True, slots=True)
class TimeMap:
    """From sample time to film time: anchors in order, each a jump of the film's clock against the samples.

    A film whose sound starts at 0 and has no holes has the one anchor (0, 0).
    """

    anchors: tuple[Anchor, ...] = (Anchor(0.0, 0.0),)

    def film_time(self, sample_s: float) -> float:
        """Film time of a sample time; at a jump, that of what comes after it."""
        starts = [anchor.sample_s for anchor in self.anchors]
        anchor = self.anchors[max(0, bisect.bisect_right(starts, sample_s) - 1)]
        return anchor.film_s + (sample_s - anchor.sample_s)

    def jumps(self, at_least_s: float) -> tuple[float, ...]:
        """Sample times where film time jumps by `at_least_s` or more, either way."""
        return tuple(
            after.sample_s
            for before, after in zip(self.anchors, self.anchors[1:], strict=False)
            if abs((after.film_s - before.film_s) - (after.sample_s - before.sample_s)) >= at_least_s
        )


def total(spans: Iterable[Span]) -> float:
    """Seconds covered by spans that do not overlap each other."""
    return sum(span.duration for span in spans)


def monotone(words: Sequence[Word]) -> tuple[Word, ...]:
    """The same words with times that never run backwards and never overlap."""
    result: list[Word] = []
    clock = 0.0
    for word in words:
        start = max(word.start, clock)
        end = max(word.end, start)
        result.append(replace(word, start=ms(start), end=ms(end)))
        clock = end
    return tuple(result)
