"""Measurements as dated JSON in bench/results, each with the machine and the commit that it stands for."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cp_whisperx import publish
from cp_whisperx.images.build import revision

FOLDER = "bench/results"
OURS, PLAIN, WHISPERX = "ours", "plain", "whisperx"


@dataclass(frozen=True)
class Figure:
    """One measured quantity of our images and of the baselines, in `unit` (s, bytes, MB or count).

    `target` is its row of the table of targets (I1 … I11), empty if there is none, and `limit` the highest figure
    that meets it. Each figure of a set is the median of its row in `each`. `command` measures it again.
    `detail` says what it is made of, largest first.
    """

    name: str
    what: str
    target: str
    unit: str
    limit: float | None
    ours: float | None
    baselines: Mapping[str, float]
    ratio: Mapping[str, float]
    """Of each baseline to ours: how many times less ours is."""
    runs: Mapping[str, int]
    each: Mapping[str, Sequence[float]]
    command: str
    detail: Sequence[str] = field(default_factory=tuple)
    note: str = ""
    date: str = ""
    commit: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.limit is None or self.ours is None else self.ours <= self.limit


def figure(name: str, what: str, target: str, unit: str, each: Mapping[str, Sequence[float]], *, command: str,
           limit: float | None = None, detail: Sequence[str] = (), note: str = "", commit: str = "") -> Figure:
    """The figure of some runs: medians, and the baselines' ratio to ours where ours is not zero."""
    medians = {name: _rounded(statistics.median(runs), unit) for name, runs in each.items() if runs}
    ours = medians.get(OURS)
    baselines = {name: value for name, value in medians.items() if name != OURS}
    ratio = {name: float(f"{value / ours:.3g}") for name, value in baselines.items()} if ours else {}
    return Figure(name, what, target, unit, limit, ours, baselines, ratio,
                  {name: len(runs) for name, runs in each.items() if runs},
                  {name: [_rounded(one, unit) for one in runs] for name, runs in each.items() if runs},
                  command, tuple(detail), note, datetime.now(UTC).date().isoformat(), commit)


def write(clone: Path, name: str, what: str, figures: Mapping[str, Any], *, path: Path | None = None) -> Path:
    """Writes <name>-<date>.json, in the place of an earlier one of that day, or `path`; returns where."""
    date = datetime.now(UTC).date().isoformat()
    found = {"what": what, "date": date, "machine": machine(), "commit": revision(clone), **figures}
    path = path or place(clone, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    publish.publish_file(path, (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def place(clone: Path, name: str) -> Path:
    """Where the results of today are."""
    return clone / FOLDER / f"{name}-{datetime.now(UTC).date().isoformat()}.json"


def read(path: Path) -> tuple[Figure, ...]:
    """The figures of a file that `keep` wrote; none if there is no such file or it has another form."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8")).get("figures", ())
        return tuple(Figure(**row) for row in rows)
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return ()


def keep(clone: Path, name: str, what: str, found: Sequence[Figure], facts: Mapping[str, Any], *,
         path: Path | None = None) -> Path:
    """Writes the figures beside those that the file of today has: parts of a run add up.

    A set that this run left out keeps what it had in the figure of that name, if the commit is the same.
    """
    path = path or place(clone, name)
    rows = {one.name: one for one in read(path)}
    for one in found:
        known = rows.get(one.name)
        rows[one.name] = _joined(known, one) if known and known.commit == one.commit else one
    return write(clone, name, what, {**facts, "figures": [asdict(one) for one in rows.values()]}, path=path)


def _joined(known: Figure, one: Figure) -> Figure:
    absent = [name for name in known.each if name not in one.each]
    if not absent:
        return one
    detail = [line for line in known.detail if line.partition(":")[0] in absent]
    note = f"{one.note}; {' and '.join(absent)}: of an earlier part of that day".removeprefix("; ")
    return figure(one.name, one.what, one.target, one.unit, {**one.each, **{name: known.each[name] for name in absent}},
                  command=one.command, limit=one.limit, detail=[*one.detail, *detail], note=note, commit=one.commit)


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} CPUs"


def _rounded(value: float, unit: str) -> float:
    return round(value, 3) if unit in ("s", "MB") else int(value)
