"""Two clean builds, compared to the bit: from two clones in two folders, at other times, under another umask, with
nothing in any cache. Where they differ the first file is named.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.errors import ConfigError
from cp_whisperx.images import layout, results
from cp_whisperx.images.build import BuildPlan, forget
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.layout import Entry, Layer, Layout, StoredImage
from cp_whisperx.images.recipe import Image

_log = logs.get("reproduce")

REGISTRY = "cp-whisperx-reproduce"
_BUILDS = ("one", "another")
_LONG_AGO = 1e9
_CACHE_ID = re.compile(r"\bid=cp-whisperx-(?=[\w-]+,)")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One image, built twice. `difference` says in words where the builds differ; empty if they are equal."""

    image: str
    digest: str
    difference: str

    @property
    def equal(self) -> bool:
        return not self.difference


def reproduce(plan: BuildPlan, engine: Engine, *, empty_caches: bool = True,
              built: bool = False) -> tuple[Comparison, ...]:
    """Builds the images of the plan twice from what is committed, every step anew.

    `empty_caches`: what the steps download is fetched anew, too, both times. `built`: the images that are here take
    the place of the first build; they are those of the plan, and of the same commit. Nothing stays of the builds,
    however this ends.

    Raises ConfigError outside of git, RunnerError if a build fails.
    """
    found: dict[str, Layout] = {}
    with tempfile.TemporaryDirectory(prefix="cp-whisperx-reproduce-") as work:
        for number, name in enumerate(_BUILDS, 1):
            folder = Path(work) / name
            if built and number == 1:
                folder.mkdir()
                _log.info(f"reading {len(plan.images)} images that are here (1 of 2)")
                found[name] = layout.save(engine, plan.references(), folder / "images.tar")
                continue
            clone = _clone(plan.clone, folder / "clone", elsewhere=name != _BUILDS[0])
            ours = replace(plan, clone=clone, registry=f"{REGISTRY}-{name}", push=False, cache="", cache_to=False,
                           no_cache=True)
            _log.info(f"building {len(plan.images)} images, every step anew ({number} of 2)")
            began = time.monotonic()
            try:
                _build(ours, engine, name, empty_caches=empty_caches)
                _log.info(f"built in {time.monotonic() - began:.0f} s; reading what is in them ({number} of 2)")
                found[name] = layout.save(engine, ours.references(), folder / "images.tar")
            finally:
                forget(ours, engine)
                if empty_caches:
                    engine.forget_mounts(_mounts(name))
            shutil.rmtree(clone)
        one, another = (found[name].images for name in _BUILDS)
        _log.info("comparing")
        return tuple(_compared(image, _of(image, one), _of(image, another)) for image in plan.images)


def write(found: tuple[Comparison, ...], clone: Path, engine: Engine) -> Path:
    """Writes bench/results/reproduce-<date>.json in the clone; returns its path."""
    return results.write(clone, "reproduce", "images built twice from clean clones with empty caches", {
        "engine": engine.label, "equal": sum(one.equal for one in found), "of": len(found),
        "images": [asdict(one) for one in found]})


def first_difference(one: StoredImage, other: StoredImage) -> str:
    """In words: where two images that should be equal are not. Empty if they are equal."""
    if one.manifest == other.manifest:
        return ""
    if len(one.layers) != len(other.layers):
        return f"{len(one.layers)} layers and {len(other.layers)}"
    for number, (mine, theirs) in enumerate(zip(one.layers, other.layers, strict=True), 1):
        if mine.diff_id != theirs.diff_id:
            return f"layer {number}: {_first_file(mine, theirs)}"
        if mine.digest != theirs.digest:
            return f"layer {number}: the same files, compressed in two ways"
    for key in sorted({*one.config, *other.config}):
        if one.config.get(key) != other.config.get(key):
            return f"configuration: {key} is {one.config.get(key)!r} and {other.config.get(key)!r}"
    return "the manifests alone"


def _first_file(one: Layer, other: Layer) -> str:
    mine, theirs = _by_path(one), _by_path(other)
    for path in sorted({*mine, *theirs}):
        if path not in mine or path not in theirs:
            return f"{path} is in one of them"
        if mine[path] != theirs[path]:
            what = "content" if mine[path].digest != theirs[path].digest else "mode, kind or size"
            return f"{path}: its {what}"
    return "the same files in another order, or with other times or owners"


def _by_path(layer: Layer) -> Mapping[str, Entry]:
    return {entry.path: entry for entry in layer.entries}


def _clone(source: Path, to: Path, *, elsewhere: bool) -> Path:
    """What is committed, checked out anew; `elsewhere`: by somebody whose files are his alone, on another day."""
    done = subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(source), str(to)], capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL, umask=0o077 if elsewhere else 0o002)
    if done.returncode:
        raise ConfigError(f"{source} cannot be cloned: {done.stderr.strip().splitlines()[-1]}",
                          hint="images are reproduced from a git clone of the project")
    if elsewhere:
        for path in (to, *to.rglob("*")):
            if not path.is_symlink():
                os.utime(path, (_LONG_AGO, _LONG_AGO))
    return to


def _build(plan: BuildPlan, engine: Engine, name: str, *, empty_caches: bool) -> None:
    # The commit's facts are read before the edit, which would make the clone differ from the commit.
    environment = plan.environment()
    dockerfile = plan.clone / "docker" / "Dockerfile"
    text = dockerfile.read_text(encoding="utf-8")
    if empty_caches:
        # Cache mounts outlive --no-cache; under names of their own they start empty.
        dockerfile.write_text(_CACHE_ID.sub(f"id={_mounts(name)}", text), encoding="utf-8")
    engine.run(*plan.arguments(containerd=engine.containerd), environment=environment, cwd=plan.clone)


def _mounts(name: str) -> str:
    """How the ids of a build's own cache mounts begin."""
    return f"cp-whisperx-{name}-{os.getpid()}-"


def _compared(image: Image, one: StoredImage, another: StoredImage) -> Comparison:
    found = Comparison(image.target, one.manifest, first_difference(one, another))
    _log.info(f"{found.image}: {found.difference or 'equal, ' + found.digest[:19]}")
    return found


def _of(image: Image, stored: tuple[StoredImage, ...]) -> StoredImage:
    return next(row for row in stored if row.name.split("/")[-1] == image.reference())
