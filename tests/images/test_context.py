from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.images import context
from tests.images.containers import ROOT

FILES = ("README.md", "docker/Dockerfile", "docker/make-code", "src/app/a.py", "src/app/a.pyc",
         "src/app/__pycache__/a.pyc", "src/app/deep/__pycache__/b.pyc", "src/app/deep/b.py", ".git/config", "film.mkv")
DOCKERFILE = """
FROM scratch AS code
COPY src/app /app
RUN --mount=type=bind,source=docker/make-code,target=/make-code \\
    --mount=type=cache,id=a,target=/root/.cache \\
    --mount=type=bind,from=code,source=/app,target=/x \\
    /make-code
COPY --link --from=code /code/ /
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "docker" / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


@pytest.mark.parametrize(("rules", "expected"), [
    ("", {*FILES, ".dockerignore"}),
    ("*", set()),
    ("*\n!src/app/a.py", {"src/app/a.py"}),
    ("*\n!src/app\n**/__pycache__\n**/*.pyc", {"src/app/a.py", "src/app/deep/b.py"}),
    ("*\n!src/app", {name for name in FILES if name.startswith("src/")}),
    ("*\n!docker/make-code\n# a comment\n\n", {"docker/make-code"}),
    ("*\n!src\nsrc/app/deep", {"src/app/a.py", "src/app/a.pyc", "src/app/__pycache__/a.pyc"}),
    ("*\n!src/app\n**/__pycache__\n!src/app/__pycache__/a.pyc",
     {"src/app/a.py", "src/app/a.pyc", "src/app/deep/b.py", "src/app/__pycache__/a.pyc"}),
    ("*\n!/docker/make-*", {"docker/make-code"}),
    ("src\n.git\ndocker\n*.md\n.dockerignore", {"film.mkv"}),
    ("**\n!**/b.py", {"src/app/deep/b.py"}),
    ("*\n!src/app/?.py", {"src/app/a.py"})])
def test_the_last_rule_that_matches_decides(clone: Path, rules: str, expected: set[str]) -> None:
    (clone / ".dockerignore").write_text(rules)
    assert set(context.held(clone)) == expected


def test_without_a_list_everything_is_sent(clone: Path) -> None:
    assert set(context.held(clone)) == set(FILES)


def test_what_is_taken_is_what_is_let_in(clone: Path) -> None:
    (clone / ".dockerignore").write_text("*\n!src/app\n!docker/make-code\n**/__pycache__\n**/*.pyc")
    found = context.read(clone)
    assert (found.untaken, found.absent) == ((), {})
    assert found.size == sum(len(name) for name in ("src/app/a.py", "src/app/deep/b.py", "docker/make-code"))


def test_what_nothing_takes_is_named(clone: Path) -> None:
    (clone / ".dockerignore").write_text("*\n!src\n!docker/make-code\n!README.md")
    assert context.read(clone).untaken == ("README.md",)


def test_a_source_that_is_left_out_is_named_with_its_line(clone: Path) -> None:
    (clone / ".dockerignore").write_text("*\n!src")
    assert context.read(clone).absent == {"docker/make-code": 4}


def test_another_dockerfile_can_be_asked_about(clone: Path) -> None:
    (clone / ".dockerignore").write_text("*\n!film.mkv")
    assert context.read(clone, "FROM scratch\nADD film.mkv /\n").untaken == ()


def test_a_folder_taken_whole_takes_all(clone: Path) -> None:
    (clone / ".dockerignore").write_text("")
    assert context.read(clone, "FROM scratch\nCOPY . /\n").untaken == ()


def test_a_link_counts_as_itself(clone: Path) -> None:
    (clone / ".dockerignore").write_text("*\n!src/app/link")
    (clone / "src/app/link").symlink_to("/etc")
    assert context.held(clone) == {"src/app/link": 4}


def test_the_context_of_this_project() -> None:
    found = context.read(ROOT)
    assert (found.untaken, found.absent) == ((), {})
    assert not [name for name in found.files if "__pycache__" in name or name.endswith(".pyc")]
    assert found.size <= 2_000_000
