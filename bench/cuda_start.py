"""`python bench/cuda_start.py`: seconds from the start of the asr:cuda image to the end of its first inference.

Two ways in turn: with an empty cache of compiled kernels, as an image without such a volume starts every time, and
with the cache that the start before has filled. Needs a GPU. Where there is no engine, `--root` takes the image's
unpacked files (`docker export`) with `--config` (`docker inspect`), and enters them by chroot, as root: this leaves
out what the engine itself adds to a start. Standard library alone, so that it runs on a bare GPU host.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

IMAGE = "cp-whisperx-app-asr:cuda"
PYTHON = "/usr/bin/python3.11"
WARM = ("-m", "cp_whisperx.engines.warm")
# What the engine's NVIDIA runtime brings in from the host's driver.
DRIVER = ("libcuda.so.1", "libnvidia-ptxjitcompiler.so.1", "libnvidia-nvvm.so.4", "libnvidia-ml.so.1",
          "libnvidia-gpucomp.so")


def start(command: list[str], env: dict[str, str] | None) -> tuple[float, float]:
    """Seconds from the start of the process to the end of its first inference, and of its first transcription.

    The engine says where it computes after it has computed once; `warm` ends after 5 s of sound were decoded.
    """
    began, first, said = time.monotonic(), None, []
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if "computing on cuda" in line:
                first = time.monotonic() - began
    if process.returncode or first is None:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}, no GPU inference\n{''.join(said)}")
    return first, time.monotonic() - began


def enter(root: Path, models: Path) -> None:
    """Makes unpacked image files a root: what the engine would mount, and the host's driver."""
    for name in ("dev", "proc", "sys"):
        (root / name).mkdir(exist_ok=True)
        subprocess.run(["mount", "--rbind", f"/{name}", str(root / name)], check=True)
    (root / "models").mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", str(models), str(root / "models")], check=True)
    known = subprocess.run(["ldconfig", "-p"], stdout=subprocess.PIPE, text=True, check=True).stdout
    places = {line.split()[0]: Path(line.split()[-1]) for line in known.splitlines() if "x86-64" in line}
    for name in places:
        if name.startswith(DRIVER):
            shutil.copy2(places[name].resolve(), root / "usr/lib/x86_64-linux-gnu" / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/cuda_start.py --runs 5")
    parser.add_argument("--models", type=Path, default=Path.home() / ".cache/cp-whisperx/models")
    parser.add_argument("--model", default="base")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--root", type=Path, help="unpacked files of the image, where there is no engine")
    parser.add_argument("--config", type=Path, help="what `docker inspect` says of the image; with --root")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    env = None
    if given.root:
        enter(given.root, given.models)
        env = dict(one.split("=", 1) for one in json.loads(given.config.read_text())[0]["Config"]["Env"])
    seconds: dict[str, list[tuple[float, float]]] = {"empty_kernel_cache": [], "kept_kernel_cache": []}
    with tempfile.TemporaryDirectory() as work:
        for run in range(given.runs):
            cache = Path(work) / str(run)
            cache.mkdir(mode=0o777)
            cache.chmod(0o777)
            if given.root:
                inside = given.root / "cuda-cache"
                inside.mkdir(exist_ok=True)
                subprocess.run(["mount", "--bind", str(cache), str(inside)], check=True)
                command = ["chroot", "--userspec=65532:0", str(given.root), PYTHON, *WARM, given.model]
            else:
                command = ["docker", "run", "--rm", "--gpus", "all", "--network", "none", "--read-only",
                           "--tmpfs", "/tmp:mode=1777", "--volume", f"{given.models}:/models:ro",
                           "--volume", f"{cache}:/cuda-cache", "--entrypoint", PYTHON, IMAGE, *WARM, given.model]
            for way, found in seconds.items():
                found.append(start(command, env))
                print(f"{run + 1} of {given.runs}  {way:18}  first inference {found[-1][0]:6.2f} s, "
                      f"5 s of sound transcribed {found[-1][1]:6.2f} s", flush=True)
            if given.root:
                subprocess.run(["umount", str(given.root / "cuda-cache")], check=True)
    card = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    median = {way: {"first_inference": round(statistics.median(one for one, _ in found), 2),
                    "first_transcription": round(statistics.median(one for _, one in found), 2)}
              for way, found in seconds.items()}
    empty, kept = median["empty_kernel_cache"], median["kept_kernel_cache"]
    result: dict[str, Any] = {
        "what": "seconds from the start of asr:cuda to its first inference, and to the text of 5 s of sound, medians",
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", "image": IMAGE, "model": given.model,
        "entered_by": "chroot into the image's files" if given.root else "docker run --gpus all",
        "machine": {"gpu": card, "cores": os.cpu_count(), "processor": platform.machine()},
        "runs": {way: [{"first_inference_s": round(a, 2), "first_transcription_s": round(b, 2)} for a, b in found]
                 for way, found in seconds.items()},
        "median_s": median, "ratio": round(empty["first_inference"] / kept["first_inference"], 1)}
    path = given.out / f"cuda-start-{result['date']}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    for way, of in median.items():
        print(f"median, {way:18}  first inference {of['first_inference']:6.2f} s, "
              f"5 s of sound transcribed {of['first_transcription']:6.2f} s")
    print(path)


if __name__ == "__main__":
    main()
