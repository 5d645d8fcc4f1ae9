"""Two clean builds give the same images to the bit; if not, the first file that differs is named."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from cp_whisperx.errors import ConfigError
from cp_whisperx.images import reproduce
from cp_whisperx.images.build import BuildPlan, own_certificates
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.layout import Entry, Layer, StoredImage
from cp_whisperx.images.recipe import select
from cp_whisperx.images.reproduce import first_difference
from tests.images.containers import REQUIRED, ROOT, require_base

LIGHT = ("subtitle-gen",)
"""Builds all that is shared; the others add layers that take minutes, which CI has."""


@pytest.mark.docker
def test_two_clean_builds_are_equal(engine: Engine) -> None:
    images = select(() if os.environ.get(REQUIRED) == "1" else LIGHT, "cpu")
    plan = BuildPlan(ROOT, images, base=require_base(), ca=own_certificates())
    # CI has just built them all, from this commit and from another folder: one clean build more is to equal that one.
    built = len(images) > len(LIGHT) and are_of_this_commit(plan, engine)
    assert {one.image: one.difference for one in reproduce.reproduce(plan, engine, empty_caches=False, built=built)
            } == {image.target: "" for image in images}
    assert not engine.ask("images", "--quiet", "--filter", f"reference={reproduce.REGISTRY}-*/*")


def are_of_this_commit(plan: BuildPlan, engine: Engine) -> bool:
    """The images that are here bear the name of the commit, and so do those that a build would name now."""
    names = plan.names()
    here = engine.named(name for row in names for name in row)
    return not plan.environment()["REVISION"].endswith("-dirty") and all(
        row[0] in here and here[row[0]] == here.get(row[-1]) for row in names)


@pytest.mark.docker
def test_a_build_that_tells_its_time_is_found(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that each build writes in its own way."""
    plain = reproduce._build

    def telling(plan: BuildPlan, engine: Engine, name: str, *, empty_caches: bool) -> None:
        script = plan.clone / "docker" / "make-code"
        text = script.read_text()
        script.write_text(text.replace('mkdir -p "$app"\n', f'mkdir -p "$app"; echo {name} > "$app/built"\n', 1))
        plain(replace(plan, no_cache=False), engine, name, empty_caches=False)

    monkeypatch.setattr(reproduce, "_build", telling)
    plan = BuildPlan(ROOT, select(LIGHT, "cpu"), base=require_base(), ca=own_certificates())
    one, = reproduce.reproduce(plan, engine)
    assert one.difference.endswith(("app/built: its content", "app/built: its mode, kind or size"))


def test_outside_of_git_nothing_is_built(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("plain")
    with pytest.raises(ConfigError, match="cannot be cloned"):
        reproduce._clone(folder, folder / "clone", elsewhere=False)


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
