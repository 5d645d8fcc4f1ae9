from __future__ import annotations

import numpy as np
import pytest

from cp_whisperx.diarization import clusters
from cp_whisperx.diarization.clusters import Bounds, cluster, noise

SIZE = 192
ANY = Bounds(least=1, most=40, least_speech_s=1.0)


def people(count: int, breaths: int, *, cuts: int = 4, noise_share: float = 0.5, breath_share: float = 0.2,
           seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings of people who take turns, as the model supposes them; seconds, breaths, and who it is."""
    random = np.random.default_rng(seed)

    def vector(share: float, *shape: int) -> np.ndarray:
        return random.normal(size=(*shape, SIZE)) * np.sqrt(share / SIZE)

    means = vector(1 - noise_share - breath_share, count)
    who = np.repeat(np.arange(breaths) % count, cuts)
    runs = np.repeat(np.arange(breaths), cuts)
    made = means[who] + vector(breath_share, breaths)[runs] + vector(noise_share, len(who))
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made.astype(np.float32), np.full(len(who), 1.5), runs, who


def agree(one: np.ndarray, other: np.ndarray) -> bool:
    return len({*zip(one.tolist(), other.tolist(), strict=True)}) == len(set(one.tolist())) == len(set(other.tolist()))


@pytest.mark.parametrize("noise_share", [0.15, 0.3, 0.45, 0.6])
@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_people_are_counted_whatever_the_noise(count: int, noise_share: float) -> None:
    made, seconds, runs, who = people(count, 40, noise_share=noise_share, seed=count)
    assert agree(cluster(made, seconds, runs, 1.5, ANY), who)


@pytest.mark.parametrize("noise_share", [0.2, 0.4, 0.6])
def test_the_noise_is_measured_in_the_film(noise_share: float) -> None:
    made, seconds, runs, _ = people(3, 60, cuts=6, noise_share=noise_share)
    assert noise(made, seconds, runs, 1.5) == pytest.approx(noise_share, abs=0.06)
    assert noise(made[:1], seconds[:1], runs[:1], 1.5) == clusters.NOISE_PRIOR


def test_a_film_longer_than_a_block_keeps_its_people(monkeypatch: pytest.MonkeyPatch) -> None:
    made, seconds, runs, who = people(6, 300)
    whole = cluster(made, seconds, runs, 1.5, ANY)
    monkeypatch.setattr(clusters, "BLOCK", 64)
    assert agree(whole, who) and agree(cluster(made, seconds, runs, 1.5, ANY), who)


def scenes(count: int, breaths: int, *, every: int, change: float) -> tuple[np.ndarray, ...]:
    """People whose voices are a little different in each scene of `every` breaths."""
    made, seconds, runs, who = people(count, breaths, noise_share=0.4, breath_share=0.1)
    random = np.random.default_rng(1)
    shifts = random.normal(size=(breaths // every + 1, count, SIZE)) * np.sqrt(change / SIZE)
    made += shifts[runs // every, who].astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True), seconds, runs, who


def test_scenes_make_no_more_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an hour of speech in a dozen rooms. Without a bound on what a scene proves, each is another person."""
    made, seconds, runs, who = scenes(6, 600, every=50, change=0.15)
    assert agree(cluster(made, seconds, runs, 1.5, ANY), who)
    monkeypatch.setattr(clusters, "CHANGE", 0.0)
    assert len(set(cluster(made, seconds, runs, 1.5, ANY).tolist())) > 12


def test_people_who_come_late_are_found() -> None:
    """One who is heard in one scene alone, among others who are heard in all."""
    made, seconds, runs, who = people(4, 400)
    present = (who != 3) | ((runs > 200) & (runs < 260))
    assert agree(cluster(made[present], seconds[present], runs[present], 1.5, ANY), who[present])


@pytest.mark.parametrize(("bounds", "expected"), [
    (Bounds(1, 2, 1.0), 2), (Bounds(6, 40, 1.0), 6), (Bounds(3, 3, 1.0), 3), (Bounds(5, 5, 1.0), 5),
    (Bounds(1, 1, 1.0), 1),
])
@pytest.mark.parametrize("breaths", [40, 200])
def test_bounds_are_kept(bounds: Bounds, expected: int, breaths: int) -> None:
    made, seconds, runs, _ = people(4, breaths)
    assert len(set(cluster(made, seconds, runs, 1.5, bounds).tolist())) == expected


def test_more_are_never_found_than_there_is_sound_for() -> None:
    made, seconds, runs, _ = people(1, 2, cuts=1)
    assert len(set(cluster(made, seconds, runs, 1.5, Bounds(9, 40, 0.0)).tolist())) <= 2


def test_who_hardly_speaks_is_nobody() -> None:
    made, seconds, runs, who = people(3, 21)
    rare = np.flatnonzero((who != 2) | (runs == 2))
    seconds[runs == 2] = 0.3
    found = cluster(made[rare], seconds[rare], runs[rare], 1.5, ANY)
    assert len(set(found.tolist())) == 2


def test_one_breath_of_two_people_is_told_apart() -> None:
    made, seconds, _, who = people(2, 8, cuts=6, breath_share=0.05)
    found = cluster(made, seconds, np.arange(len(made)) // 12, 1.5, ANY)
    assert agree(found, who)


def test_nobody() -> None:
    assert cluster(np.zeros((0, SIZE), np.float32), np.zeros(0), np.zeros(0, np.int64), 1.5, ANY).shape == (0,)


def test_embeddings_without_a_direction_are_no_crash() -> None:
    found = cluster(np.zeros((5, SIZE), np.float32), np.full(5, 1.5), np.arange(5), 1.5, ANY)
    assert set(found.tolist()) == {0}
