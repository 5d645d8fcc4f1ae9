"""Measurements of the images beside two plain sets, as medians, made by the same commands that people run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.errors import ConfigError, CpWhisperxError, RunnerError
from cp_whisperx.images import bases, results
from cp_whisperx.images.build import BuildPlan
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.measure.session import BUILD_S, Measurement, Session
from cp_whisperx.images.measure.sets import ImageSet, OurSet, PlainSet, tidy
from cp_whisperx.images.measure.table import NAMES, TABLE
from cp_whisperx.images.results import OURS, PLAIN, WHISPERX, Figure
from cp_whisperx.models.store import ModelStore

__all__ = ["NAMES", "SETS", "TABLE", "chosen", "estimate_s", "line", "measure", "write"]

_log = logs.get("measure")

SETS = (OURS, PLAIN, WHISPERX)
WHAT = "container images: ours beside two plain sets, from the same base, engine and run"


def chosen(only: Sequence[str] = (), *, quick: bool = False) -> tuple[Measurement, ...]:
    """Rows of the table, in its order. Raises ConfigError for a name that is not in it."""
    if unknown := [name for name in only if name not in NAMES]:
        raise ConfigError(f"there is no measurement called {unknown[0]}", hint="measurements: " + ", ".join(NAMES))
    return tuple(row for row in TABLE if (not only or row.name in only) and (row.quick or only or not quick))


def estimate_s(rows: Sequence[Measurement], sets: Sequence[str], runs: int | None = None) -> float:
    """Roughly, on two cores: the measurements, and a build of each set that they need."""
    # A cold build leaves the images there.
    cold = {name for row in rows if row.name == "cold" for name in row.runs}
    needed = {name for row in rows if row.built for name in row.runs if name in sets} - cold
    return sum(row.estimate_s(sets, runs) for row in rows) + sum(BUILD_S[name] for name in needed)


def measure(plan: BuildPlan, engine: Engine, rows: Sequence[Measurement] = TABLE, *, sets: Sequence[str] = SETS,
            models: Path | None = None, film: Path | None = None, layer: str = "onnx", runs: int | None = None,
            keep: Callable[[Figure], None] = lambda figure: None) -> tuple[Figure, ...]:
    """Makes the measurements; each figure goes to `keep` when it is known, so that a run that is ended keeps them.

    `layer` is the dependency layer that loses a package; `models` is the root of a model store, by default the user's.
    A measurement that fails is said and left out. Raises RunnerError at the end if one was, ConfigError for a layer
    that no image of the plan has.
    """
    rows = [row for row in rows if set(row.runs) & set(sets)]
    found: list[Figure] = []
    failed: list[CpWhisperxError] = []
    tidy(engine)
    with tempfile.TemporaryDirectory(prefix="cp-whisperx-measure-") as work:
        made = _sets(plan, engine, Path(work), sets, layer)
        session = Session(plan, engine, Path(work), made, ModelStore(models), film, runs)
        try:
            for number, row in enumerate(rows, 1):
                left = estimate_s(rows[number - 1:], [name for name in sets if name not in session.built], runs)
                _log.info(f"{number} of {len(rows)}: {row.what} ({row.name}); at most {left / 60:.0f} min are left")
                try:
                    for figure in row.measure(session, row):
                        found.append(figure)
                        keep(figure)
                        _log.info(line(figure))
                except RunnerError as error:
                    _log.error(f"{row.name}: {error.message} ({error.log or error.hint})")
                    failed.append(error)
        finally:
            for one in made.values():
                one.forget()
    if failed:
        raise RunnerError(f"{len(failed)} of {len(rows)} measurements failed; the others are kept",
                          log="; ".join(error.message for error in failed), hint=failed[0].hint)
    return tuple(found)


def write(plan: BuildPlan, engine: Engine, rows: Sequence[Measurement] = TABLE, *, out: Path | None = None,
          sets: Sequence[str] = SETS, models: Path | None = None, film: Path | None = None,
          runs: int | None = None) -> Path:
    """Measures, and writes each figure at once to bench/results/images-<date>.json of the clone, or to `out`."""
    facts = {"engine": engine.label, "base": plan.base.rpartition("/")[2] or bases.read(plan.clone)[0].pinned,
             "images": len(plan.images)}
    path = out or results.place(plan.clone, "images")

    def keep(figure: Figure) -> None:
        results.keep(plan.clone, "images", WHAT, [figure], facts, path=path)

    measure(plan, engine, rows, sets=sets, models=models, film=film, runs=runs, keep=keep)
    return path


def line(figure: Figure) -> str:
    """A figure as a person reads it."""
    ratio = {name: f" ({value:g}x)" for name, value in figure.ratio.items()}
    beside = "".join(f", {name} {shown(value, figure.unit)}{ratio.get(name, '')}"
                     for name, value in figure.baselines.items())
    verdict = {True: ", met", False: ", MISSED", None: ""}[figure.met]
    limit = "" if figure.limit is None else f" [{figure.target}: at most {shown(figure.limit, figure.unit)}{verdict}]"
    ours = "not measured" if figure.ours is None else shown(figure.ours, figure.unit)
    return f"{figure.name}: {ours}{beside}{limit}"


def shown(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 1e6:,.1f} MB" if value >= 1e5 else f"{value:,.0f} bytes"
    return f"{value:,.2f} s" if unit == "s" else f"{value:,.0f} MB" if unit == "MB" else f"{value:,.0f}"


def _sets(plan: BuildPlan, engine: Engine, work: Path, names: Sequence[str], layer: str) -> dict[str, ImageSet]:
    """By name, ours first."""
    if unknown := [name for name in names if name not in SETS]:
        raise ConfigError(f"there is no set called {unknown[0]}", hint="sets: " + ", ".join(SETS))
    make: dict[str, Callable[[], ImageSet]] = {
        OURS: lambda: OurSet(plan, engine, work, layer=layer),
        PLAIN: lambda: PlainSet(plan, engine, work, whisperx=False),
        WHISPERX: lambda: PlainSet(plan, engine, work, whisperx=True)}
    return {name: make[name]() for name in SETS if name in names}
