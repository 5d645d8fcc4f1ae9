"""One run of measurements: the sets that it builds once, the turns they take, and its progress."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.errors import RunnerError
from cp_whisperx.images import layout, results
from cp_whisperx.images.build import BuildPlan, revision
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.layout import Layout
from cp_whisperx.images.measure.sets import ImageSet
from cp_whisperx.images.results import OURS, PLAIN, WHISPERX, Figure
from cp_whisperx.models.store import ModelStore

_log = logs.get("measure")

_WHISPERX_GB = 12.0


@dataclass(frozen=True)
class Measurement:
    """A row of the table. `runs` are how often each set is measured, `roughly_s` how long one run of a set takes.

    `limit` is the highest figure that meets the target. `quick` ones are cheap enough for every change. `built` says
    whether the images are needed.
    """

    name: str
    what: str
    target: str
    unit: str
    measure: Callable[[Session, Measurement], Iterator[Figure]]
    runs: Mapping[str, int]
    roughly_s: Mapping[str, float]
    limit: float | None = None
    quick: bool = False
    built: bool = True

    def estimate_s(self, sets: Sequence[str], runs: int | None = None) -> float:
        return sum(self.roughly_s.get(name, 0.0) * (min(count, runs) if runs else count)
                   for name, count in self.runs.items() if name in sets)


BUILD_S = {OURS: 10.0, PLAIN: 160.0, WHISPERX: 360.0}
"""Of building a set that is not there, on two cores, roughly."""


@dataclass
class Session:
    plan: BuildPlan
    engine: Engine
    work: Path
    sets: Mapping[str, ImageSet]
    models: ModelStore
    film: Path | None = None
    most_runs: int | None = None
    """At most so many runs of each set; None for as many as the table has."""
    built: set[str] = field(default_factory=set)
    _layouts: dict[str, Layout] = field(default_factory=dict)

    @cached_property
    def commit(self) -> str:
        return revision(self.plan.clone)

    @property
    def ours(self) -> ImageSet:
        return self.sets[OURS]

    def of(self, measurement: Measurement) -> tuple[ImageSet, ...]:
        """The sets that the measurement takes and this run has, built; ours first."""
        chosen = tuple(self.sets[name] for name in measurement.runs if name in self.sets)
        for one in chosen if measurement.built else ():
            self.ready(one)
        return chosen

    def runs(self, measurement: Measurement, one: ImageSet) -> int:
        return min(measurement.runs[one.name], self.most_runs or measurement.runs[one.name])

    def ready(self, one: ImageSet) -> None:
        """Builds a set once. Raises RunnerError without the room for the largest."""
        if one.name in self.built:
            return
        self.require_room(one)
        _log.info(f"{one.name}: building it, so that it is there")
        one.build()
        self.note_built(one)

    def require_room(self, one: ImageSet) -> None:
        storage = self.engine.storage
        if one.name == WHISPERX and storage.is_dir() and (free := shutil.disk_usage(storage).free / 1e9) < _WHISPERX_GB:
            raise RunnerError(f"the engine has {free:.1f} GB left, and the set on torch needs {_WHISPERX_GB:.0f}",
                              hint="make room, or leave it out: --sets ours,plain")

    def note_built(self, one: ImageSet) -> None:
        self.built.add(one.name)
        self._layouts.pop(one.name, None)

    def layout(self, one: ImageSet) -> Layout:
        """The images of a set as they are stored, read once."""
        self.ready(one)
        if one.name not in self._layouts:
            self._layouts[one.name] = layout.save(self.engine, one.references(), self.work / f"{one.name}.tar",
                                                  contents=one.name == OURS)
        return self._layouts[one.name]

    def in_turn(self, measurement: Measurement, act: Callable[[ImageSet, int], float], *,
                unit: str = "s") -> dict[str, list[float]]:
        """What `act` gives for each run of each set; the sets take turns, so that a busy moment meets them all."""
        sets = self.of(measurement)
        found: dict[str, list[float]] = {one.name: [] for one in sets}
        for run in range(max((self.runs(measurement, one) for one in sets), default=0)):
            for one in sets:
                if run < self.runs(measurement, one):
                    found[one.name].append(act(one, run))
                    _log.info(f"{measurement.name}, {one.name}, run {run + 1} of {self.runs(measurement, one)}: "
                              f"{found[one.name][-1]:,.2f} {unit}")
        return found

    def figure(self, measurement: Measurement, each: Mapping[str, Sequence[float]], *, part: str = "", what: str = "",
               unit: str = "", target: str | None = None, limit: float | None = None, detail: Sequence[str] = (),
               note: str = "") -> Figure:
        """The figure of a measurement, or of a part of it that has a name, words and a limit of its own."""
        return results.figure(
            f"{measurement.name}-{part}" if part else measurement.name, what or measurement.what,
            measurement.target if target is None else target, unit or measurement.unit, each,
            command=f"cp-whisperx images measure --only {measurement.name}",
            limit=limit if part else measurement.limit, detail=detail, note=note, commit=self.commit)


@contextmanager
def stopwatch(seconds: list[float]) -> Iterator[None]:
    begun = time.monotonic()
    yield
    seconds.append(time.monotonic() - begun)
