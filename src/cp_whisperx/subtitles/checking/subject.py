"""What is checked, in whole microseconds, so that no comparison depends on how a float was rounded."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from cp_whisperx.subtitles.profiles import Profile
from cp_whisperx.subtitles.text import width
from cp_whisperx.timeline import Cue, Span

_NEARLY = 0.001
"""Part of a frame that the rounding of a number in a profile may take."""


def us(seconds: float) -> int:
    return round(seconds * 1_000_000)


@dataclass(frozen=True)
class Subject:
    """As `check` describes it; `frame_rate` is per second, whether known or assumed."""

    cues: tuple[Cue, ...]
    profile: Profile
    frame_rate: float
    resolution_s: float
    cuts: tuple[float, ...] | None
    speech: tuple[Span, ...] | None
    language: str

    @property
    def step(self) -> int:
        """The smallest step of the file's times, microseconds."""
        return us(self.resolution_s)

    @property
    def frame(self) -> float:
        """Microseconds."""
        return 1_000_000 / self.frame_rate

    def too_little(self, value: int, limit: float) -> bool:
        """By a step of the file or more; both in microseconds."""
        return value <= limit - self.step

    def too_much(self, value: int, limit: float) -> bool:
        return value >= limit + self.step

    def numbered(self) -> Iterator[tuple[int, Cue]]:
        return enumerate(self.cues, 1)

    @functools.cached_property
    def in_order(self) -> tuple[tuple[int, Cue], ...]:
        """Number and cue by start; cues that start together keep the order of the file."""
        return tuple(sorted(self.numbered(), key=lambda numbered: numbered[1].start))

    def gaps(self) -> Iterator[tuple[int, int]]:
        """Number of a cue, and microseconds to the next one; negative where they overlap."""
        for (number, cue), (_, following) in pairwise(self.in_order):
            yield number, us(following.start) - us(cue.end)

    def frames(self, microseconds: float) -> int:
        """To the nearest whole frame: what stands on frames stays on them, whichever way its time was rounded."""
        return math.floor(microseconds / self.frame + 0.5)

    def frames_at_24(self, count: int) -> int:
        """Frames of this film that last at least as long as `count` at 24 per second."""
        return math.ceil(count / 24 * self.frame_rate - _NEARLY)


def duration(cue: Cue) -> int:
    """Microseconds; not positive for a cue that ends where or before it starts."""
    return us(cue.end) - us(cue.start)


def characters(cue: Cue) -> int:
    """As a reader counts them, spaces included; the break between two lines is none."""
    return sum(map(width, cue.lines))


def words(cue: Cue) -> int:
    return sum(any(character.isalnum() for character in word) for line in cue.lines for word in line.split())


def clock_text(microseconds: float) -> str:
    seconds = microseconds / 1_000_000
    return f"{int(seconds // 3600)}:{int(seconds // 60 % 60):02d}:{seconds % 60:06.3f}"


def seconds_text(microseconds: float) -> str:
    return f"{microseconds / 1_000_000:.3f} s"
