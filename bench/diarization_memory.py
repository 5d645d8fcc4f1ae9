"""`python bench/diarization_memory.py MEDIA`: memory and speed of diarization on 10 minutes and 3 hours, as dated JSON.

The sound is one conversation of 30 voices, repeated: the readers of the shared test media MEDIA, and the same ones
slowed down by an eighth, which makes other voices of them. Local activity is what the segmentation model hears in it,
repeated as well. Speed is wall time and processor time of the stage per second of sound, with two threads.
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

import numpy as np
from conversations import compose, real_voices

from cp_whisperx.engines.segmentation import OnnxSegmenter, batches
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.timeline import SAMPLE_RATE

_MINUTES = (10, 180)
_VOICES = 30
_STEP_FRAMES = 59
_MEASURE = """
import json, sys, time
from pathlib import Path
import numpy as np
from cp_whisperx import log as logs
from cp_whisperx.diarization.tracks import Grid
from cp_whisperx.engines.speaker_embedding import OnnxEmbedder
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Tools, peak_rss_mb
from cp_whisperx.stages.diarization import Options, diarize
work, step, first, frame = Path(sys.argv[1]), *map(float, sys.argv[2:])
log, store = logs.get("diarization"), ModelStore()
tools = Tools(work, work / "film", "film", None, store, "cpu", 2, log, Progress("diarization", log, terminal=False))
engine = OnnxEmbedder(store.path("campplus-speaker"))
began, used = time.monotonic(), time.process_time()
made = diarize(engine, Samples(work / "audio.wav"), np.load(work / "windows.npy", mmap_mode="r"),
               Grid(step, first, frame), Options(speakers="labels"), tools)
print(json.dumps({"seconds": round(time.monotonic() - began, 1), "cpu_s": round(time.process_time() - used, 1),
                  "peak_rss_mb": peak_rss_mb(), "speakers": len(made.speakers), "turns": len(made.turns)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/diarization_memory.py ../media")
    parser.add_argument("media", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--minutes", type=int, nargs="+", default=_MINUTES)
    asked = parser.parse_args()
    segmenter = OnnxSegmenter(ModelStore().path("pyannote-segmentation-3"), threads=2)
    times = [count / SAMPLE_RATE for count in (_STEP_FRAMES * segmenter.frame_samples, segmenter.first_frame_samples,
                                               segmenter.frame_samples)]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        block = _block(asked.media, _STEP_FRAMES * segmenter.frame_samples)
        _write(work / "audio.wav", block, 1)
        heard = np.concatenate(list(segmenter.activity(batches(
            Samples(work / "audio.wav"), segmenter.window_samples, _STEP_FRAMES * segmenter.frame_samples))))
        # One window for each step of the block, so that repeated windows fit repeated sound.
        activity = np.rint(heard[:len(block) // (_STEP_FRAMES * segmenter.frame_samples)] * 255).astype(np.uint8)
        for minutes in asked.minutes:
            times_over = max(1, round(minutes * 60 * SAMPLE_RATE / len(block)))
            _write(work / "audio.wav", block, times_over)
            np.save(work / "windows.npy", np.tile(activity, (times_over, 1, 1)))
            done = subprocess.run([sys.executable, "-c", _MEASURE, str(work), *map(str, times)], capture_output=True,
                                  text=True, check=True)
            row = {"minutes": round(times_over * len(block) / SAMPLE_RATE / 60, 1)} | json.loads(done.stdout)
            rows.append(row | {kind: round(row[key] / row["minutes"] / 60, 4)
                               for kind, key in (("rtf", "seconds"), ("cpu_rtf", "cpu_s"))})
            print(rows[-1])
    result = {
        "what": "peak memory and speed of diarization against the film's length; 30 voices, two threads",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "load": round(os.getloadavg()[0], 1), "python": platform.python_version(), "rows": rows,
        "growth_mb": round(rows[-1]["peak_rss_mb"] - rows[0]["peak_rss_mb"], 1),
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"diarization-memory-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


def _block(media: Path, step: int) -> np.ndarray:
    """A conversation of all voices, as many whole steps of the windows long as it is."""
    voices = real_voices(media, "tune") | real_voices(media, "report")
    slow = {f"{name}, slow": [np.interp(np.arange(0, len(wave), 7 / 8), np.arange(len(wave)), wave).astype(np.float32)
                              for wave in waves] for name, waves in voices.items()}
    chosen = dict(list((voices | slow).items())[:_VOICES])
    sound, _ = compose(chosen, np.random.default_rng(9), (0.1, 0.8), 0.1, None)
    return sound[:len(sound) // step * step]


def _write(path: Path, sound: np.ndarray, times_over: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for _ in range(times_over):
            file.writeframes((sound * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
