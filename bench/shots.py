"""`python bench/shots.py`: how fast and how well shot changes are found, as dated JSON.

Films are made with known cuts, in several encodings. Their pictures are drawn, not filmed: precision and recall say
that the method does what it should, not what it does on any film. Speed is CPU time of one thread against film time.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from cp_whisperx.media import shots
from scenes.cuts import CutSpec, build_cuts

_X264 = {"preset": "veryfast", "crf": "23", "threads": "2"}
_FIXED = {**_X264, "x264-params": "keyint=48:min-keyint=48:scenecut=0"}


def _lengths(seed: int, seconds: float) -> tuple[float, ...]:
    """Of shots, between 0.8 and 7 s, as in a film of dialogue."""
    rng = np.random.default_rng(seed)
    lengths: list[float] = []
    while sum(lengths) < seconds:
        lengths.append(round(float(np.clip(rng.lognormal(1.0, 0.6), 0.8, 7.0)), 2))
    return tuple(lengths)


FILMS = {
    "1080p, encoder chooses": CutSpec(_lengths(1, 10), 1920, 1080, options=_X264),
    "1080p, every 2 s": CutSpec(_lengths(2, 10), 1920, 1080, options=_FIXED),
    "576p, encoder chooses": CutSpec(_lengths(3, 18), 720, 576, options=_X264),
    "576p, every 2 s": CutSpec(_lengths(4, 18), 720, 576, options=_FIXED),
    "576p, much grain": CutSpec(_lengths(5, 18), 720, 576, grain=12.0, options=_X264),
    "576p, moving camera": CutSpec(_lengths(6, 18), 720, 576, pan=6.0, shake=True, options=_X264),
    "576p, dark": CutSpec(_lengths(7, 18), 720, 576, dark=0.2, options=_X264),
    "576p, flashes, still": CutSpec(_lengths(8, 18), 720, 576, pan=0.05, flashes_s=tuple(np.arange(2.3, 16, 4.1)),
                                    options=_X264),
    "576p, flashes, moving": CutSpec(_lengths(8, 18), 720, 576, pan=2.0, flashes_s=tuple(np.arange(2.3, 16, 4.1)),
                                     options=_X264),
    "576p, dissolves": CutSpec(_lengths(9, 18), 720, 576, dissolve_s=0.7, options=_X264),
    "576p, fades": CutSpec(_lengths(10, 18), 720, 576, fades=True, options=_X264),
    "576p, MPEG-4": CutSpec(_lengths(11, 18), 720, 576, codec="mpeg4", options={"qscale": "4"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/shots.py")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    out: Path = parser.parse_args().out
    rows = []
    with tempfile.TemporaryDirectory() as work:
        for name, spec in FILMS.items():
            film = Path(work) / "film.mkv"
            truth = build_cuts(spec, film)
            for mode in ("fast", "full"):
                began = time.process_time()
                found = shots.find(film, 0, mode=mode)
                seconds = time.process_time() - began
                hits = sum(any(abs(cut - one) < 0.02 for one in found.cuts) for cut in truth)
                rows.append({
                    "film": name, "mode": mode, "cuts": len(truth), "found": len(found.cuts), "right": hits,
                    "precision": round(hits / len(found.cuts), 3) if found.cuts else None,
                    "recall": round(hits / len(truth), 3) if truth else None, "pictures": found.frames,
                    "times_real_time": round(sum(spec.shots_s) / seconds, 1)})
                print(f"{name:30} {mode:5} cuts {len(truth):3} found {len(found.cuts):3} right {hits:3} "
                      f"pictures {found.frames:5} {rows[-1]['times_real_time']:7.1f} x real time", flush=True)
            film.unlink()
    result = {"what": "shot changes: right ones to the frame, and speed on one thread",
              "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
              "python": platform.python_version(), "rows": rows}
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"shots-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
