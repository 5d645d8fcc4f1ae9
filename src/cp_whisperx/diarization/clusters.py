"""Which cuts are one person: agglomeration by a model of how embeddings spread within and between people.

An embedding is taken for its speaker's mean, plus what is peculiar to this breath, plus noise; all three Gaussian and
alike in all directions (the two-covariance model of Brümmer and de Villiers, "The speaker partitioning problem",
2010, with one level more). Two clusters become one as long as that makes the embeddings more probable; the best pair
goes first. So the number of speakers follows from the probability itself, and the more is heard of two clusters the
better they are told apart; a fixed distance knows neither. How loud the noise is, is measured in the film itself: on
cuts of one breath that do not overlap.

What is long is taken scene by scene first. From one scene to the next a voice differs by more than breaths do (room,
distance, mood), and no amount of either scene makes that go away: `CHANGE` bounds what a cluster counts between scenes,
however much was heard of it. Without that the number of speakers grows with the length of the film.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOISE_PRIOR = 0.4
NOISE_PRIOR_CUTS = 10
NOISE_MOST = 0.85
EVIDENCE = 0.6
"""What a cut counts: the next one shares half its sound with it."""
PECULIARITY = 0.35
"""How a breath varies, against the noise of a cut: however long, a breath counts no more than the inverse of this."""
WITHIN = 1.5
"""Two cuts of one breath are told apart as if they were this much longer."""
SCENE_S = 75.0
"""Speech in what is taken for a scene, seconds: enough to tell its voices apart, and spoken under one roof."""
CHANGE = 0.02
"""The share of an embedding's length, squared, that changes with the scene. More would be better for films, and merge
the people of a crowd."""
BLOCK = 800
"""Clusters that are merged at a time: the cost grows with the cube, memory with the square."""
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
    groups = _breaths(model, sums, weights, runs)
    sums, weights = _summed(sums, groups), _summed(weights, groups)
    # Cuts overlap by half, so all of them together are twice as long as what is heard.
    spoken = _summed(seconds, groups) / 2
    share = 1 / (1 + weights * PECULIARITY)
    fair_sums, fair_weights = sums * share[:, None], weights * share
    scenes = _scenes(spoken)
    several = bool(scenes[-1])
    parts = _merged_by(model, scenes, fair_sums, fair_weights, bounds.least) if several else np.arange(len(sums))
    model.change = CHANGE if several else 0.0
    while parts.max() >= BLOCK:
        before = int(parts.max())
        parts = _merged_by(model, np.arange(before + 1) // BLOCK, _summed(fair_sums, parts),
                           _summed(fair_weights, parts), bounds.least + _MORE_TRIES)[parts]
        if parts.max() == before:
            break
    part_sums, part_weights = _summed(fair_sums, parts), _summed(fair_weights, parts)
    speakers = np.zeros(0, np.int64)
    for least in range(bounds.least, bounds.least + _MORE_TRIES):
        found = model.merge(part_sums, part_weights, least=least)[parts]
        found = dissolve(sums, found, spoken, bounds.least_speech_s)
        if not speakers.size or found.max() > speakers.max():
            speakers = found
        if speakers.max() + 1 >= bounds.least:
            break
    if speakers.max() + 1 > bounds.most:
        speakers = model.merge(_summed(fair_sums, speakers), _summed(fair_weights, speakers), least=bounds.most,
                               most=bounds.most)[speakers]
    return np.asarray(speakers[groups], np.int64)


def _scenes(spoken: NDArray[np.float64]) -> NDArray[np.int64]:
    """The scene of each group, in order: about `SCENE_S` of speech each."""
    import numpy as np

    total = float(spoken.sum())
    count = max(1, round(total / SCENE_S))
    middle = (np.cumsum(spoken) - spoken / 2) / max(total, 1e-9)
    return np.minimum((middle * count).astype(np.int64), count - 1)


def _merged_by(model: _Model, blocks: NDArray[np.int64], sums: NDArray[np.float64], weights: NDArray[np.float64],
               least: int) -> NDArray[np.int64]:
    """Labels, where nothing merges with what is of another block. `blocks`: that of each, rising."""
    import numpy as np

    labels, made = np.zeros(len(sums), np.int64), 0
    for places in np.split(np.arange(len(sums)), np.flatnonzero(np.diff(blocks)) + 1):
        labels[places] = made + model.merge(sums[places], weights[places], least=least)
        made = int(labels[places].max()) + 1
    return labels


def _breaths(model: _Model, sums: NDArray[np.float64], weights: NDArray[np.float64],
             runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The group of each cut: a breath is one group, or several where two people share what seemed one voice.

    Groups are numbered by their first cut.
    """
    import numpy as np

    groups = np.zeros(len(sums), np.int64)
    made = 0
    order = np.argsort(runs, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(runs[order])) + 1):
        for start in range(0, len(places), BLOCK):
            part = places[start:start + BLOCK]
            groups[part] = made + model.merge(sums[part] * WITHIN, weights[part] * WITHIN)
            made = int(groups[part].max()) + 1
    _, firsts = np.unique(groups, return_index=True)
    return np.asarray(firsts.argsort().argsort()[groups], np.int64)


