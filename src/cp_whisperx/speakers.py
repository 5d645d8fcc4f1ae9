"""Words meet speakers: the turns of a film in, each word with the speaker who says it out; and what they are called."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cp_whisperx.timeline import Span, Turn, Word

NEAR_S = 0.5
"""A word that meets no turn belongs to the nearest one within this distance: word times and turns are that exact."""


@dataclass(frozen=True, slots=True)
class _Voice:
    """The turns of one speaker, merged, so that starts and ends both rise."""

    speaker: str
    starts: tuple[float, ...]
    ends: tuple[float, ...]

    def overlap(self, span: Span) -> float:
        """Seconds of `span` that this speaker speaks."""
        first = bisect.bisect_right(self.ends, span.start)
        last = bisect.bisect_left(self.starts, span.end)
        return sum(min(self.ends[turn], span.end) - max(self.starts[turn], span.start) for turn in range(first, last))

    def distance(self, span: Span) -> float:
        """Seconds between `span` and this speaker's nearest turn; 0 where they touch."""
        after = bisect.bisect_left(self.ends, span.start)
        gaps = [max(0.0, start - span.end) for start in self.starts[after:after + 1]]
        gaps += [span.start - end for end in self.ends[after - 1:after]]
        return min(gaps)


def assign(words: Iterable[Word], turns: Sequence[Turn], *, near_s: float = NEAR_S) -> tuple[Word, ...]:
    """The same words with `speaker` set: who speaks during most of the word.

    Where nobody does, the nearest turn within `near_s` counts; a word further off keeps None. Of speakers with equal
    claim, the one of the word before goes on; failing that, the one whose first turn is earliest. The cost is
    O(words * speakers * log turns): each speaker's turns are searched, not walked.
    """
    voices = _voices(turns)
    found: list[Word] = []
    before: str | None = None
    for word in words:
        before = _speaker(word, voices, near_s, before)
        found.append(replace(word, speaker=before))
    return tuple(found)


def _voices(turns: Sequence[Turn]) -> list[_Voice]:
    """One per speaker, by first turn."""
    spans: dict[str, list[Span]] = {}
    for turn in sorted(turns):
        merged = spans.setdefault(turn.speaker, [])
        if merged and turn.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, turn.end))
        else:
            merged.append(Span(turn.start, turn.end))
    return [_Voice(speaker, tuple(span.start for span in merged), tuple(span.end for span in merged))
            for speaker, merged in spans.items()]


def _speaker(word: Word, voices: Sequence[_Voice], near_s: float, before: str | None) -> str | None:
    if not voices:
        return None
    overlaps = [voice.overlap(word) for voice in voices]
    best = max(overlaps)
    if best > 0:
        claims = [voice.speaker for voice, overlap in zip(voices, overlaps, strict=True) if overlap == best]
    else:
        distances = [voice.distance(word) for voice in voices]
        nearest = min(distances)
        if nearest > near_s:
            return None
        claims = [voice.speaker for voice, distance in zip(voices, distances, strict=True) if distance == nearest]
    return before if before in claims else claims[0]


def parse_names(value: object) -> object:
    """`S1=Simran,S2=Raj`, or a line for each, as a mapping; `#` begins a comment. What is no text stays as it is.

    Raises ValueError, which says what is wrong.
    """
    if not isinstance(value, str):
        return value
    names: dict[str, str] = {}
    for line in value.removeprefix("\ufeff").splitlines():
        for entry in re.sub(r"(^|\s)#.*", "", line).split(","):
            if not entry.strip():
                continue
            label, equals, name = (part.strip() for part in entry.partition("="))
            if not equals or not name or not re.fullmatch(r"S[1-9]\d*", label):
                raise ValueError(f"{entry.strip()!r} names nobody: write S1=Simran")
            if label in names:
                raise ValueError(f"{label} has two names, {names[label]} and {name}")
            names[label] = name
    return names
