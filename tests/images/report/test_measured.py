from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.errors import ArtifactInvalid
from cp_whisperx.images.report import measured
from cp_whisperx.images.report.measured import Results
from cp_whisperx.images.report.table import Figure, Step, Take, Unit
from tests.images.report.conftest import Put

DATA = {"a": {"seconds": 1.5}, "t": "no", "by day": {"one": {"n": 1}, "two": {"n": 3}},
        "rows": [{"who": "we", "n": 2, "x": [1, 2]}, {"who": "they", "n": 8, "x": []}]}


@pytest.mark.parametrize(("path", "take", "found"), [
    (["a", "seconds"], "one", 1.5),
    (["rows", {"who": "they"}, "n"], "one", 8),
    (["rows", 0, "n"], "one", 2),
    (["rows", "*", "n"], "most", 8),
    (["rows", "*", "n"], "least", 2),
    (["rows", "*", "n"], "sum", 10),
    (["rows", "*"], "count", 2),
    (["rows", "*", "x"], "length", 2),
    (["by day", "*", "n"], "sum", 4),
    (["a", "minutes"], "one", None),
    (["rows", {"who": "nobody"}, "n"], "most", None),
    (["rows", 7, "n"], "one", None),
    (["a", "seconds", "deeper"], "one", None),
    (["a", {"who": "we"}], "one", None),
    (["t"], "one", None),
])
def test_a_path_leads_to_a_number_or_to_none(path: list[Step], take: Take, found: float | None) -> None:
    assert measured.number(DATA, path, take) == found


def test_two_numbers_where_one_was_to_be_are_not_chosen_from() -> None:
    with pytest.raises(ArtifactInvalid, match="2 values"):
        measured.number(DATA, ["rows", "*", "n"])


@pytest.mark.parametrize(("value", "unit", "said"), [
    (352_118_000, "bytes", "352.1 MB"), (1_300_000_000, "bytes", "1.30 GB"), (31_474, "bytes", "31.5 kB"),
    (0, "bytes", "0 bytes"), (999_960_000, "bytes", "1.00 GB"), (1.07, "s", "1.07 s"), (241.0, "s", "241 s"),
    (77.7, "MB", "77.7 MB"), (0.98478, "share", "98.5 %"), (1.0, "share", "100 %"), (0.9999, "share", "99.9 %"),
    (0.15, "share", "15 %"), (0.31, "frames", "0.31 frames"), (12345, "count", "12,345"), (27.9, "times", "27.9 ×"),
    (0.2379, "points", "23.8"), (0.000587, "points", "0.059"), (0.0, "points", "0.0"), (-0.0073, "points", "-0.73"),
])
def test_figures_are_said_with_as_many_digits_as_mean_something(value: float, unit: Unit, said: str) -> None:
    assert measured.said(value, unit) == said


def test_the_newest_result_counts_and_the_others_are_its_history(clone: Path, put: Put) -> None:
    for date, seconds in (("2026-11-09", 3), ("2026-11-25", 1), ("2026-11-10", 2)):
        put("speed", date, seconds=seconds)
    put("speed", "2026-10-01", other=1)
    put("speed-of-others", seconds=9)
    results = Results(clone / "bench" / "results")
    figure = Figure(result="speed", path=("seconds",), unit="s")
    reading = results.reading(figure)
    assert reading and (reading.value, reading.file, str(reading)) == (1, "speed-2026-11-25.json", "1 s")
    assert [(one.result.date, one.value) for one in results.history(figure)] == [
        ("2026-11-09", 3), ("2026-11-10", 2), ("2026-11-25", 1)]


def test_what_is_no_result_is_not_read(clone: Path, put: Put) -> None:
    put("speed", seconds=1).with_name("notes.json").write_text("not dated, not JSON")
    assert list(Results(clone / "bench" / "results").by_stem) == ["speed"]


@pytest.mark.parametrize("text", ["{", "[1]", ""])
def test_a_torn_result_is_said(clone: Path, put: Put, text: Any) -> None:
    put("speed").write_text(text)
    with pytest.raises(ArtifactInvalid, match=r"speed-2026-11-25\.json"):
        Results(clone / "bench" / "results").newest("speed")
