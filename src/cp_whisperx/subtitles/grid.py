"""The clock of a film's pictures: rules in frames and seconds become whole ticks once, and cues stand on ticks.

A tick is a frame where the film has a picture, else a millisecond. Times are written rounded down to the millisecond:
a player that shows a cue while start <= time of the frame < end then shows it for just the frames that were meant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_SLACK = 1e-3
"""Part of a tick that the rounding of a number in a profile may take (0.833 s are 20 frames at 24 per second)."""
_TINY = 1e-6
_FRAMES_PER_S = 24
_MS_PER_S = 1000.0


@dataclass(frozen=True)
class Grid:
    """`ticks_per_s` and `ticks_per_frame`; make one with `of`."""

    ticks_per_s: float
    ticks_per_frame: float

    @staticmethod
    def of(frame_rate: float | None) -> Grid:
        """`frame_rate` per second; None, or one that no picture has: milliseconds, with frames of 1/24 s."""
        if frame_rate is None or not 5 <= frame_rate <= 240:
            return Grid(_MS_PER_S, _MS_PER_S / _FRAMES_PER_S)
        return Grid(exact_rate(frame_rate), 1.0)

    def tick(self, seconds: float) -> int:
        """The tick that begins nearest to a moment: half a frame early or late is less than a word's time is sure."""
        return math.floor(seconds * self.ticks_per_s + 0.5)

    def tick_after(self, seconds: float) -> int:
        """The first tick that begins at a moment or behind it; a time in milliseconds may have been rounded up."""
        return math.ceil(seconds * self.ticks_per_s - min(0.5, self.ticks_per_s / 1000) - _TINY)

    def seconds(self, tick: int) -> float:
        """When a tick begins, rounded down to the millisecond."""
        return math.floor(tick / self.ticks_per_s * 1000 + _TINY) / 1000

    def at_least(self, seconds: float) -> int:
        """The fewest ticks that last so long."""
        return math.ceil(seconds * self.ticks_per_s - _SLACK)

    def at_most(self, seconds: float) -> int:
        """The most ticks that last no longer."""
        return math.floor(seconds * self.ticks_per_s + _SLACK)

    def frames(self, count: int) -> int:
        """Ticks of `count` frames of this film."""
        return math.ceil(count * self.ticks_per_frame - _SLACK)

    def frames_at_24(self, count: int) -> int:
        """Ticks of a time that is written as frames at 24 per second: 12 of them are half a second at any rate."""
        return self.at_least(count / _FRAMES_PER_S)


def exact_rate(frame_rate: float) -> float:
    """23.976 and 29.97 are short for 24000/1001 and 30000/1001, which matters after an hour; others are as given."""
    nominal = round(frame_rate * 1.001)
    ntsc = nominal * 1000 / 1001
    return ntsc if abs(frame_rate - ntsc) < min(0.002, abs(frame_rate - nominal)) else frame_rate
