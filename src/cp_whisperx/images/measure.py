"""How long builds and starts take, and what a change ships: medians, made by the same commands that people run.

Changes are made in a copy of the clone and under a registry name of their own, so that neither the clone nor the
images in use are touched.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cp_whisperx import log as logs
from cp_whisperx.errors import ConfigError
from cp_whisperx.images import clones, layout, results
from cp_whisperx.images.build import BuildPlan, build, forget
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.evidence import layer_names
from cp_whisperx.images.layout import Layout, StoredImage
from cp_whisperx.images.recipe import Image
from cp_whisperx.models.store import ModelStore

_log = logs.get("measure")

REGISTRY = "cp-whisperx-measure"
CODE = "src/cp_whisperx/stages/subtitle_gen.py"
MODEL = "base"
_CONTRACT = ("--rm", "--pull", "never", "--read-only", "--tmpfs", "/tmp:mode=1777", "--network", "none",
             "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
_LOAD = """
import logging
from pathlib import Path
from cp_whisperx.engines.faster_whisper import WhisperTranscriber
from cp_whisperx.models.store import ModelStore
WhisperTranscriber(ModelStore().path({model!r}), device="cpu", threads=0, beam_size=1, log=logging.getLogger())
"""


def write(plan: BuildPlan, engine: Engine, *, runs: int = 3) -> Path:
    """Measures, and writes bench/results/images-<date>.json in the clone; returns its path."""
    return results.write(plan.clone, "images", "container images: rebuilds after a change, what it ships, and starts",
                         measure(plan, engine, runs=runs))


def measure(plan: BuildPlan, engine: Engine, *, models: Path | None = None, layer: str = "onnx",
            runs: int = 3) -> dict[str, Any]:
    """Seconds are wall time, medians over `runs`; `layer` is the dependency layer that loses a package.

    `models` is the root of a model store, by default the user's. Raises RunnerError if a build or a start fails,
    ConfigError for a layer that no image of the plan has.
    """
    if not any(layer in image.layers for image in plan.images):
        raise ConfigError(f"no image of the plan has a layer called {layer}",
                          hint="layers: " + ", ".join(sorted({one for image in plan.images for one in image.layers})))
    with tempfile.TemporaryDirectory(prefix="cp-whisperx-measure-") as work:
        clone = Path(work) / "clone"
        clones.copy(plan.clone, clone)
        ours = replace(plan, clone=clone, registry=REGISTRY, push=False, cache="", cache_to=False, debug=False)
        try:
            builds = _builds(ours, engine, Path(work), layer, runs)
            starts = _starts(ours, engine, models or ModelStore().root, runs)
        finally:
            forget(ours, engine)
    return {"engine": engine.label, "runs": runs, "images": len(plan.images), **builds, **starts}


def _builds(plan: BuildPlan, engine: Engine, work: Path, layer: str, runs: int) -> dict[str, Any]:
    _log.info("building once, so that everything is in the cache")
    _build(plan, engine)
    before = _save(plan, engine, work / "before.tar")
    changes: dict[str, tuple[str, Callable[[str, int], str]]] = {
        "no_change": (CODE, lambda text, run: text),
        "code_line": (CODE, lambda text, run: f"{text}# measured {run} {time.time_ns()}\n"),
        "dependency": (f"requirements/{layer}.txt", _without_package)}
    found = {}
    for name, (changed, change) in changes.items():
        path = plan.clone / changed
        kept = path.read_text(encoding="utf-8")
        seconds = []
        for run in range(runs):
            path.write_text(change(kept, run), encoding="utf-8")
            seconds.append(_build(plan, engine))
            _log.info(f"{name.replace('_', ' ')}, run {run + 1} of {runs}: {seconds[-1]:.2f} s")
        after = _save(plan, engine, work / "after.tar")
        found[name] = _median(seconds) | shipped(plan.images, before, after)
        path.write_text(kept, encoding="utf-8")
    return found


def shipped(images: tuple[Image, ...], before: Layout, after: Layout) -> dict[str, Any]:
    """What has to be pulled after a change by who has all that was there before.

    Layers by name; bytes as they are stored, compressed. The config and the manifest of a changed image are a few
    kB each and not counted.
    """
    old = {layer.digest for stored in before.images for layer in stored.layers}
    known = {_target(one): one.manifest for one in before.images}
    changed: list[str] = []
    layers: dict[str, dict[str, Any]] = {}
    for image in images:
        stored = next(one for one in after.images if _target(one) == image.reference())
        if known.get(image.reference()) != stored.manifest:
            changed.append(image.stage)
        layers |= {layer.digest: {"layer": name, "bytes": layer.compressed}
                   for name, layer in zip(layer_names(image), stored.layers, strict=True) if layer.digest not in old}
    return {"images_changed": changed, "new_layers": list(layers.values()),
            "new_bytes": sum(one.compressed for one in layout.unique(after.images) if one.digest not in old)}


def _starts(plan: BuildPlan, engine: Engine, models: Path, runs: int) -> dict[str, Any]:
    """From `docker run` to the end of a process that did nothing but get ready."""
    found: dict[str, Any] = {"start": {}}
    for image in plan.images:
        found["start"][image.target] = _start(engine, image.target, runs, image.reference(plan.registry), "--help")
    asr = next((image for image in plan.images if image.stage == "asr"), None)
    if asr and ModelStore(models).has(MODEL):
        found["start_with_model"] = {"model": MODEL} | _start(
            engine, f"{asr.target} with its model", runs,
            "--mount", f"type=bind,source={models},target=/models,readonly", "--entrypoint", "/usr/bin/python3.11",
            asr.reference(plan.registry), "-c", _LOAD.format(model=MODEL))
    elif asr:
        _log.warning(f"asr is not started with its model: {MODEL} is not in {models}")
    return found


def _start(engine: Engine, name: str, runs: int, *arguments: str) -> dict[str, Any]:
    seconds = []
    for _ in range(runs):
        begun = time.monotonic()
        engine.ask("run", *_CONTRACT, *arguments)
        seconds.append(time.monotonic() - begun)
    _log.info(f"start of {name}: {statistics.median(seconds):.2f} s")
    return _median(seconds)


def _median(seconds: list[float]) -> dict[str, Any]:
    return {"seconds": round(statistics.median(seconds), 3), "each": [round(one, 3) for one in seconds]}


def _build(plan: BuildPlan, engine: Engine) -> float:
    begun = time.monotonic()
    build(plan, engine)
    return time.monotonic() - begun


def _save(plan: BuildPlan, engine: Engine, path: Path) -> Layout:
    return layout.save(engine, plan.references(), path)


def _without_package(lock: str, run: int) -> str:
    """The lock without one of its packages, another one each run, and a comment that no earlier build has seen."""
    head, *packages = re.split(r"^(?=\w)", lock, flags=re.MULTILINE)
    if len(packages) > 1:
        del packages[run % len(packages)]
    return f"{head}{''.join(packages)}# measured {run} {time.time_ns()}\n"


def _target(stored: StoredImage) -> str:
    return stored.name.rsplit("/", 1)[-1]
