"""The start-up budget: how long a container takes until its stage is ready, and which module is to blame."""

from __future__ import annotations

import tomllib
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.errors import ArtifactInvalid
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.evidence import Check
from cp_whisperx.images.measure import starts
from cp_whisperx.images.recipe import Image
from cp_whisperx.images.sizes import BUDGETS

_log = logs.get("images")

TABLE, KEY = "start", "milliseconds"
TARGET_MS = 1000
_TRIES = 3
_IDLE_S = 0.5
_NAMED = 5
_PYTHON = "/usr/bin/python3.11"


def start(engine: Engine, clone: Path, images: tuple[Image, ...], registry: str = "") -> Check:
    """Images whose best start of three takes longer than the budget; each with the modules that took the time.

    The best, since a machine may be busy with something else: nothing makes a start faster than it is. On a machine
    where even a container that does nothing takes more than half a second, the budget grows in proportion.
    Raises RunnerError for an image that does not start, ArtifactInvalid for a budget that is no number.
    """
    limit_ms = budget(clone)
    detail: list[str] = []
    slow = 0
    for image in images:
        reference = image.reference(registry)
        best = min(starts.started(engine, _PYTHON, reference, image.stage) for _ in range(_TRIES))
        if best * 1000 <= limit_ms:
            continue
        idle = min(starts.idle(engine, _PYTHON, reference) for _ in range(_TRIES))
        if best * 1000 <= limit_ms * idle / _IDLE_S:
            _log.warning(f"this machine is busy: {image.target} is ready after {best:.2f} s, and a container that does "
                         f"nothing ends after {idle:.2f} s")
            continue
        slow += 1
        modules = starts.imports(engine, _PYTHON, reference, image.stage)
        detail += [f"{image.target}: ready after {best:.2f} s, {best - limit_ms / 1000:.2f} s over its budget; "
                   "its slowest modules are:",
                   *(f"  {seconds:.3f} s  {name}" for name, seconds in
                     sorted(modules.items(), key=lambda pair: -pair[1])[:_NAMED])]
    return Check("I8", f"every image is ready within {limit_ms} ms", slow, 0, not slow, tuple(detail))


def budget(clone: Path) -> int:
    """Milliseconds; the target's where docker/budgets.toml says nothing."""
    path = clone / BUDGETS
    table = tomllib.loads(path.read_text(encoding="utf-8")).get(TABLE, {}) if path.is_file() else {}
    value = table.get(KEY, TARGET_MS)
    if not isinstance(value, int):
        raise ArtifactInvalid(f"{BUDGETS}: {TABLE}.{KEY} is not a whole number", hint=f"as in: {KEY} = {TARGET_MS}")
    return value
