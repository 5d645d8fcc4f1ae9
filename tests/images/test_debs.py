"""The lock of Debian packages: read strictly, kept, and what a build does when the archive has moved on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cp_whisperx.errors import ArtifactInvalid, RunnerError
from cp_whisperx.images import check, debs, layout
from cp_whisperx.images.build import BuildPlan, build, forget, own_certificates
from cp_whisperx.images.debs import Deb
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import select
from cp_whisperx.publish import sha256
from tests.images.containers import ROOT, copy_of_the_clone, require_base

SUM = "0" * 64


@pytest.mark.parametrize(("text", "found"), [
    ("", ()),
    (f"zlib1g 1:1.2.13.dfsg-1 {SUM}\n", (Deb("zlib1g", "1:1.2.13.dfsg-1", SUM),)),
    (f"libstdc++6 12.2 {SUM}\nlibbz2-1.0 1.0.8-5+b1 {SUM}\n",
     (Deb("libstdc++6", "12.2", SUM), Deb("libbz2-1.0", "1.0.8-5+b1", SUM)))])
def test_a_lock_is_read(text: str, found: tuple[Deb, ...]) -> None:
    assert debs.parse(text) == found


@pytest.mark.parametrize("line", ["zlib1g", f"zlib1g 1.2 {SUM[:-1]}", f"zlib1g 1.2 {SUM} more", f"../x 1.2 {SUM}",
                                  f"zlib1g  1.2 {SUM}", f"Zlib 1 {SUM}"])
def test_a_line_that_locks_nothing_is_refused(line: str) -> None:
    with pytest.raises(ArtifactInvalid, match=r"debs\.lock:2"):
        debs.parse(f"zlib1g 1 {SUM}\n{line}\n")


def test_the_lock_names_what_the_list_names() -> None:
    assert tuple(deb.name for deb in debs.read(ROOT)) == debs.wanted(ROOT)


def test_kept_packages_and_strictness_reach_the_build(tmp_path: Path) -> None:
    plan = BuildPlan(ROOT, select(("mux",), "cpu"), debs=tmp_path, locked=True)
    assert f"*.contexts.debs={tmp_path}" in plan.arguments(containerd=True)
    assert "*.args.LOCKED=1" in plan.arguments(containerd=True)
    loose = replace(plan, debs=tmp_path / "none", locked=False).arguments(containerd=True)
    assert not [one for one in loose if "debs" in one or "LOCKED" in one]


@pytest.fixture
def moved_on(tmp_path: Path) -> BuildPlan:
    """A clone whose lock names a version that the archive does not have."""
    clone = copy_of_the_clone(tmp_path / "clone")
    path = clone / debs.LOCK
    old = next(deb for deb in debs.read(clone) if deb.name == "media-types")
    path.write_text(path.read_text().replace(f"media-types {old.version} {old.sha256}", f"media-types 9.9.9 {SUM}"))
    return BuildPlan(clone, select(("subtitle-gen",), "cpu"), registry="cp-whisperx-test-debs", base=require_base(),
                     ca=own_certificates())


@pytest.mark.docker
def test_where_the_archive_has_moved_on_a_strict_build_ends(engine: Engine, moved_on: BuildPlan,
                                                            capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunnerError):
        build(replace(moved_on, locked=True), engine)
    assert "no longer has media-types 9.9.9" in capfd.readouterr().err


@pytest.mark.docker
def test_and_another_build_takes_the_newest_and_the_check_says_so(engine: Engine, moved_on: BuildPlan,
                                                                  tmp_path: Path) -> None:
    stored = layout.save(engine, build(moved_on, engine), tmp_path / "set.tar")
    forget(moved_on, engine)
    found = {one.id: one for one in check.checks(moved_on.clone, stored, moved_on.images)}
    assert any("media-types" in line for line in found["8c"].detail)
    assert found["C4"].met


@pytest.mark.docker
def test_what_is_kept_is_used_and_nothing_is_fetched(engine: Engine, tmp_path: Path) -> None:
    """Debian's archive is locked out of the build: all packages come from the kept folder."""
    clone = copy_of_the_clone(tmp_path / "clone")
    plan = BuildPlan(clone, select(("subtitle-gen",), "cpu"), registry="cp-whisperx-test-debs", base=require_base(),
                     ca=own_certificates(), debs=tmp_path / "kept", locked=True)
    assert plan.debs
    found = debs.lock(plan, engine, plan.debs)
    assert all(sha256(plan.debs / f"{deb.sha256}.deb") == deb.sha256 for deb in found)
    script = clone / "docker" / "make-root"
    script.write_text(script.read_text().replace("apt-get ", "false apt-get "))
    stored = layout.save(engine, build(plan, engine), tmp_path / "set.tar")
    forget(plan, engine)
    assert next(one for one in check.checks(clone, stored, plan.images) if one.id == "8c").met
