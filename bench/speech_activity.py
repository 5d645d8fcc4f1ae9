"""`python bench/speech_activity.py MEDIA`: missed and false speech of each detector alone and of both, as dated JSON.

MEDIA is the folder of the shared test media. Nothing was trained here, but the thresholds of the joint detector were
chosen on the files of the first half (`tune`) and are reported on the second. Seconds are counted every 10 ms against
the reference as it stands, without a collar, inside the annotated part; padding of spans is left aside. A line of a
scene is lost if less than 90 % of it lies in the spans that a recogniser would hear. Onsets are those of the lines.
Both segmentation models of the catalogue are heard, with windows half a second and a second apart.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cp_whisperx.engines import joint_speech
from cp_whisperx.engines.segmentation import OnnxSegmenter, OverlapAdd, batches, window_count
from cp_whisperx.engines.silero import SileroDetector
from cp_whisperx.engines.speech_spans import SpanRules, spans
from cp_whisperx.media import decode
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.stages import pyannote_vad, silero_vad
from cp_whisperx.timeline import SAMPLE_RATE, SpeechSpan
from scenes import SceneSpec, build

Times = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Case:
    """`speech`: reference; `scored`: the annotated part. `kind`: annotated, scene, no speech or sung."""

    name: str
    half: str
    kind: str
    film: Path
    speech: Times
    scored: tuple[float, float] | None = None


_ANNOTATED = {"tune": ("ami_trn04", "ami_trn05"), "report": ("ami_dev00", "ami_tst00", "pyannote_sample")}
_NO_SPEECH = {"tune": ("nonspeech/music_vibe_ace.ogg",),
              "report": ("nonspeech/rain_60s.mp3", "nonspeech/esc50_car_horn.wav", "nonspeech/esc50_thunderstorm.wav",
                         "nonspeech/empty_1s.wav", "nonspeech/music_thumri_2s.mp3",
                         "containers/bbb_opening_30s.webm")}
_SUNG = {"report": ("nonspeech/song_lets_go_fishin.ogg",)}
_SCENES = {"tune": ((1, 2, -12.0), (2, 2, -12.0), (3, 2, -12.0), (4, 1, -12.0)),
           "report": ((11, 2, -12.0), (12, 2, -12.0), (13, 2, -12.0), (14, 1, -12.0), (15, 2, -18.0))}
"""Seed; every how many lines one is quiet; by how much, over louder music."""
_LISTENERS = {"older, 0.5 s": ("pyannote-segmentation", 0.5), "older, 1 s": ("pyannote-segmentation", 1.0),
              "3, 0.5 s": ("pyannote-segmentation-3", 0.5), "3, 1 s": ("pyannote-segmentation-3", 1.0)}
"""By name: the segmentation model, and seconds from one window to the next."""
_PARTS = ("segmentation", "union", "joint")
_DETECTORS = ("silero", *(f"{part} ({name})" for name in _LISTENERS for part in _PARTS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/speech_activity.py ../media")
    parser.add_argument("media", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args()
    store = ModelStore()
    coarse = SileroDetector(store.path("silero-vad"))
    fine = {model: OnnxSegmenter(store.path(model), threads=2) for model, _ in _LISTENERS.values()}
    rows, cpu_s = [], dict.fromkeys(_LISTENERS, 0.0)
    with tempfile.TemporaryDirectory() as work:
        for case in _cases(asked.media, Path(work)):
            rows += _measure(case, coarse, fine, Path(work), cpu_s)
            print(f"{case.half:7}{case.name:24}" + "".join(
                f"{row['missed_s']:7.2f}{row['false_s']:6.2f}" for row in rows[-len(_DETECTORS):]), file=sys.stderr)
    heard_s = sum(row["length_s"] for row in rows if row["detector"] == "silero")
    result = {
        "what": "missed and false speech, seconds: Silero alone, segmentation alone, their union, their mean",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(), "engines": [coarse.version, *(engine.version for engine in fine.values())],
        "options": {"silero-vad": silero_vad.Options().model_dump(),
                    "pyannote-vad": pyannote_vad.Options().model_dump()},
        "cpu_seconds_per_second_of_sound": {name: round(seconds / heard_s, 4) for name, seconds in cpu_s.items()},
        "totals": _totals(rows), "rows": rows,
    }
    print(f"CPU seconds per second of sound: {result['cpu_seconds_per_second_of_sound']}")
    for total in result["totals"]:
        print("  ".join(f"{key} {value}" for key, value in total.items()))
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"speech-activity-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


def _cases(media: Path, work: Path) -> list[Case]:
    cases = []
    for half, names in _ANNOTATED.items():
        for name in names:
            uem = media / f"multispeaker/{name}.uem"
            part = tuple(map(float, uem.read_text().split()[2:4])) if uem.exists() else None
            cases.append(Case(name, half, "annotated", media / f"multispeaker/{name}.wav",
                              _rttm(media / f"multispeaker/{name}.rttm"), part))  # type: ignore[arg-type]
    cases.append(Case("hi_dialogue_4spk", "report", "annotated", media / "composed/hi_dialogue_4spk.wav",
                      _rttm(media / "composed/hi_dialogue_4spk.rttm")))
    vad = media / "speech/speechbrain/vad_train"
    marked: list[tuple[float, float]] = []
    for part in json.loads(vad.with_suffix(".json").read_text()).values():
        times = [float(number) + part["wav"]["start"] / SAMPLE_RATE for number in part["speech"].split()]
        marked += zip(times[::2], times[1::2], strict=True)
    cases.append(Case("vad_train", "tune", "annotated", vad.with_suffix(".wav"), marked))
    for kind, files in (("no speech", _NO_SPEECH), ("sung", _SUNG)):
        cases += [Case(Path(file).stem, half, kind, media / file, ())
                  for half, names in files.items() for file in names]
    for half, specs in _SCENES.items():
        for seed, every, level in specs:
            scene = build(SceneSpec(seed=seed, quiet_every=every, quiet_db=level, picture="none", audio_codec="flac",
                                    length_s=60), work, f"scene-{seed}")
            cases.append(Case(f"scene {seed} at {level:.0f} dB", half, "scene", scene.film,
                              [(line.start_s, line.end_s) for line in scene.lines]))
    return cases


def _rttm(path: Path) -> Times:
    fields = [line.split() for line in path.read_text().splitlines() if line.startswith("SPEAKER")]
    return [(float(field[3]), float(field[3]) + float(field[4])) for field in fields]


def _measure(case: Case, coarse: SileroDetector, fine: Mapping[str, OnnxSegmenter], work: Path,
             cpu_s: dict[str, float]) -> list[dict[str, Any]]:
    from cp_whisperx.media import probe

    stream = next(stream.index for stream in probe.probe(case.film).streams if stream.kind == "audio")
    decode.extract(case.film, stream, work / "audio.wav")
    samples = Samples(work / "audio.wav")
    heard = np.concatenate(list(coarse.probabilities(iter([samples.slice(0, len(samples))]))))
    texture = joint_speech.on_cells(heard, coarse.frame_samples, coarse.frame_samples / 2, len(samples))
    options = pyannote_vad.Options()
    rules = SpanRules(**options.model_dump(exclude={"model", "step_s", "weight"}))
    lone = replace(rules, **pyannote_vad.ALONE)
    length = len(samples) / SAMPLE_RATE

    def of(probabilities: NDArray[np.float32], asked: SpanRules) -> tuple[SpeechSpan, ...]:
        return spans(probabilities, joint_speech.CELL_S, length, asked)

    found = {"silero": spans(heard, coarse.frame_samples / SAMPLE_RATE, length,
                             SpanRules(**silero_vad.Options().model_dump()))}
    for name, (model, step_s) in _LISTENERS.items():
        began = time.process_time()
        voices = _voices(fine[model], samples, step_s)
        cpu_s[name] += time.process_time() - began
        alone = of(voices, lone)
        either = np.zeros(len(voices), np.float32)
        for span in (*found["silero"], *alone):
            either[round(span.onset / joint_speech.CELL_S):round(span.offset / joint_speech.CELL_S)] = 1
        found |= {f"segmentation ({name})": alone, f"union ({name})": of(either, lone),
                  f"joint ({name})": of(joint_speech.begun(joint_speech.mean(
                      texture, voices, options.weight), voices, options.threshold), rules)}
    return [{"case": case.name, "half": case.half, "kind": case.kind, "detector": name, "length_s": round(length, 2)}
            | _score(case, its, length) for name, its in found.items()]


def _voices(engine: OnnxSegmenter, samples: Samples, step_s: float) -> NDArray[np.float32]:
    """The probability of speech in each cell, as the stage hears it."""
    step = round(step_s * SAMPLE_RATE / engine.frame_samples)
    added = OverlapAdd(window_count(len(samples), engine.window_samples, step * engine.frame_samples), engine.frames,
                       step)
    for activity in engine.activity(batches(samples, engine.window_samples, step * engine.frame_samples)):
        added.add(activity)
    return joint_speech.on_cells(added.mean()[:, 0], engine.frame_samples, engine.first_frame_samples, len(samples))


def _score(case: Case, found: Sequence[SpeechSpan], length: float) -> dict[str, Any]:
    ticks = round(length * 100)

    def marked(times: Times) -> NDArray[np.bool_]:
        marks = np.zeros(ticks, bool)
        for start, end in times:
            marks[round(start * 100):round(end * 100)] = True
        return marks

    scored = marked([case.scored or (0.0, length)])
    speech, heard = marked(case.speech) & scored, marked([(span.onset, span.offset) for span in found]) & scored
    row: dict[str, Any] = {"speech_s": float(speech.sum()) / 100, "missed_s": float((speech & ~heard).sum()) / 100,
                              "false_s": float((heard & ~speech).sum()) / 100}
    if case.kind == "scene":
        def covered(start: float, end: float) -> float:
            return sum(max(0.0, min(span.end, end) - max(span.start, start)) for span in found) / (end - start)

        off = [min((span.onset - start for span in found), key=abs, default=length) for start, _ in case.speech]
        row |= {"lines": len(case.speech), "lost": sum(covered(*line) < 0.9 for line in case.speech),
                "onset_errors_s": [round(error, 3) for error in off]}
    return row


def _totals(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    totals = []
    for half in ("tune", "report"):
        for kind in ("annotated", "scene", "no speech", "sung"):
            for detector in _DETECTORS:
                those = [row for row in rows if (row["half"], row["kind"], row["detector"]) == (half, kind, detector)]
                if not those:
                    continue
                total: dict[str, Any] = {"half": half, "kind": kind, "detector": detector}
                total |= {key: round(sum(row[key] for row in those), 2) for key in ("speech_s", "missed_s", "false_s")}
                if kind == "scene":
                    off = np.abs(np.concatenate([row["onset_errors_s"] for row in those]))
                    total |= {key: sum(row[key] for row in those) for key in ("lines", "lost")}
                    total |= {"onset_median_s": round(float(np.median(off)), 3),
                              "onset_p95_s": round(float(np.percentile(off, 95)), 3)}
                totals.append(total)
    return totals


if __name__ == "__main__":
    main()
