"""Which cuts are one person: agglomeration by a model of how embeddings spread within and between people.

An embedding is taken for its speaker's mean plus noise, both Gaussian and alike in all directions (the two-covariance
model: Brümmer and de Villiers, "The speaker partitioning problem", 2010). Two clusters become one as long as that
makes the embeddings more probable, and the best pair goes first. So the number of speakers follows from the
probability itself, and the more is heard of two clusters the better they are told apart; a fixed distance knows
neither. How loud the noise is, is measured in the film itself: on cuts of one breath that do not overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOISE_SCALE = 1.2
"""Within a breath a voice varies less than over a film."""
NOISE_PRIOR = 0.4
NOISE_PRIOR_CUTS = 10
NOISE_MOST = 0.85
EVIDENCE = 0.4
"""What a cut counts: the next one shares half its sound with it, and its noise is not new each time."""
BLOCK = 800
"""Cuts that are merged at a time: the cost grows with the cube, memory with the square."""
_MORE_TRIES = 24


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many speakers there may be, and how long one has to speak to count as one, seconds."""

    least: int
    most: int
    least_speech_s: float


def cluster(embeddings: NDArray[np.float32], seconds: NDArray[np.float64], runs: NDArray[np.int64], full_s: float,
            bounds: Bounds) -> NDArray[np.int64]:
    """The speaker of each cut, 0…; shape (n,).

    `embeddings`: shape (n, size), length 1, in the order of the film; `seconds`: length of each cut, of which one of
    `full_s` counts in full; `runs`: the breath that each is from.
    """
    import numpy as np

    count = len(embeddings)
    if not count:
        return np.zeros(0, np.int64)
    model = _Model(noise(embeddings, seconds, runs, full_s), embeddings.shape[1])
    weights = np.minimum(seconds / full_s, 1.0) * EVIDENCE
    sums = embeddings.astype(np.float64) * weights[:, None]
    groups = np.zeros(count, np.int64)
    made = 0
    for start in range(0, count, BLOCK):
        part = slice(start, start + BLOCK)
        groups[part] = made + model.merge(sums[part], weights[part], 1, count)
        made = int(groups[part].max()) + 1
    group_sums = np.zeros((made, embeddings.shape[1]))
    np.add.at(group_sums, groups, sums)
    group_weights = np.bincount(groups, weights, made).astype(np.float64)
    # A cut counts for more than its share in none but this: that half of it is heard twice.
    spoken = np.bincount(groups, seconds, made) / 2
    best: NDArray[np.int64] | None = None
    for least in range(bounds.least, bounds.least + _MORE_TRIES):
        labels = model.merge(group_sums, group_weights, least, count)
        labels = _dissolve(group_sums, labels, spoken, bounds.least_speech_s)
        if best is None or labels.max() > best.max():
            best = labels
        if labels.max() + 1 >= bounds.least or least >= made:
            break
    assert best is not None
    if best.max() + 1 > bounds.most:
        best_sums = np.zeros((best.max() + 1, group_sums.shape[1]))
        np.add.at(best_sums, best, group_sums)
        best_weights = np.bincount(best, group_weights).astype(np.float64)
        best = model.merge(best_sums, best_weights, bounds.most, bounds.most)[best]
    return best[groups]


def noise(embeddings: NDArray[np.float32], seconds: NDArray[np.float64], runs: NDArray[np.int64],
          full_s: float) -> float:
    """The share of an embedding's length, squared, that is noise: 0 if a voice always sounds the same."""
    import numpy as np

    same = (runs[:-2] == runs[2:]) & (np.minimum(seconds[:-2], seconds[2:]) >= 0.8 * full_s)
    varied = 1 - (embeddings[:-2] * embeddings[2:]).sum(axis=1)[same]
    share = (float(np.median(varied)) * len(varied) if len(varied) else 0.0) + NOISE_PRIOR * NOISE_PRIOR_CUTS
    return min(NOISE_MOST, NOISE_SCALE * share / (len(varied) + NOISE_PRIOR_CUTS))


class _Model:
    """The gain of a merge: the logarithm of how much more probable one speaker is than two."""

    def __init__(self, noise_: float, size: int) -> None:
        self._within, self._between, self._size = noise_ / size, (1 - noise_) / size, size

    def evidence(self, weight: NDArray[np.float64], square: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log probability of a cluster, less what does not change when clusters merge.

        `weight`: cuts in it; `square`: the squared length of their sum.
        """
        import numpy as np

        spread = self._within + weight * self._between
        return np.asarray(-self._size / 2 * np.log(spread / self._within)
                          + square * self._between / (2 * self._within * spread), np.float64)

    def merge(self, sums: NDArray[np.float64], weights: NDArray[np.float64], least: int,
              most: int) -> NDArray[np.int64]:
        """Labels 0… of clusters, given the sum of the embeddings of each and its weight; `least` to `most` of them."""
        import numpy as np

        sums, weights = sums.copy(), weights.copy()
        count = len(sums)
        squares = (sums ** 2).sum(axis=1)
        own = self.evidence(weights, squares)
        gains = self.evidence(weights[:, None] + weights, squares[:, None] + squares + 2 * sums @ sums.T)
        gains -= own[:, None] + own
        np.fill_diagonal(gains, -np.inf)
        labels, alive = np.arange(count), np.ones(count, bool)
        # Rows remember their best, so that a merge costs a row and not the table.
        best = gains.argmax(axis=1)
        top = gains[labels, best]
        left = count
        while left > max(1, least):
            one = int(top.argmax())
            other = int(best[one])
            if left <= most and top[one] <= 0:
                break
            sums[one] += sums[other]
            weights[one] += weights[other]
            alive[other] = False
            labels[labels == other] = one
            left -= 1
            squares[one] = (sums[one] ** 2).sum()
            own[one] = self.evidence(weights[one:one + 1], squares[one:one + 1])[0]
            row = self.evidence(weights[one] + weights, squares[one] + squares + 2 * sums @ sums[one]) - own[one] - own
            row[~alive] = -np.inf
            row[one] = -np.inf
            gains[one], gains[:, one] = row, row
            gains[other], gains[:, other] = -np.inf, -np.inf
            stale = np.flatnonzero(alive & ((best == one) | (best == other) | (row > top)))
            stale = np.union1d(stale, [one])
            best[stale] = gains[stale].argmax(axis=1)
            top = np.where(alive, gains[np.arange(count), best], -np.inf)
        return np.asarray(np.unique(labels, return_inverse=True)[1], np.int64)


def _dissolve(sums: NDArray[np.float64], labels: NDArray[np.int64], spoken: NDArray[np.float64],
              least_s: float) -> NDArray[np.int64]:
    """Speakers who hardly speak are most often a laugh or a cough of another: theirs go to whom they sound like."""
    import numpy as np

    total = np.bincount(labels, spoken)
    kept = np.flatnonzero(total >= min(least_s, total.max()))
    means = np.zeros((len(total), sums.shape[1]))
    np.add.at(means, labels, sums)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    lost = ~np.isin(labels, kept)
    labels = labels.copy()
    labels[lost] = kept[(sums[lost] @ means[kept].T).argmax(axis=1)]
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.int64)
