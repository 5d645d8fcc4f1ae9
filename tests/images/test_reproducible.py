"""Two clean builds, in two folders, give the same images to the bit; if not, the first file that differs is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cp_whisperx.images.build import BuildPlan, build, own_certificates
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.layout import Entry, Layer, Layout, StoredImage, save
from cp_whisperx.images.recipe import Image, select
from tests.images.containers import REQUIRED, copy_of_the_clone, forget, require_base

LIGHT = ("subtitle-gen",)
"""Builds all that is shared; the others add layers that take minutes, which CI has."""
BUILDS = ("one", "another")


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


def _by_path(layer: Layer) -> dict[str, Entry]:
    return {entry.path: entry for entry in layer.entries}


@pytest.fixture(scope="module")
def images() -> tuple[Image, ...]:
    return select(() if os.environ.get(REQUIRED) == "1" else LIGHT, "cpu")


@pytest.fixture(scope="module")
def built(engine: Engine, images: tuple[Image, ...],
          tmp_path_factory: pytest.TempPathFactory) -> dict[str, Layout]:
    base, layouts = require_base(), {}
    for name in BUILDS:
        folder = tmp_path_factory.mktemp(name)
        clone = copy_of_the_clone(folder / "clone")
        if name == BUILDS[-1]:
            as_checked_out_elsewhere(clone)
        plan = BuildPlan(clone, images, registry=f"cp-whisperx-test-{name}", base=base,
                         no_cache=True, ca=own_certificates())
        layouts[name] = save(engine, build(plan, engine), folder / "images.tar")
        forget(engine, plan)
    return layouts


def as_checked_out_elsewhere(clone: Path) -> None:
    """On another day, by a user whose files are open to the group."""
    for path in clone.rglob("*"):
        path.chmod(path.stat().st_mode | 0o020)
        os.utime(path, (1e9, 1e9))


@pytest.mark.docker
def test_two_clean_builds_are_equal(built: dict[str, Layout], images: tuple[Image, ...]) -> None:
    one, another = (built[name].images for name in BUILDS)
    assert len(one) == len(another) >= len(images)
    differing = {image.stage: first_difference(mine, theirs) for image in images
                 for mine, theirs in [(of(image, one), of(image, another))] if mine.manifest != theirs.manifest}
    assert differing == {}


def of(image: Image, stored: tuple[StoredImage, ...]) -> StoredImage:
    return next(row for row in stored if row.name.split("/")[-1] == image.reference())


FILE = Entry("app/a.py", "file", 3, 0o644, "sha")
LAYER = Layer("sha256:a", "sha256:A", 10, (FILE, Entry("app", "folder", 0, 0o755, "")))
STORED = StoredImage("x", "sha256:m", {"User": "65532:0"}, (LAYER,))


def layer(*entries: Entry, digest: str = "sha256:b", diff_id: str = "sha256:B") -> StoredImage:
    return StoredImage("x", "sha256:n", STORED.config, (Layer(digest, diff_id, 10, entries),))


DIFFERENCES: dict[str, tuple[StoredImage, str]] = {
    "none": (STORED, ""),
    "content": (layer(Entry("app/a.py", "file", 3, 0o644, "other")), "layer 1: app is in one of them"),
    "one byte": (layer(Entry("app/a.py", "file", 3, 0o644, "other"), LAYER.entries[1]),
                 "layer 1: app/a.py: its content"),
    "mode": (layer(Entry("app/a.py", "file", 3, 0o755, "sha"), LAYER.entries[1]),
             "layer 1: app/a.py: its mode, kind or size"),
    "times": (layer(*LAYER.entries), "layer 1: the same files in another order, or with other times or owners"),
    "compression": (layer(*LAYER.entries, diff_id="sha256:A"), "layer 1: the same files, compressed in two ways"),
    "a layer more": (StoredImage("x", "sha256:n", {}, (LAYER, LAYER)), "1 layers and 2"),
    "user": (StoredImage("x", "sha256:n", {"User": "0"}, (LAYER,)), "configuration: User is '65532:0' and '0'"),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_the_first_difference_is_named(name: str) -> None:
    other, text = DIFFERENCES[name]
    assert first_difference(STORED, other) == text
