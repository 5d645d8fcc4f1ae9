"""What the benches of finished subtitles share: one run of the real command, its words with its cues, one JSON file."""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cp_whisperx.job import Job


def run(film: Path, out: Path, model: str, *options: str) -> Job:
    """`cp-whisperx run` with its defaults but for `model` and `options`, one thread: the finished job."""
    done = subprocess.run(
        [sys.executable, "-m", "cp_whisperx", "-q", "run", str(film), "--model", model, "--format", "srt", "--out",
         str(out), "--json", *options], stdout=subprocess.PIPE, text=True, check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"})
    return Job.open(Path(json.loads(done.stdout)["folder"]))


def sizes(errors: Sequence[float]) -> dict[str, float]:
    """Of signed errors: how many, median and 95th percentile of their sizes, and the median with its sign."""
    if not errors:
        return {"count": 0}
    away = sorted(map(abs, errors))
    return {"count": len(away), "median": round(statistics.median(away), 2),
            "p95": round(away[math.ceil(0.95 * len(away)) - 1], 2), "worst": round(away[-1], 2),
            "bias": round(statistics.median(errors), 2)}


def save(out: Path, name: str, result: dict[str, Any]) -> Path:
    """Writes `result` with date and machine; the path."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}-{time.strftime('%Y-%m-%d')}.json"
    head = {"what": result.pop("what"), "date": datetime.date.today().isoformat(),
            "machine": f"{platform.machine()}, {os.cpu_count()} CPUs", "python": platform.python_version()}
    path.write_text(json.dumps(head | result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
