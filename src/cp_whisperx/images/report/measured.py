"""The dated results of bench/results, and the numbers in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cp_whisperx.errors import ArtifactInvalid
from cp_whisperx.images.report.table import Figure, Step, Take, Unit
from cp_whisperx.images.results import FOLDER

_NAME = re.compile(r"(?P<stem>.+)-(?P<date>\d{4}-\d\d-\d\d)\.json")


@dataclass(frozen=True, slots=True)
class Result:
    """One file: `date` is the day in its name."""

    stem: str
    date: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that somebody measured on a day, with the machine and, where it was written down, the commit."""

    value: float
    unit: Unit
    result: Result

    def __str__(self) -> str:
        return said(self.value, self.unit)

    @property
    def file(self) -> str:
        return f"{self.result.stem}-{self.result.date}.json"


@dataclass(frozen=True)
class Results:
    """Everything in the folder, oldest first by stem. Raises ArtifactInvalid for a file that is no JSON object."""

    folder: Path

    @cached_property
    def by_stem(self) -> Mapping[str, tuple[Result, ...]]:
        found: dict[str, list[Result]] = {}
        for path in sorted(self.folder.glob("*.json")):
            if match := _NAME.fullmatch(path.name):
                found.setdefault(match["stem"], []).append(Result(match["stem"], match["date"], _read(path)))
        return {stem: tuple(sorted(rows, key=lambda row: row.date)) for stem, rows in found.items()}

    def newest(self, stem: str) -> Result | None:
        return next(iter(reversed(self.by_stem.get(stem, ()))), None)

    def reading(self, figure: Figure) -> Reading | None:
        """From the newest result; none where there is no result, or it does not have the number."""
        newest = self.newest(figure.result)
        value = number(newest.data, figure.path, figure.take) if newest else None
        return Reading(value, figure.unit, newest) if newest and value is not None else None

    def history(self, figure: Figure) -> tuple[Reading, ...]:
        """Of every day that has the number, oldest first."""
        return tuple(Reading(value, figure.unit, result) for result in self.by_stem.get(figure.result, ())
                     if (value := number(result.data, figure.path, figure.take)) is not None)


def open_results(clone: Path) -> Results:
    return Results(clone / FOLDER)


def number(data: Any, path: Iterable[Step], take: Take = "one") -> float | None:
    """What stands at `path`, as one number; None if nothing does.

    Raises ArtifactInvalid if several values do and `take` says of no way to make one of them.
    """
    found = at(data, path)
    if not found:
        return None
    if take == "count":
        return len(found)
    if take == "length":
        return sum(len(one) for one in found)
    if not all(isinstance(one, int | float) for one in found):
        return None
    if take == "one":
        if len(found) > 1:
            raise ArtifactInvalid(f"{len(found)} values stand at {list(path)}, and one was to be there")
        return float(found[0])
    return float(max(found) if take == "most" else min(found) if take == "least" else sum(found))


def at(data: Any, path: Iterable[Step]) -> list[Any]:
    """Every value that the path leads to."""
    nodes = [data]
    for step in path:
        nodes = [child for node in nodes for child in _children(node, step)]
    return nodes


def _children(node: Any, step: Step) -> list[Any]:
    if isinstance(step, Mapping):
        return [one for one in node if isinstance(one, Mapping)
                and all(one.get(key) == value for key, value in step.items())] if isinstance(node, list) else []
    if isinstance(step, int):
        return node[step:step + 1] if isinstance(node, list) else []
    if step == "*":
        return list(node.values()) if isinstance(node, Mapping) else list(node) if isinstance(node, list) else []
    return [node[step]] if isinstance(node, Mapping) and step in node else []


def said(value: float, unit: Unit) -> str:
    """With its unit and as many digits as mean something: 352.1 MB, 1.07 s, 8.5 %."""
    if unit == "bytes":
        for size, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
            if value >= size * 0.9995 or name == "kB":
                return "0 bytes" if value == 0 else f"{_digits(value / size)} {name}"
    if unit == "share":
        percent = min(value * 100, 99.9) if value < 1 else value * 100
        return f"{percent:.0f} %" if abs(percent - round(percent)) < 1e-9 else f"{percent:.1f} %"
    if unit == "points":
        return f"{value * 100:.1f}" if abs(value) >= 0.01 or value == 0 else f"{value * 100:.2g}"
    if unit == "count":
        return f"{value:,.0f}"
    return f"{_digits(value)} {'×' if unit == 'times' else unit}"


def _digits(value: float) -> str:
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 or value == int(value) else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactInvalid(f"{path} is no JSON: {error}", hint="run the bench again that wrote it") from None
    if not isinstance(data, dict):
        raise ArtifactInvalid(f"{path} holds no JSON object", hint="run the bench again that wrote it")
    return data
