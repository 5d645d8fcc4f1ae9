"""From any channel layout to one channel in which dialogue stands out.

A layout has one or two candidate mixes. Both are written while the film is decoded; which one is kept is
decided at the end, when the levels over the whole film are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CENTRE, FRONTS, AVERAGE, LEFT, MONO = "centre", "fronts", "average", "left", "mono"

_SILENT_DBFS = -65.0
_CANCELLED_DB = 12.0
_FAR_BELOW_DB = 30.0
# Dialogue is mixed to the centre; the fronts carry its reverberation and what is said off screen.
_CENTRE_WEIGHTS = {"FC": 0.8, "FL": 0.28, "FR": 0.28}
_CENTRE_REST = 0.1
_DBFS_OF_NOTHING = -120.0


@dataclass(frozen=True)
class Mixes:
    """Candidate mixes of one layout: `names`, and `weights` of shape (n_names, n_channels)."""

    names: tuple[str, ...]
    weights: NDArray[np.float32]


def candidates(channels: tuple[str, ...]) -> Mixes:
    """`channels` in the media library's names: FL FR FC LFE BL BR SL SR…"""
    import numpy as np

    def row(weights: dict[str, float]) -> list[float]:
        return [weights.get(channel, 0.0) for channel in channels]

    def mean(of: tuple[str, ...]) -> list[float]:
        return row(dict.fromkeys(of, 1.0 / len(of)))

    heard = tuple(channel for channel in channels if not channel.startswith("LFE")) or channels
    fronts = tuple(channel for channel in ("FL", "FR") if channel in channels)
    if len(heard) == 1:
        table = {MONO: row({heard[0]: 1.0})}
    elif "FC" in channels and fronts:
        centre = {channel: _CENTRE_WEIGHTS.get(channel, _CENTRE_REST) for channel in heard}
        table = {CENTRE: row(centre), FRONTS: mean(fronts)}
    else:
        # By position: the channels of a layout that is not told all have the same name.
        table = {AVERAGE: mean(heard), LEFT: [float(position == 0) for position in range(len(channels))]}
    return Mixes(tuple(table), np.array(list(table.values()), dtype=np.float32))


@dataclass
class Levels:
    """Running power of each candidate, and of the centre channel by itself."""

    power: dict[str, float] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, samples: NDArray[np.float32]) -> None:
        import numpy as np

        self.power[name] = self.power.get(name, 0.0) + float(np.dot(samples, samples))
        self.samples[name] = self.samples.get(name, 0) + samples.size

    def dbfs(self, name: str) -> float:
        import math

        mean = self.power.get(name, 0.0) / max(1, self.samples.get(name, 0))
        return round(10 * math.log10(mean), 1) if mean > 0 else _DBFS_OF_NOTHING


FC_ALONE = "FC"


def decide(names: tuple[str, ...], levels: Levels) -> tuple[str, str]:
    """The mix to keep and the reason, for a person."""
    if len(names) == 1:
        return names[0], "one channel"
    first, fallback = names
    if first == CENTRE:
        centre, fronts = levels.dbfs(FC_ALONE), levels.dbfs(FRONTS)
        if centre < _SILENT_DBFS or centre < fronts - _FAR_BELOW_DB:
            return fallback, f"the centre channel is silent ({centre:.0f} dBFS, fronts {fronts:.0f})"
        return first, "dialogue is in the centre channel"
    average, left = levels.dbfs(AVERAGE), levels.dbfs(LEFT)
    if average < left - _CANCELLED_DB:
        return fallback, f"the channels cancel each other ({average:.0f} dBFS together, {left:.0f} alone)"
    return first, "all channels alike"
