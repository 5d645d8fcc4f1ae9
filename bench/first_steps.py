"""`python bench/first_steps.py`: what a newcomer waits for in a fresh clone: the set-up, and the demo, as dated JSON.

`make .venv/.scenes`, which is the set-up of `make demo`, then `make demo`. Downloads come from the package index that
pip reaches; pip's own cache is not used. Models are pulled by the demo where the store lacks them: `models_there` says
whether it had them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from cp_whisperx.images import results
from cp_whisperx.models.store import ModelStore

_CLONE = Path(__file__).parent.parent


def main() -> None:
    there = ModelStore().has("base")
    with tempfile.TemporaryDirectory() as work:
        clone = Path(work) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(_CLONE), str(clone)], check=True)
        set_up_s, demo_s = (_make(clone, target) for target in (".venv/.scenes", "demo"))
    print(f"set-up {set_up_s:.0f} s, demo {demo_s:.0f} s")
    print(results.write(_CLONE, "first-steps", "a fresh clone: the set-up of make demo, then make demo", {
        "set_up_s": round(set_up_s, 1), "demo_s": round(demo_s, 1), "models_there": there}))


def _make(clone: Path, target: str) -> float:
    begun = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run(["make", target], cwd=clone, check=True, stdin=subprocess.DEVNULL,
                   env=environment | {"PIP_NO_CACHE_DIR": "1"})
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
