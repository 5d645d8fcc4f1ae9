from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.images import clones, recipe
from cp_whisperx.images.report.table import TABLE

Put = Callable[..., Path]

SMALL = """
stale_after_days = 30
[benches]
speed = { command = "python bench/speed.py", minutes = 1, sources = ["src"] }
images = { command = "cp-whisperx images measure", minutes = 1, sources = ["src"] }
check = { command = "python bench/checked.py", minutes = 1, sources = ["src"] }
[suites]
[figures]
ours = { result = "speed", path = ["rows", { who = "ours" }, "seconds"], unit = "s" }
theirs = { result = "speed", path = ["rows", { who = "theirs" }, "seconds"], unit = "s" }
set = { result = "images", path = ["figures", { name = "set" }, "ours"], unit = "bytes" }
[[targets]]
id = "T1"
group = "Speed"
what = "a film through it"
figure = "ours"
at_most = 5
beside = [{ name = "theirs", figure = "theirs" }]
why = "It took {ours}."
[[targets]]
id = "T2"
group = "Size"
what = "all of it"
figure = "set"
at_most = 1_000_000
[[phases]]
title = "First"
items = [{ optimisation = 1, checks = ["1"] }, { title = "Fast", targets = ["T1"] }]
[layers]
title = "Layers"
result = "check"
path = ["images"]
size = "unpacked"
[plots.speed]
title = "Speed"
unit = "s"
groups = [{ name = "a film", bars = { ours = "ours", theirs = "theirs" } }]
[[history]]
name = "a film"
figure = "ours"
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with a small table, no results, and what the checks of a clone read."""
    place = clones.copy(recipe.root(Path(__file__).parent), tmp_path / "clone")
    (place / TABLE).parent.mkdir()
    (place / TABLE).write_text(SMALL, encoding="utf-8")
    (place / "docs").mkdir()
    (place / "README.md").write_text("It takes <!-- figure: ours -->?<!-- /figure -->.\n", encoding="utf-8")
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def put(clone: Path) -> Put:
    """Writes a result of a day."""
    def write(stem: str, date: str = "2026-11-25", **data: Any) -> Path:
        path = clone / "bench" / "results" / f"{stem}-{date}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data), encoding="utf-8")
        return path
    return write
