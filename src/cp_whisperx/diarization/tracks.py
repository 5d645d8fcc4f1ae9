"""Tracks: the local speakers of overlapping windows, followed from window to window.

A segmentation model tells up to three voices apart within one window, and gives them columns in no order. Two
neighbouring windows see most of the same sound, so a column of one is the column of the other that speaks at the same
time. A track is such a chain: one voice for as long as no window misses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ON = 128
"""A local speaker speaks at this probability times 255."""
_SAME_SHARE = 0.5
"""Two columns are one voice if they share this much of the frames that the quieter of them speaks."""
_SAME_S = 0.1


@dataclass(frozen=True, slots=True)
class Grid:
    """Where windows and frames lie in time: frame i is centred on `first_frame_s` + i * `frame_s`."""

    step_s: float
    first_frame_s: float
    frame_s: float

    def first(self, window: int) -> int:
        """Frame of the film at which a window begins."""
        return round(window * self.step_s / self.frame_s)

    def time(self, frame: float) -> float:
        """Where a frame begins, seconds; never before the sound does."""
        return max(0.0, self.first_frame_s + (frame - 0.5) * self.frame_s)

    def frames(self, windows: int, frames_per_window: int) -> int:
        """Frames of the film that `windows` cover."""
        return self.first(windows - 1) + frames_per_window if windows else 0


@dataclass(frozen=True, slots=True)
class Track:
    """`windows[i]`, `columns[i]`: where this voice is found, window by window."""

    windows: NDArray[np.int64]
    columns: NDArray[np.int64]


def follow(activity: NDArray[np.uint8], grid: Grid) -> list[Track]:
    """The tracks of `activity`, shape (windows, frames, local speakers), probability times 255; by first window.

    Columns that never speak belong to no track.
    """
    import numpy as np

    count, frames, locals_ = activity.shape
    speaks = np.zeros((count, locals_), bool)
    number = np.full((count, locals_), -1, dtype=np.int64)
    made = 0
    before: NDArray[np.bool_] | None = None
    orders = list(permutations(range(locals_)))
    for window in range(count):
        now = activity[window] >= _ON
        speaks[window] = now.any(axis=0)
        links = [-1] * locals_
        if before is not None:
            offset = grid.first(window) - grid.first(window - 1)
            old, new = before[offset:], now[:frames - offset]
            if len(old):
                both = old.T.astype(np.int64) @ new.astype(np.int64)
                best = max(orders, key=lambda order: sum(both[order[column], column] for column in range(locals_)))
                least = np.minimum(old.sum(axis=0)[list(best)], new.sum(axis=0))
                for column, other in enumerate(best):
                    shared = both[other, column]
                    if shared * grid.frame_s >= _SAME_S and shared >= _SAME_SHARE * least[column]:
                        links[column] = int(number[window - 1, other])
        for column in range(locals_):
            if speaks[window, column]:
                if links[column] < 0:
                    links[column] = made
                    made += 1
                number[window, column] = links[column]
        before = now
    order = np.argsort(number, axis=None, kind="stable")
    where = np.searchsorted(number.ravel()[order], np.arange(made + 1))
    found = []
    for track in range(made):
        places = np.sort(order[where[track]:where[track + 1]])
        found.append(Track(places // locals_, places % locals_))
    return found


@dataclass(frozen=True, slots=True)
class Voice:
    """How probable it is that one voice speaks, frame by frame from frame `begin` of the film on."""

    begin: int
    probability: NDArray[np.float32]

    @property
    def end(self) -> int:
        return self.begin + len(self.probability)


def voices(activity: NDArray[np.uint8], grid: Grid) -> tuple[list[Voice], int]:
    """The voices of the tracks of `activity`, and how many frames the film has."""
    mixer = _Mixer(activity, grid)
    return [mixer.mix(track) for track in follow(activity, grid)], mixer.frames


class _Mixer:
    """Means over all windows that see a frame; those count most that see it in their middle."""

    def __init__(self, activity: NDArray[np.uint8], grid: Grid) -> None:
        import numpy as np

        self._activity = activity
        self._grid = grid
        count, frames, _ = activity.shape
        self._weights = np.hamming(frames).astype(np.float32)
        self.frames = grid.frames(count, frames)
        self._cover = np.zeros(self.frames, np.float32)
        for window in range(count):
            first = grid.first(window)
            self._cover[first:first + frames] += self._weights

    def mix(self, track: Track) -> Voice:
        import numpy as np

        frames = self._activity.shape[1]
        begin = self._grid.first(int(track.windows[0]))
        end = self._grid.first(int(track.windows[-1])) + frames
        mixed = np.zeros(end - begin, np.float32)
        for window, column in zip(track.windows.tolist(), track.columns.tolist(), strict=True):
            first = self._grid.first(window) - begin
            mixed[first:first + frames] += self._weights * self._activity[window, :, column]
        return Voice(begin, np.asarray(mixed / (255 * self._cover[begin:end]), np.float32))
