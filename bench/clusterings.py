"""Other ways to find out who is who among embeddings, for bench/diarization.py to compare with ours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
Labels = NDArray[np.int64]
_MOST = 15


def average_link(affinity: Vectors, threshold: float) -> Labels:
    """Agglomeration by mean affinity down to a fixed threshold."""
    table, weights = affinity.copy(), np.ones(len(affinity))
    labels = np.arange(len(table))
    np.fill_diagonal(table, -np.inf)
    while len(table):
        one, other = np.unravel_index(table.argmax(), table.shape)
        if table[one, other] < threshold:
            break
        row = (weights[one] * table[one] + weights[other] * table[other]) / (weights[one] + weights[other])
        table[one], table[:, one] = row, row
        table[one, one] = -np.inf
        table[other], table[:, other] = -np.inf, -np.inf
        weights[one] += weights[other]
        labels[labels == other] = one
    return _dense(labels)


def eigengap(vectors: Vectors, quantile: float = 0.95) -> Labels:
    """Spectral clustering with the refinements of Wang et al., "Speaker diarization with LSTM", 2018.

    Of each row, what is below `quantile` counts for a hundredth.
    """
    if len(vectors) < 3:
        return np.zeros(len(vectors), np.int64)
    table = (vectors @ vectors.T + 1) / 2
    np.fill_diagonal(table, 0)
    np.fill_diagonal(table, table.max(axis=1))
    table = np.where(table < np.quantile(table, quantile, axis=1, keepdims=True), table * 0.01, table)
    table = np.maximum(table, table.T)
    table = table @ table.T
    table /= table.max(axis=1, keepdims=True)
    values, axes = np.linalg.eig(table)
    order = np.argsort(-values.real)
    values, axes = values.real[order], axes.real[:, order]
    most = min(_MOST, len(values) - 1)
    count = int(np.argmax(values[:most] / np.maximum(values[1:most + 1], 1e-9))) + 1
    return _k_means(axes[:, :count], count)


def nme_sc(vectors: Vectors, least: float = 0.0) -> Labels:
    """Spectral clustering tuned by the normalised maximum eigengap (Park et al., 2020).

    At least the share `least` of all is kept as neighbours: few neighbours tear short recordings to pieces.
    """
    if len(vectors) < 4:
        return np.zeros(len(vectors), np.int64)
    affinity, best = vectors @ vectors.T, (np.inf, 1, np.zeros((len(vectors), 1)))
    nearest = np.argsort(-affinity, axis=1)
    first = max(2, round(least * len(vectors)))
    for kept in range(first, max(first + 1, len(vectors) // 4 + 2)):
        table = np.zeros_like(affinity)
        np.put_along_axis(table, nearest[:, :kept], 1, axis=1)
        table = (table + table.T) / 2
        values, axes = np.linalg.eigh(np.diag(table.sum(axis=1)) - table)
        gaps = np.diff(values[:min(_MOST, len(values) - 1) + 1])
        ratio = kept / (gaps.max() / (values.max() + 1e-10) + 1e-10)
        if ratio < best[0]:
            best = (ratio, int(gaps.argmax()) + 1, axes)
    return _k_means(best[2][:, :best[1]], best[1])


def score_normalised(vectors: Vectors, threshold: float) -> Labels:
    """Average link on scores in standard deviations of what each side scores with the film (AS-norm, adaptive)."""
    affinity = vectors @ vectors.T
    rest = np.sort(affinity, axis=1)[:, :max(2, len(vectors) * 3 // 4)]
    mean, spread = rest.mean(axis=1), rest.std(axis=1) + 1e-3
    scores = ((affinity - mean) / spread + (affinity - mean[:, None]) / spread[:, None]) / 2
    return average_link(scores, threshold)


def whispers(vectors: Vectors, threshold: float, rounds: int = 20) -> Labels:
    """Label propagation over the graph of what is alike (Biemann's Chinese whispers, 2006), in a fixed order."""
    affinity = vectors @ vectors.T
    links = np.where(affinity > threshold, affinity, 0)
    np.fill_diagonal(links, 0)
    labels = np.arange(len(vectors))
    for _ in range(rounds):
        before = labels.copy()
        for place in range(len(labels)):
            if links[place].any():
                labels[place] = int(np.bincount(labels, links[place]).argmax())
        if (labels == before).all():
            break
    return _dense(labels)


def vbx(vectors: Vectors, start: Labels, ratio: float, loop: float = 0.9, scale: float = 0.3,
        rounds: int = 20) -> Labels:
    """Variational Bayes over a hidden Markov model of speakers (Landini et al., 2022), with one variance ratio."""
    if not len(vectors):
        return start
    size, speakers = vectors.shape[1], int(start.max()) + 1
    rho, held = vectors * np.sqrt(size * ratio), np.full((len(vectors), speakers), 0.1 / speakers)
    held[np.arange(len(vectors)), start] += 0.9
    prior = np.full(speakers, 1 / speakers)
    for _ in range(rounds):
        precision = 1 / (1 + scale * held.sum(axis=0) * ratio)
        means = scale * precision[:, None] * (held.T @ rho)
        likely = scale * (rho @ means.T - 0.5 * ratio * (size * precision + (means ** 2).sum(axis=1)))
        moves = np.log(loop * np.eye(speakers) + (1 - loop) * prior + 1e-12)
        ahead, back = np.zeros_like(likely), np.zeros_like(likely)
        ahead[0] = np.log(prior + 1e-12) + likely[0]
        for place in range(1, len(likely)):
            ahead[place] = likely[place] + np.logaddexp.reduce(ahead[place - 1][:, None] + moves, axis=0)
        for place in range(len(likely) - 2, -1, -1):
            back[place] = np.logaddexp.reduce(moves + likely[place + 1] + back[place + 1], axis=1)
        held = np.exp(ahead + back - np.logaddexp.reduce(ahead[-1]))
        held /= held.sum(axis=1, keepdims=True)
        prior = held.sum(axis=0) / held.sum()
    return _dense(held.argmax(axis=1))


def _k_means(points: Vectors, count: int) -> Labels:
    chosen = [int((points ** 2).sum(axis=1).argmax())]
    for _ in range(count - 1):
        chosen.append(int(((points[:, None] - points[chosen]) ** 2).sum(axis=2).min(axis=1).argmax()))
    centres = points[chosen]
    for _ in range(50):
        labels = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        moved = np.array([points[labels == label].mean(axis=0) if (labels == label).any() else centres[label]
                          for label in range(count)])
        if np.allclose(moved, centres):
            break
        centres = moved
    return _dense(labels)


def _dense(labels: NDArray[np.int64]) -> Labels:
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.int64)
