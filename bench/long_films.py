"""`python bench/long_films.py MEDIA`: speakers found and diarization error in films of half an hour, as dated JSON.

A film is scene after scene; a scene has a few of the people, one room (an echo and a noise of its own) and a distance
for each of them. The people are the voices of bench/diarization.py and those of the meetings and the telephone call,
wherever one of them speaks alone. In a `sparse` film every sentence is said once, and the rest of the half hour is
pauses. There is not enough media to fill it with speech otherwise: in a `dense` film sentences come again, each time
cut elsewhere and in another room. Whoever speaks less than 3 s in all of the media is left out. The voices of the two
halves are not the same people; what was tried was tried on `tune`. Speech is not asked of the detectors here, to save
a third of the time: no line is quiet. `bounded` is given the size of the cast as the most that there may be;
`without_scenes` clusters the film as one scene.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from conversations import Conversation, Wave, read, real_voices
from diarization import Analysed, analyse, found, ours, row

from cp_whisperx import rttm
from cp_whisperx.diarization import clusters
from cp_whisperx.engines.segmentation import OnnxSegmenter
from cp_whisperx.engines.speaker_embedding import OnnxEmbedder
from cp_whisperx.models.store import ModelStore
from cp_whisperx.timeline import SAMPLE_RATE, Span, Turn

_MINUTES = 30
_MEETINGS = {"tune": ("ami_trn04", "ami_trn05"), "report": ("ami_dev00", "ami_tst00", "pyannote_sample")}
_LEAST_S = 3.0
_HEARD_S = 20
_PIECE_S = (1.2, 4.5)
_KINDS = ("sparse", "dense")
_SPARSE_SCENES = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/long_films.py ../media")
    parser.add_argument("media", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--half", choices=("tune", "report"), action="append")
    asked = parser.parse_args()
    store = ModelStore()
    segmenter = OnnxSegmenter(store.path("pyannote-segmentation-3"), threads=2)
    embedder = OnnxEmbedder(store.path("campplus-speaker"))
    rows: list[dict[str, Any]] = []
    for half in asked.half or ("tune", "report"):
        pool = people(asked.media, half)
        for kind in _KINDS:
            case = analyse(film(pool, half, kind), segmenter, embedder)
            rows.append(_row(case, pool))
            print(json.dumps(rows[-1]), file=sys.stderr)
    for entry in rows:
        print(f"{entry['name']:16}{entry['speakers']:4} speakers, found {entry['found']:3}, heard over 20 s "
              f"{entry['found_20s']:3}, at most cast {entry['bounded']['found']:3}; DER {100 * entry['der']:5.1f} "
              f"{100 * entry['der_collar']:5.1f}, bounded {100 * entry['bounded']['der_collar']:5.1f}")
    result = {
        "what": "speakers found and DER (no collar, and 0.25 s) in films of half an hour, composed of real voices",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(), "rows": rows,
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"long-films-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


def people(media: Path, half: str) -> dict[str, list[Wave]]:
    """Utterances of each voice of a half, at one level."""
    pool = real_voices(media, half)
    for name in _MEETINGS[half]:
        base = media / "multispeaker" / name
        wave, turns = read(base.with_suffix(".wav")), rttm.read(base.with_suffix(".rttm"))
        for turn in turns:
            for start, end in _alone(turn, [other for other in turns if other is not turn]):
                piece = wave[int(start * SAMPLE_RATE):int(end * SAMPLE_RATE)]
                if len(piece) >= 0.8 * SAMPLE_RATE:
                    pool.setdefault(turn.speaker, []).append(
                        (piece * 0.1 / np.sqrt(np.mean(piece ** 2) + 1e-9)).astype(np.float32))
    return {name: waves for name, waves in sorted(pool.items()) if sum(map(len, waves)) >= _LEAST_S * SAMPLE_RATE}


def _alone(turn: Turn, others: Sequence[Turn]) -> list[tuple[float, float]]:
    left = [(turn.start, turn.end)]
    for other in others:
        left = [part for start, end in left
                for part in ((start, min(end, other.start)), (max(start, other.end), end)) if part[1] > part[0]]
    return left


def film(pool: dict[str, list[Wave]], half: str, kind: str) -> Conversation:
    random = np.random.default_rng([len(half), len(kind)])
    length = _MINUTES * 60 * SAMPLE_RATE
    sound, turns = np.zeros(length, np.float32), list[Turn]()
    names = sorted(pool)
    once = [(name, wave) for name in names for wave in pool[name]]
    once = [once[place] for place in random.permutation(len(once))]
    scene_s = _MINUTES * 60 / _SPARSE_SCENES
    at_s = 2.0
    while at_s < _MINUTES * 60 - 8 and (once or kind == "dense"):
        cast = [str(name) for name in random.permutation(names)[:random.integers(2, 5)]]
        if kind == "sparse":
            size = max(1, round(len(once) / max(1, _SPARSE_SCENES - int(at_s / scene_s))))
            said, once = once[:size], once[size:]
        else:
            said = [(name, _piece(pool[name], random)) for name in random.choice(cast, random.integers(8, 16))]
        begin_s, rendered = at_s, []
        near = {name: random.uniform(-12, 0) for name in names}
        for name, wave in said:
            at_s += random.uniform(0.1, 2.5)
            if at_s + len(wave) / SAMPLE_RATE > _MINUTES * 60 - 1:
                break
            rendered.append((at_s, wave * 10 ** (near[name] / 20)))
            turns.append(Turn(at_s, at_s + len(wave) / SAMPLE_RATE, name))
            at_s += len(wave) / SAMPLE_RATE
        at_s += random.uniform(1, 8)
        if kind == "sparse":
            at_s = max(at_s, (int(begin_s / scene_s) + 1) * scene_s)
        _shoot(sound, rendered, int(begin_s * SAMPLE_RATE), int(min(at_s, _MINUTES * 60) * SAMPLE_RATE), random)
    return Conversation(f"{kind}, {half}", kind, half, np.clip(sound, -1, 1), tuple(sorted(turns)),
                        (Span(0, _MINUTES * 60),), len({turn.speaker for turn in turns}))


def _piece(waves: Sequence[Wave], random: np.random.Generator) -> Wave:
    """One utterance of a voice, or a part of it."""
    wave = waves[int(random.integers(len(waves)))]
    size = min(len(wave), int(random.uniform(*_PIECE_S) * SAMPLE_RATE))
    start = int(random.integers(len(wave) - size + 1))
    return wave[start:start + size]


def _shoot(sound: Wave, said: Sequence[tuple[float, Wave]], start: int, end: int, random: np.random.Generator) -> None:
    """A scene in its room: an echo that falls by 60 dB in 0.1 to 0.5 s under the voice itself, and steady noise."""
    fall_s, wet = random.uniform(0.1, 0.5), random.uniform(0.0, 0.6)
    ticks = np.arange(int(fall_s * SAMPLE_RATE)) / SAMPLE_RATE
    echo = random.normal(size=len(ticks)) * 10 ** (-3 * ticks / fall_s)
    echo *= wet / np.linalg.norm(echo)
    echo[0] += 1
    for at_s, wave in said:
        size = len(wave) + len(echo) - 1
        wet_wave = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(echo, size), size)
        place = int(at_s * SAMPLE_RATE)
        wet_wave = wet_wave[:max(0, len(sound) - place)]
        sound[place:place + len(wet_wave)] += wet_wave.astype(np.float32)
    sound[start:end] += random.normal(0, 10 ** (random.uniform(-65, -42) / 20), end - start).astype(np.float32)


def _row(case: Analysed, pool: dict[str, list[Wave]]) -> dict[str, Any]:
    made = found(case, ours(case))
    entry = row(case.of, made)
    spoken = _spoken(made)
    with patch.object(clusters, "SCENE_S", math.inf):
        one_scene = found(case, ours(case))
    without = row(case.of, one_scene)
    most = clusters.Bounds(1, case.of.count, 1.0)
    told = found(case, clusters.cluster(
        case.embeddings, case.seconds, np.array([piece.run for piece in case.cuts], np.int64), case.length_s, most))
    bounded = row(case.of, told)
    assert case.of.turns is not None
    same = {"speakers": case.of.count, "speech_s": round(sum(turn.duration for turn in case.of.turns), 1)}
    return {"name": case.of.name, **same, "found": entry["found"], "found_20s": _heard(spoken),
            "spoken_s": [round(seconds, 1) for seconds in sorted(spoken.values(), reverse=True)],
            "different_speech_s": round(sum(len(wave) for waves in pool.values() for wave in waves) / SAMPLE_RATE, 1),
            "der": entry["collar 0.0"]["der"], "der_collar": entry["collar 0.25"]["der"],
            "parts": entry["collar 0.25"],
            "bounded": {**same, "found": bounded["found"], "found_20s": _heard(_spoken(told)),
                        "der": bounded["collar 0.0"]["der"], "der_collar": bounded["collar 0.25"]["der"]},
            "without_scenes": {**same, "found": without["found"], "found_20s": _heard(_spoken(one_scene)),
                               "der": without["collar 0.0"]["der"], "der_collar": without["collar 0.25"]["der"]}}


def _heard(spoken: Mapping[str, float]) -> int:
    return sum(seconds >= _HEARD_S for seconds in spoken.values())


def _spoken(made: Sequence[Turn]) -> dict[str, float]:
    """Seconds of each speaker."""
    spoken: dict[str, float] = {}
    for turn in made:
        spoken[turn.speaker] = spoken.get(turn.speaker, 0.0) + turn.duration
    return spoken


if __name__ == "__main__":
    main()
