from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from cp_whisperx.errors import ArtifactInvalid, RunnerError
from cp_whisperx.images import bases, engine
from cp_whisperx.images.bases import Base
from tests.images.containers import ROOT, WELL, FakeDocker

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
ROW = Base("base", "python:3.11-slim-bookworm", OLD, "2026-01-31")
INSPECT = "buildx imagetools inspect"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "docker").mkdir()
    bases.write(tmp_path, (ROW,))
    return tmp_path


def test_what_is_written_is_read(clone: Path) -> None:
    assert bases.read(clone) == (ROW,)
    assert bases.pinned_from(clone) == f"FROM python:3.11-slim-bookworm@{OLD} AS base"


def test_the_base_of_the_dockerfile_is_the_pinned_one() -> None:
    assert bases.pinned_from(ROOT) in (ROOT / "docker" / "Dockerfile").read_text().splitlines()


@pytest.mark.parametrize("line", [
    "base  python:3.11-slim-bookworm  # 2026-01-31",
    f"base  python@{OLD}  # 2026-01-31",
    f"base  python:3.11@{OLD[:-1]}  # 2026-01-31",
    f"base  python:3.11@{OLD}",
    f"base  python:3.11@{OLD}  # some day",
])
def test_a_line_that_pins_nothing_is_refused(clone: Path, line: str) -> None:
    (clone / bases.LOCK).write_text(f"# a comment\n\n{line}\n")
    with pytest.raises(ArtifactInvalid, match="pins no base by digest") as caught:
        bases.read(clone)
    assert caught.value.hint


def test_a_tag_that_moved_is_looked_up_today(docker: FakeDocker) -> None:
    docker.says({**WELL, INSPECT: (0, json.dumps({"digest": NEW}), "")})
    (row,) = bases.updated((ROW,), engine.find(), date(2026, 3, 1))
    assert row == Base(ROW.name, ROW.reference, NEW, "2026-03-01")


def test_a_tag_that_stands_keeps_its_day(docker: FakeDocker) -> None:
    docker.says({**WELL, INSPECT: (0, json.dumps({"digest": OLD}), "")})
    assert bases.updated((ROW,), engine.find(), date(2026, 3, 1)) == (ROW,)


def test_a_registry_that_is_not_reached(docker: FakeDocker) -> None:
    docker.says({**WELL, INSPECT: (1, "", "ERROR: dial tcp: lookup failed")})
    with pytest.raises(RunnerError) as caught:
        bases.updated((ROW,), engine.find(), date(2026, 3, 1))
    assert "dial tcp" in caught.value.message + caught.value.log
    assert caught.value.hint
