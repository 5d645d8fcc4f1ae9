"""`python bench/pyannote_vad_memory.py`: memory and speed of pyannote-vad on 10 minutes and on 4 hours, as dated JSON.

The sound is a generated scene, repeated; coarse speech is what Silero hears in it. Speed is that of the shorter
film at the default step. What is held for a film is its frames, whatever the step, so growth is measured with windows
that do not overlap, in a tenth of the time; --full takes the default step for the longer one too.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

from scenes import SceneSpec, build

_RUNS = ((10, 0.5), (10, 5.0), (240, 5.0))
"""Minutes, and seconds from one window to the next."""
_SCENE_S = 120
_MEASURE = """
import json, sys, time
from pathlib import Path
import numpy as np
from cp_whisperx import log as logs
from cp_whisperx.artifacts import Speech
from cp_whisperx.engines.segmentation import OnnxSegmenter
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Tools, peak_rss_mb
from cp_whisperx.stages import pyannote_vad
work, copies, threads, step_s = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
began, used = time.monotonic(), time.process_time()
log = logs.get("pyannote-vad")
store = ModelStore()
tools = Tools(work, work, "film", None, store, "cpu", threads, log, Progress("pyannote-vad", log, terminal=False))
coarse = np.tile(np.load(work / "coarse.npy"), copies)
speech = Speech(spans=(), frames="", frame_samples=512, speech_s=0)
engine = OnnxSegmenter(store.path("pyannote-segmentation"), threads=threads)
made = pyannote_vad.refine(engine, Samples(work / "audio.wav"), speech, coarse,
                           pyannote_vad.Options(step_s=step_s), tools)
print(json.dumps({"seconds": round(time.monotonic() - began, 1), "cpu_s": round(time.process_time() - used, 1),
                  "peak_rss_mb": peak_rss_mb(), "speech_s": made.speech_s, "spans": len(made.spans),
                  "files_mb": round(sum((work / name).stat().st_size for name in (made.frames, made.windows)) / 1e6,
                                    1)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/pyannote_vad_memory.py")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--full", action="store_true")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        scene = _sound(Path(work))
        for minutes, step_s in ((10, 0.5), (240, 0.5)) if asked.full else _RUNS:
            copies = minutes * 60 // _SCENE_S
            with wave.open(f"{work}/audio.wav", "wb") as file:
                file.setparams((1, 2, 16_000, 0, "NONE", ""))
                for _ in range(copies):
                    file.writeframesraw(scene)
            print(f"listening to {minutes} min", file=sys.stderr)
            done = subprocess.run([sys.executable, "-c", _MEASURE, work, str(copies), str(asked.threads),
                                   str(step_s)],
                                  capture_output=True, text=True, check=True)
            rows.append({"minutes": minutes, "step_s": step_s, "threads": asked.threads} | json.loads(done.stdout))
            rows[-1]["rtf"] = round(rows[-1]["seconds"] / minutes / 60, 4)
            rows[-1]["cpu_rtf"] = round(rows[-1]["cpu_s"] / minutes / 60, 4)
            print(rows[-1])
    result = {
        "what": "memory and speed of pyannote-vad against the film's length",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(), "rows": rows,
        "growth_mb": round(rows[-1]["peak_rss_mb"] - rows[-2]["peak_rss_mb"], 1),
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"pyannote-vad-memory-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


def _sound(work: Path) -> bytes:
    """16-bit samples of a scene; what Silero hears in them goes to coarse.npy."""
    import numpy as np

    from cp_whisperx.engines.silero import SileroDetector
    from cp_whisperx.media import decode
    from cp_whisperx.media.samples import Samples
    from cp_whisperx.models.store import ModelStore

    scene = build(SceneSpec(length_s=_SCENE_S, picture="none", quiet_every=2), work, "scene")
    decode.extract(scene.film, 0, work / "scene.wav")
    samples = Samples(work / "scene.wav")
    length = _SCENE_S * 16_000 // 512 * 512
    sound = samples.slice(0, length)
    heard = np.concatenate(list(SileroDetector(ModelStore().path("silero-vad")).probabilities(iter([sound]))))
    np.save(work / "coarse.npy", heard)
    return (sound * 32768).astype("<i2").tobytes()


if __name__ == "__main__":
    main()
