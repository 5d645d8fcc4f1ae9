"""`python bench/demux_memory.py`: peak memory of demux on a film of 10 minutes and one of 2 hours, as dated JSON."""

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
from pathlib import Path

from scenes import SceneSpec, build

_MINUTES = (10, 120)
_MEASURE = """
import json, sys, time
from pathlib import Path
from cp_whisperx.media import decode
from cp_whisperx.stage import peak_rss_mb
began = time.monotonic()
made = decode.extract(Path(sys.argv[1]), 0, Path(sys.argv[2]))
seconds = round(time.monotonic() - began, 2)
print(json.dumps({"samples": made.samples, "seconds": seconds, "peak_rss_mb": peak_rss_mb()}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/demux_memory.py")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    out: Path = parser.parse_args().out
    rows = []
    with tempfile.TemporaryDirectory() as work:
        for minutes in _MINUTES:
            print(f"making and decoding a film of {minutes} min", file=sys.stderr)
            scene = build(SceneSpec(length_s=minutes * 60, picture="none"), Path(work), f"film-{minutes}")
            done = subprocess.run([sys.executable, "-c", _MEASURE, str(scene.film), f"{work}/audio.wav"],
                                  capture_output=True, text=True, check=True)
            rows.append({"minutes": minutes} | json.loads(done.stdout))
            print(rows[-1])
    result = {
        "what": "peak memory of demux against the film's length",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(), "rows": rows,
        "growth_mb": round(rows[-1]["peak_rss_mb"] - rows[0]["peak_rss_mb"], 1),
    }
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"demux-memory-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
