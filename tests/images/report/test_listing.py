"""Tables of README and docs, read from results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.errors import ArtifactInvalid, ConfigError
from cp_whisperx.images.report import listing, table
from cp_whisperx.images.report.measured import open_results
from cp_whisperx.images.report.table import TABLE, Listing
from cp_whisperx.images.report.write import report, write
from tests.images.report.conftest import Put

SPEED: dict[str, Any] = {
    "result": "speed",
    "columns": [{"name": "runs", "paths": [["runs"]]},
                {"name": "wrong, a / b", "paths": [["a", "wrong"], ["b", "wrong"]], "text": "{:.1f} / {:.1f}",
                 "times": 100}],
    "rows": [{"name": "ours", "path": ["rows", {"who": "ours"}]},
             {"name": "theirs", "path": ["rows", {"who": "theirs"}]},
             {"name": "nobody's", "why": "it is not for sale"}],
}
TOML = """
[tables.speed]
result = "speed"
columns = [{ name = "s", paths = [["seconds"]], text = "{:.1f} s" }]
rows = [{ name = "ours", path = ["rows", { who = "ours" }] }]
"""


def read(clone: Path, **changes: Any) -> list[list[str]]:
    made = listing.rows(Listing.model_validate(SPEED | changes), open_results(clone))
    assert made.head == ("", "runs", "wrong, a / b")
    return [[cell.text for cell in row] for row in made.rows]


def test_cells_are_read_from_the_newest_result(clone: Path, put: Put) -> None:
    put("speed", "2026-11-12", rows=[{"who": "ours", "runs": 1, "a": {"wrong": 1}, "b": {"wrong": 1}}])
    put("speed", rows=[{"who": "theirs", "runs": 1200, "a": {"wrong": 0.5}, "b": {}},
                       {"who": "ours", "runs": 3, "a": {"wrong": 0.1187}, "b": {"wrong": 0}}])
    assert read(clone) == [["ours", "3", "11.9 / 0.0"], ["theirs", "1200", "(not measured)"],
                           ["nobody's", "-", "it is not for sale"]]


def test_without_a_result_nothing_is_measured(clone: Path) -> None:
    assert read(clone)[0] == ["ours", "(not measured)", "(not measured)"]


def test_several_values_are_no_cell(clone: Path, put: Put) -> None:
    put("speed", rows=[{"who": "ours", "runs": 3}, {"who": "ours", "runs": 4}])
    with pytest.raises(ArtifactInvalid, match="2 values"):
        read(clone)


def test_the_report_fills_it_in(clone: Path, put: Put) -> None:
    put("speed", rows=[{"who": "ours", "seconds": 4}])
    (clone / TABLE).write_text((clone / TABLE).read_text(encoding="utf-8") + TOML, encoding="utf-8")
    (clone / "docs" / "speed.md").write_text("So:\n\n<!-- table: speed -->\n<!-- /table -->\n", encoding="utf-8")
    write(report(clone), clone)
    assert (clone / "docs" / "speed.md").read_text(encoding="utf-8") == (
        "So:\n\n<!-- table: speed -->\n|  | s |\n| --- | --- |\n| ours | 4.0 s |\n<!-- /table -->\n")
    assert report(clone).changed(clone) == ()


@pytest.mark.parametrize(("old", "new", "said"), [
    ('{:.1f} s', '{:.1f} of {:.1f}', "does not take 1 numbers"),
    ('{:.1f} s', '{:.1q}', "does not take 1 numbers"),
    ('{:.1f} s', '{seconds}', "does not take 1 numbers"),
    ('paths = [["seconds"]]', 'paths = []', "paths"),
    ('result = "speed"', 'result = "sped"', "table speed: no bench writes 'sped'"),
])
def test_a_wrong_table_is_refused(clone: Path, old: str, new: str, said: str) -> None:
    assert old in TOML
    (clone / TABLE).write_text((clone / TABLE).read_text(encoding="utf-8") + TOML.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        table.read(clone)