def _summed(values: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The sum of the values of each label, shape (labels, ...)."""
    import numpy as np

    total = np.zeros((int(labels.max()) + 1, *values.shape[1:]))
    np.add.at(total, labels, values)
    return total


def noise(embeddings: NDArray[np.float32], seconds: NDArray[np.float64], runs: NDArray[np.int64],
          full_s: float) -> float:
    """The share of an embedding's length, squared, that is noise: 0 if a voice always sounds the same."""
    import numpy as np

    same = (runs[:-2] == runs[2:]) & (np.minimum(seconds[:-2], seconds[2:]) >= 0.8 * full_s)
    varied = 1 - (embeddings[:-2] * embeddings[2:]).sum(axis=1)[same]
    share = (float(np.median(varied)) * len(varied) if len(varied) else 0.0) + NOISE_PRIOR * NOISE_PRIOR_CUTS
    return min(NOISE_MOST, share / (len(varied) + NOISE_PRIOR_CUTS))


class _Model:
    """The gain of a merge: the logarithm of how much more probable one speaker is than two."""

    def __init__(self, noise_: float, size: int) -> None:
        self._within, self._between, self._size = noise_ / size, (1 - noise_) / size, size
        self.change = 0.0

    def fair(self, sums: NDArray[np.float64],
             weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums and weights of clusters that vary as a whole: none counts more than noise / change."""
        share = 1 / (1 + weights * self.change / (self._within * self._size))
        return sums * share[..., None], weights * share

    def evidence(self, weight: NDArray[np.float64], square: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log probability of a cluster, less what does not change when clusters merge.

        `weight`: cuts in it; `square`: the squared length of their sum.
        """
        import numpy as np

        spread = self._within + weight * self._between
        return np.asarray(-self._size / 2 * np.log(spread / self._within)
                          + square * self._between / (2 * self._within * spread), np.float64)

    def merge(self, sums: NDArray[np.float64], weights: NDArray[np.float64], *, least: int = 1,
              most: int | None = None) -> NDArray[np.int64]:
        """Labels 0… of clusters, given the sum of the embeddings of each and its weight; `least` to `most` of them."""
        import numpy as np

        all_sums, all_weights = sums.copy(), weights.copy()
        sums, weights = self.fair(sums, weights)
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
            if (most is None or left <= most) and top[one] <= 0:
                break
            all_sums[one] += all_sums[other]
            all_weights[one] += all_weights[other]
            sums[one], weights[one] = self.fair(all_sums[one], all_weights[one])
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


def dissolve(sums: NDArray[np.float64], labels: NDArray[np.int64], spoken: NDArray[np.float64],
              least_s: float) -> NDArray[np.int64]:
    """Who hardly speaks is most often a laugh or a cough of somebody else: it goes to whom it sounds most like."""
    import numpy as np

    total = _summed(spoken, labels)
    kept = np.flatnonzero(total >= min(least_s, float(total.max())))
    means = _summed(sums, labels)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    lost = ~np.isin(labels, kept)
    labels = labels.copy()
    labels[lost] = kept[(sums[lost] @ means[kept].T).argmax(axis=1)]
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.int64)
