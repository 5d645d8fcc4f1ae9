"""`python bench/rerun.py`: the demo film, then the same command with another subtitle profile, as dated JSON.

Wall time of the whole command, three runs, each with a profile that no earlier one had; the median. Which stages
ran again is what the command itself tells.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cp_whisperx.images import results
from scenes import SceneSpec, build

_PROFILES = ("bbc", "netflix", "netflix-en-sdh")


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        film, out = build(SceneSpec(), Path(work)).film, Path(work) / "out"
        first_s, _ = _run(film, out, "netflix-en")
        again = [_run(film, out, profile) for profile in _PROFILES]
    seconds = [one for one, _ in again]
    result = {"model": "base", "seconds": round(statistics.median(seconds), 2),
              "each": [round(one, 2) for one in seconds], "first_s": round(first_s, 2),
              "stages_run_again": sorted({stage["name"] for _, told in again for stage in told["stages"]
                                          if stage["status"] != "skipped"})}
    print(json.dumps(result, indent=1))
    print(results.write(Path(__file__).parent.parent, "rerun", "a subtitle option changed: the command again", result))


def _run(film: Path, out: Path, profile: str) -> tuple[float, dict[str, Any]]:
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "cp_whisperx", "-q", "run", str(film), "--out", str(out), "--json",
                           "--profile", profile], stdout=subprocess.PIPE, text=True, check=True)
    return time.monotonic() - begun, json.loads(done.stdout)


if __name__ == "__main__":
    main()
