"""Figures that are older than what they depend on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError
from cp_whisperx.images import recipe
from cp_whisperx.images.report import age, table
from cp_whisperx.images.report.measured import open_results
from cp_whisperx.images.report.table import TABLE
from tests.images.report.conftest import SMALL, Put

ROOT = recipe.root(Path(__file__).parent)
Commit = Callable[[str], None]


def git(clone: Path, *arguments: str, date: str = "2026-11-25") -> None:
    subprocess.run(["git", "-C", str(clone), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
                   check=True, capture_output=True,
                   env={"GIT_COMMITTER_DATE": f"{date}T12:00:00", "GIT_AUTHOR_DATE": f"{date}T12:00:00",
                        "PATH": "/usr/bin:/bin"})


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, Commit]:
    """A clone whose source changed on the day that is given."""
    clone = tmp_path / "history"
    (clone / "src").mkdir(parents=True)
    (clone / TABLE).parent.mkdir()
    (clone / TABLE).write_text(SMALL, encoding="utf-8")
    (clone / "bench/results").mkdir()
    (clone / "bench/results/speed-2026-11-01.json").write_text("{}")
    git(clone, "init", "--quiet")

    def commit(date: str) -> None:
        (clone / "src/code.py").write_text(date)
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message", "change", date=date)
    return clone, commit


@pytest.mark.parametrize(("date", "days"), [("2026-10-01", None), ("2026-11-30", None), ("2026-12-01", None),
                                            ("2026-12-02", 31), ("2027-01-01", 61)])
def test_a_figure_older_than_its_code_by_more_than_the_span(history: tuple[Path, Commit], date: str,
                                                            days: int | None) -> None:
    clone, commit = history
    commit(date)
    found = age.stale(clone, table.read(clone), open_results(clone))
    assert [(one.result, one.days) for one in found] == ([("speed-2026-11-01.json", days)] if days else [])
    assert all("python bench/all.py speed" in str(one) for one in found)


def test_a_history_that_is_not_there_is_said(history: tuple[Path, Commit], clone: Path, put: Put,
                                             tmp_path: Path) -> None:
    put("speed")
    with pytest.raises(ConfigError, match="history"):
        age.stale(clone, table.read(clone), open_results(clone))
    whole, commit = history
    commit("2026-11-01")
    commit("2026-12-01")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{whole}", "shallow")
    with pytest.raises(ConfigError, match="history"):
        age.stale(tmp_path / "shallow", table.read(whole), open_results(whole))


def test_no_figure_of_this_clone_is_older_than_its_code_allows() -> None:
    known, results = table.read(ROOT), open_results(ROOT)
    try:
        found = age.stale(ROOT, known, results)
    except ConfigError as error:
        pytest.skip(f"{error.message}: {error.hint}")
    assert [str(one) for one in found] == []
