"""What a build would make is there already: told by what goes in, without asking the builder.

The same files and arguments give the same images to the bit (`images reproduce`), so that a build whose inputs are
those of the last one, and whose names still belong to what that one made, has nothing to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx import publish
from cp_whisperx.images import context, turn
from cp_whisperx.images.engine import Engine

if TYPE_CHECKING:
    from cp_whisperx.images.build import BuildPlan

_BUILD = ("docker/docker-bake.hcl", "docker/Dockerfile", context.IGNORE)


def inputs(plan: BuildPlan, engine: Engine) -> str:
    """A digest of all that a build takes, by content and executable bit; "" where that is not to be told.

    A base that is named by a tag alone may have moved, and a push or a cache is more than names in the engine.
    """
    if plan.no_cache or plan.push or plan.cache or not engine.id or (plan.base and "@sha256:" not in plan.base):
        return ""
    taken = hashlib.sha256(json.dumps([plan.arguments(containerd=engine.containerd), plan.environment()]).encode())
    for name in sorted({*context.held(plan.clone), *_BUILD}):
        path = plan.clone / name
        if not path.is_file():
            continue
        data = path.read_bytes()
        taken.update(f"\0{name}\0{path.stat().st_mode & 0o111:o}\0{len(data)}\0".encode() + data)
    return taken.hexdigest()


def are(plan: BuildPlan, engine: Engine, digest: str) -> bool:
    """Whether the last build took the same, and all its names are still those of what it made."""
    last = _read(engine).get(_key(plan)) if digest else None
    return bool(last and last["inputs"] == digest and engine.named(last["images"]) == last["images"])


def keep(plan: BuildPlan, engine: Engine, digest: str, images: Mapping[str, str]) -> None:
    """Writes down what a build took, and the ids by name of what it made."""
    if digest:
        _file(engine).parent.mkdir(parents=True, exist_ok=True)
        known = _read(engine) | {_key(plan): {"inputs": digest, "images": dict(images)}}
        publish.publish_file(_file(engine), json.dumps(known, indent=1, sort_keys=True).encode())


def _key(plan: BuildPlan) -> str:
    return f"{plan.registry} {' '.join(plan.targets)}"


def _file(engine: Engine) -> Path:
    return turn.lock_of(engine).with_suffix(".json")


def _read(engine: Engine) -> dict[str, Any]:
    try:
        read = json.loads(_file(engine).read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
