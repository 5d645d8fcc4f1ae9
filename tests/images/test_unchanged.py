"""A build that has nothing to do asks nothing of the builder; whatever went in otherwise is built."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from cp_whisperx.images import unchanged
from cp_whisperx.images.build import BuildPlan
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import select
from tests.images.containers import ROOT

PINNED = "127.0.0.1:5000/base:bookworm@sha256:" + "a" * 64


@dataclass(frozen=True, slots=True)
class Named(Engine):
    """An engine that has these names and no more."""

    has: dict[str, str] = field(default_factory=dict)

    def named(self, names: object) -> dict[str, str]:
        return {name: self.has[name] for name in names if name in self.has}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildPlan:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    clone = tmp_path / "clone"
    for name in ("docker", "requirements", "src"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".dockerignore", clone)
    return BuildPlan(clone, select(("tmdb",), "cpu"), base=PINNED)


@pytest.fixture
def engine(plan: BuildPlan) -> Engine:
    has = {name: "sha256:" + "b" * 64 for row in plan.names() for name in row}
    return Named("docker", "27", "0.20", True, False, Path("/nowhere"), id="one", has=has)


def built(plan: BuildPlan, engine: Engine) -> None:
    images = engine.named(name for row in plan.names() for name in row)
    unchanged.keep(plan, engine, unchanged.inputs(plan, engine), images)


def again(plan: BuildPlan, engine: Engine) -> bool:
    return unchanged.are(plan, engine, unchanged.inputs(plan, engine))


def test_the_same_once_more_is_there(plan: BuildPlan, engine: Engine) -> None:
    assert not again(plan, engine)
    built(plan, engine)
    assert again(plan, engine)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a line of code": lambda clone: (clone / "src/cp_whisperx/stages/tmdb.py").open("a").write("\n_ONE = 1\n"),
    "a lock": lambda clone: (clone / "requirements/base.txt").open("a").write("\n# \n"),
    "the Dockerfile": lambda clone: (clone / "docker/Dockerfile").open("a").write("\n# \n"),
    "a file that is new": lambda clone: (clone / "src/cp_whisperx/new.py").write_text(""),
    "a file that went": lambda clone: (clone / "src/cp_whisperx/rttm.py").unlink(),
    "a mode": lambda clone: (clone / "docker/make-code").chmod(0o644),
    "what is let in": lambda clone: (clone / ".dockerignore").open("a").write("!README.md\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_goes_in_otherwise_is_built(name: str, plan: BuildPlan, engine: Engine) -> None:
    built(plan, engine)
    CHANGES[name](plan.clone)
    assert not again(plan, engine)


def test_a_file_that_no_image_takes_changes_nothing(plan: BuildPlan, engine: Engine) -> None:
    built(plan, engine)
    (plan.clone / "notes.txt").write_text("later")
    assert again(plan, engine)


@pytest.mark.parametrize("changed", [
    {"no_cache": True}, {"push": True, "registry": "r"}, {"cache": "r/c"}, {"locked": True}, {"debug": True},
    {"base": PINNED.replace("a" * 64, "c" * 64)}, {"base": "127.0.0.1:5000/base:bookworm"}, {"registry": "other"},
    {"images": select(("tmdb", "mux"), "cpu")}])
def test_another_plan_is_built(changed: dict[str, object], plan: BuildPlan, engine: Engine) -> None:
    built(plan, engine)
    assert not again(replace(plan, **changed), engine)


def test_a_name_that_moved_or_went_is_built(plan: BuildPlan, engine: Engine) -> None:
    assert isinstance(engine, Named)
    built(plan, engine)
    name, image = next(iter(engine.has.items()))
    engine.has[name] = "sha256:" + "d" * 64
    assert not again(plan, engine)
    del engine.has[name]
    assert not again(plan, engine)
    engine.has[name] = image
    assert again(plan, engine)


def test_notes_that_are_torn_are_no_notes(plan: BuildPlan, engine: Engine) -> None:
    built(plan, engine)
    (note,) = (plan.clone.parent / "cache/cp-whisperx").glob("*.json")
    note.write_bytes(note.read_bytes()[:40])
    assert not again(plan, engine)
