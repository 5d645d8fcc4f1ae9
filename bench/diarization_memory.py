"""`python bench/diarization_memory.py MEDIA`: memory and speed of diarization on 10 minutes, 3 and 4 hours, as JSON.

The sound is one conversation of 30 voices, repeated: the readers of the shared test media MEDIA, and the same ones
slowed down by an eighth, which makes other voices of them. All of it counts as speech, so every window is listened to.
Speed is wall time and processor time of the stage per second of sound, with two threads; on two quiet processors the
longest takes some 8 minutes.
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

from cp_whisperx.timeline import SAMPLE_RATE

_MINUTES = (10, 180, 240)
_VOICES = 30
_MEASURE = """
import json, sys, time
from pathlib import Path
from cp_whisperx import log as logs
from cp_whisperx.engines import segmentation
from cp_whisperx.engines.speaker_embedding import OnnxEmbedder
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Tools, peak_rss_mb
from cp_whisperx.stages.diarization import Options, diarize, listen
from cp_whisperx.timeline import SAMPLE_RATE, Span
work = Path(sys.argv[1])
log, store, options = logs.get("diarization"), ModelStore(), Options(speakers="labels")
tools = Tools(work, work / "film", "film", None, store, "cpu", 2, log, Progress("diarization", log, terminal=False))
samples = Samples(work / "audio.wav")
speech = [Span(0, len(samples) / SAMPLE_RATE)]
began, used = time.monotonic(), time.process_time()
heard, grid = listen(segmentation.load(store.path(options.segmentation), threads=2), samples, speech, options, tools)
listened_s = time.process_time() - used
made = diarize(OnnxEmbedder(store.path(options.model)), samples, heard, grid, speech, options, tools)
print(json.dumps({"seconds": round(time.monotonic() - began, 1), "cpu_s": round(time.process_time() - used, 1),
                  "segmentation_cpu_s": round(listened_s, 1), "peak_rss_mb": peak_rss_mb(),
                  "speakers": len(made.speakers), "turns": len(made.turns)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/diarization_memory.py ../media")
    parser.add_argument("media", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--minutes", type=int, nargs="+", default=_MINUTES)
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        work, block = Path(name), _block(asked.media)
        for minutes in asked.minutes:
            times_over = max(1, round(minutes * 60 * SAMPLE_RATE / len(block)))
            _write(work / "audio.wav", block, times_over)
            done = subprocess.run([sys.executable, "-c", _MEASURE, str(work)], capture_output=True, text=True,
                                  check=True)
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


def _block(media: Path) -> np.ndarray:
    """A conversation of all voices."""
    voices = real_voices(media, "tune") | real_voices(media, "report")
    slow = {f"{name}, slow": [np.interp(np.arange(0, len(wave), 7 / 8), np.arange(len(wave)), wave).astype(np.float32)
                              for wave in waves] for name, waves in voices.items()}
    chosen = dict(list((voices | slow).items())[:_VOICES])
    return compose(chosen, np.random.default_rng(9), (0.1, 0.8), 0.1, None)[0]


def _write(path: Path, sound: np.ndarray, times_over: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for _ in range(times_over):
            file.writeframes((sound * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
