"""`python bench/quiet_speakers.py`: do lines that are said quietly over music have a speaker? As dated JSON.

The scenes are those of bench/speech_activity.py: made voices over music, every second line 12 dB down (18 in one), or
all of them. Seconds are counted every 10 ms against the lines as they were mixed. A line is lost if less than half of
it has a speaker. Whose it is, is not asked here: made voices are few. Compared are the turns from the older
segmentation, from segmentation 3.0, and from 3.0 where the detectors' speech is somebody's, which is the default. How
faint a speaker may be, and how far the nearest may reach, was chosen on the half `tune`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from conversations import Conversation, read
from diarization import analyse, found, ours, speech
from numpy.typing import NDArray
from speech_activity import _SCENES

from cp_whisperx.engines.segmentation import OnnxSegmenter
from cp_whisperx.engines.silero import SileroDetector
from cp_whisperx.engines.speaker_embedding import OnnxEmbedder
from cp_whisperx.models.store import ModelStore
from cp_whisperx.timeline import SAMPLE_RATE, Span, Turn
from scenes import SceneSpec, build

_FRAME_S = 0.01
_LENGTH_S = 60
_OLDER, _NEWER = "pyannote-segmentation", "pyannote-segmentation-3"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/quiet_speakers.py")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args()
    store = ModelStore()
    detector, embedder = SileroDetector(store.path("silero-vad")), OnnxEmbedder(store.path("campplus-speaker"))
    segmenters = {name: OnnxSegmenter(store.path(name)) for name in (_OLDER, _NEWER)}
    rows: list[dict[str, Any]] = []
    for case in _cases():
        older, newer = (analyse(case, segmenters[name], embedder) for name in (_OLDER, _NEWER))
        sure = replace(newer, speech=speech(case, detector, segmenters[_OLDER]))
        for name, made in (("older segmentation", older), ("segmentation 3.0", newer), ("3.0 and speech", sure)):
            rows.append({"scene": case.name, "half": case.half, "turns": name}
                        | _row(case.turns or (), found(made, ours(made))))
    totals = [{"half": half, "turns": name} | {
        key: round(sum(row[key] for row in rows if row["half"] == half and row["turns"] == name), 2)
        for key in ("speech_s", "missed_s", "false_s", "lines", "lost")}
        for half in _SCENES for name in dict.fromkeys(row["turns"] for row in rows)]
    for total in totals:
        print("  ".join(f"{key} {value}" for key, value in total.items()))
    result = {
        "what": "seconds of quiet lines over music that have no speaker, seconds with one where nobody speaks",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(), "totals": totals, "rows": rows,
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"quiet-speakers-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


def _cases() -> list[Conversation]:
    cases = []
    with tempfile.TemporaryDirectory() as work:
        for half, specs in _SCENES.items():
            for seed, every, level in specs:
                scene = build(SceneSpec(seed=seed, quiet_every=every, quiet_db=level, picture="none",
                                        audio_codec="flac", length_s=_LENGTH_S), Path(work), f"scene-{seed}")
                wave = read(scene.film)
                lines = tuple(sorted(Turn(line.start_s, line.end_s, line.speaker) for line in scene.lines))
                cases.append(Conversation(f"scene {seed} at {level:.0f} dB", "scene", half, wave, lines,
                                          (Span(0, len(wave) / SAMPLE_RATE),), len({turn.speaker for turn in lines})))
    return cases


def _row(lines: Sequence[Turn], made: Sequence[Turn]) -> dict[str, Any]:
    said, spoken = _marks(lines), _marks(made)
    return {"speech_s": round(float(said.sum()) * _FRAME_S, 2),
            "missed_s": round(float((said & ~spoken).sum()) * _FRAME_S, 2),
            "false_s": round(float((spoken & ~said).sum()) * _FRAME_S, 2), "lines": len(lines),
            "lost": sum(not 2 * spoken[_frame(line.start):_frame(line.end)].mean() >= 1 for line in lines)}


def _marks(turns: Sequence[Turn]) -> NDArray[np.bool_]:
    marks = np.zeros(_frame(_LENGTH_S) + 1000, bool)
    for turn in turns:
        marks[_frame(turn.start):_frame(turn.end)] = True
    return marks


def _frame(time_s: float) -> int:
    return round(time_s / _FRAME_S)


if __name__ == "__main__":
    main()
