from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from click.testing import CliRunner

from cp_whisperx.cli import cli
from cp_whisperx.images import recipe
from cp_whisperx.images.report.status import Status
from cp_whisperx.images.report.write import MARKDOWN, PAGE, report, write
from tests.images.report.conftest import Put

ROOT = recipe.root(Path(__file__).parent)


@pytest.fixture
def measured(put: Put) -> None:
    put("speed", "2026-11-12", rows=[{"who": "ours", "seconds": 8}])
    put("speed", rows=[{"who": "ours", "seconds": 4}, {"who": "theirs", "seconds": 40}], machine="x86_64, 2 CPUs")
    put("prove", optimisations=[{"number": 1, "figures": {}, "verdicts": [{"killed": True}, {"killed": True}]}])
    put("check", checks={}, images={"asr-cpu": [{"layer": "root", "unpacked": 50_000_000},
                                                {"layer": "<asr>", "unpacked": 90_000_000}]})


def verdicts(status: Status) -> dict[str, str]:
    return {row.target.id: row.verdict for row in status.rows}


@pytest.mark.usefixtures("measured")
def test_targets_stand_beside_what_was_measured(clone: Path) -> None:
    status = report(clone).status
    assert verdicts(status) == {"T1": "met", "T2": "not measured"}
    one, other = status.rows
    assert (str(one.ours), one.wanted, one.command) == ("4 s", "≤ 5 s", "python bench/all.py speed")
    assert [(str(found.figure), found.times) for found in one.beside] == [("40 s", 10)]
    assert (other.wanted, other.command) == ("≤ 1 MB", "cp-whisperx images measure")


@pytest.mark.usefixtures("measured")
def test_items_are_proven_by_all_of_their_evidence(clone: Path, put: Put) -> None:
    assert [one.state for one in report(clone).status.items] == ["proven", "proven"]
    put("prove", optimisations=[{"number": 1, "figures": {}, "verdicts": [{"killed": True}, {"killed": False}]}])
    put("speed", rows=[{"who": "ours", "seconds": 6}])
    assert [one.state for one in report(clone).status.items] == ["broken", "broken"]
    assert "0 of 2 proven, 0 %" in report(clone).files[MARKDOWN]


def test_without_results_everything_is_not_measured_and_says_by_which_command(clone: Path) -> None:
    made = report(clone)
    assert verdicts(made.status) == {"T1": "not measured", "T2": "not measured"}
    assert [one.state for one in made.status.items] == ["proof incomplete"] * 2
    assert "`python bench/all.py speed`" in made.files[MARKDOWN]
    assert made.files["README.md"] == "It takes <!-- figure: ours -->(not measured)<!-- /figure -->.\n"


@pytest.mark.parametrize("stem", ["prove", "check", "speed", "images"])
@pytest.mark.parametrize("data", [{}, {"optimisations": [{}], "checks": {}, "rows": {}, "figures": [{}]}])
def test_a_result_that_lacks_what_it_had_is_no_result(clone: Path, put: Put, stem: str, data: dict[str, list]) -> None:
    put(stem, **data)
    assert {one.state for one in report(clone).status.items} == {"proof incomplete"}


def test_the_command_of_a_figure_is_the_one_its_result_names(clone: Path, put: Put) -> None:
    put("images", figures=[{"name": "set", "ours": 2_000_000, "command": "cp-whisperx images measure --only set",
                            "detail": ["plain: 9000000 bytes  torch", "ours: 900000 bytes  numpy 2"]}])
    row = report(clone).status.rows[1]
    assert (row.verdict, row.command) == ("not met", "cp-whisperx images measure --only set")
    assert "| 900 kB  numpy 2 |" in report(clone).files[MARKDOWN]
    put("images", what="a result in an older form")
    assert report(clone).status.rows[1].verdict == "not measured"


@pytest.mark.usefixtures("measured")
def test_the_same_results_give_the_same_bytes_and_are_written_once(clone: Path) -> None:
    assert report(clone).files == report(clone).files
    names = {*write(report(clone), clone)}
    assert names == {MARKDOWN, PAGE, "README.md", "docs/pictures/status-layers.svg", "docs/pictures/status-speed.svg",
                     "docs/pictures/status-history.svg"}
    assert write(report(clone), clone) == ()
    (clone / "docs/pictures/status-old.svg").write_text("<svg/>")
    assert write(report(clone), clone) == ("docs/pictures/status-old.svg",)
    assert not (clone / "docs/pictures/status-old.svg").exists()


@pytest.mark.usefixtures("measured")
def test_the_page_needs_nothing_from_elsewhere(clone: Path) -> None:
    page = report(clone).files[PAGE]
    assert not re.search(r"<script|<link|<img|@import|url\(|src=", page)
    assert set(re.findall(r"https?://[\w./]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "&lt;asr&gt;" in page and "<asr>" not in page
    for name, text in report(clone).files.items():
        if name.endswith(".svg"):
            assert ElementTree.fromstring(text).tag.endswith("svg")


@pytest.mark.usefixtures("measured")
def test_the_command(clone: Path) -> None:
    def run(*flags: str) -> tuple[int, str]:
        # By the whole command: click remembers the names of --help from the first context that asks for them.
        done = CliRunner().invoke(cli, ["images", "report", *flags], catch_exceptions=False)
        return done.exit_code, done.stdout

    code, said = run("--dry-run")
    assert code == 0 and f"would write  {PAGE}" in said and not (clone / PAGE).exists()
    code, said = run("--check")
    assert code != 0 and f"stale  {PAGE}" in said and not (clone / PAGE).exists()
    assert run()[0] == 0 and (clone / PAGE).is_file()
    assert run("--check") == (0, "2 of 2 items proven (100 %); targets: 1 met, 0 not met, 1 not measured\n")
    assert '"complete": "100 %"' in run("--json")[1]
    (clone / MARKDOWN).write_text("by hand")
    assert run("--check")[0] != 0


def test_the_report_of_this_clone_is_fresh() -> None:
    assert report(ROOT).changed(ROOT) == (), "run: cp-whisperx images report"


def test_what_is_not_met_is_explained_with_its_largest_cost() -> None:
    from cp_whisperx.images.report.document import largest
    status = report(ROOT).status
    assert [row.target.id for row in status.rows if row.verdict == "not met"
            and not (row.why and (row.cost or largest(row, status)))] == []
