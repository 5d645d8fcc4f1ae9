"""bench/report.toml: which figures there are, where each stands in the results, and what is aimed for with it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cp_whisperx.errors import ConfigError
from cp_whisperx.images.mutants import OPTIMISATIONS

TABLE = "bench/report.toml"
Step = str | int | dict[str, str | int | float | bool]
"""A key, a place in a list, `*` for everything, or the fields that an entry of a list must have."""
Unit = Literal["bytes", "MB", "s", "ms", "share", "points", "frames", "times", "count"]
"""`points`: a share as hundredths without the sign, as differences of error rates are said."""
Take = Literal["one", "most", "least", "sum", "count", "length"]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bench(_Row):
    """A command that writes results. `sources`: what its figures depend on, besides the script itself."""

    command: str
    results: tuple[str, ...] = ()
    needs: tuple[Literal["docker", "models", "media", "network", "peers", "root", "gpu"], ...] = ()
    minutes: int = Field(gt=0)
    sources: tuple[str, ...] = Field(min_length=1)


class Figure(_Row):
    """A number in the newest result `<result>-<date>.json`, at `path`. `take` makes one of several."""

    result: str
    path: tuple[Step, ...]
    unit: Unit
    take: Take = "one"


class Beside(_Row):
    """What ours is compared with: the same quantity of somebody else."""

    name: str
    figure: str


class Target(_Row):
    """`at_most` or `at_least` are in the figure's unit. Where nothing measures it yet, `wanted` is its limit.

    `why` says what stands in the way where it is not met; `cost` names the largest part of what remains. Both may
    hold {figure}.
    """

    id: str
    group: str
    what: str
    figure: str = ""
    at_most: float | None = None
    at_least: float | None = None
    beside: tuple[Beside, ...] = ()
    wanted: str = ""
    why: str = ""
    cost: str = ""

    @property
    def limit(self) -> float:
        return self.at_most if self.at_most is not None else self.at_least or 0.0


class Line(_Row):
    """A figure with what it is called where it stands."""

    name: str
    figure: str


class Item(_Row):
    """One thing done to the images, and what shows it: checks by their ids, targets, what it brings, results that say
    of how many things how many are right.
    """

    optimisation: int = 0
    title: str = ""
    files: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    figures: tuple[Line, ...] = ()
    results: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.title or next(one.title for one in OPTIMISATIONS if one.number == self.optimisation)


class Phase(_Row):
    title: str
    items: tuple[Item, ...]


class Group(_Row):
    """Bars that stand together in a plot."""

    name: str
    bars: dict[str, str]
    """Whose bar it is, and the figure."""


class Plot(_Row):
    title: str
    unit: Unit
    groups: tuple[Group, ...]


class Layers(_Row):
    """Where the layers of each image stand: a list of names and bytes by image."""

    title: str
    result: str
    path: tuple[Step, ...]
    size: str


class Column(_Row):
    """`paths` lead on from where a row stands; their numbers times `times` fill `text`, a format string."""

    name: str
    paths: tuple[tuple[Step, ...], ...] = Field(min_length=1)
    text: str = "{:.0f}"
    times: float = 1

    @model_validator(mode="after")
    def _takes_them(self) -> Column:
        try:
            self.text.format(*(0.0 for _ in self.paths))
        except (IndexError, KeyError, ValueError) as error:
            raise ValueError(f"{self.text!r} does not take {len(self.paths)} numbers: {error}") from None
        return self


class Entry(_Row):
    """A row: its name, and where in the result its numbers stand. `why` says why nobody can measure them."""

    name: str
    path: tuple[Step, ...] = ()
    why: str = ""


class Listing(_Row):
    """A table in README or docs, of the newest `<result>-<date>.json`."""

    result: str
    columns: tuple[Column, ...]
    rows: tuple[Entry, ...]


class Definition(_Row):
    """A text in README or docs that looks measured and is not: a limit, a default, a length that was chosen."""

    file: str
    text: str
    reason: str = Field(min_length=10)


class Suite(_Row):
    """Tests whose passing is a figure: `python bench/tested.py NAME`. `without`: those that cannot run beside them."""

    tests: tuple[str, ...]
    without: tuple[str, ...] = ()


class Table(_Row):
    stale_after_days: int = Field(gt=0)
    benches: dict[str, Bench]
    suites: dict[str, Suite]
    figures: dict[str, Figure]
    targets: tuple[Target, ...]
    phases: tuple[Phase, ...]
    layers: Layers
    plots: dict[str, Plot]
    history: tuple[Line, ...]
    tables: dict[str, Listing] = {}
    definitions: tuple[Definition, ...] = ()

    def bench(self, result: str) -> tuple[str, Bench]:
        """Which bench writes `<result>-<date>.json`."""
        return next((name, bench) for name, bench in self.benches.items() if result in (bench.results or (name,)))


def read(clone: Path) -> Table:
    """Raises ConfigError for a table with an unknown key, or one that names what it does not hold."""
    path = clone / TABLE
    try:
        table = Table.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"{path} is not there", hint="the report is made in a clone of the project") from None
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{TABLE} cannot be read: {_first(error)}") from None
    if wrong := tuple(_dangling(table)):
        raise ConfigError(f"{TABLE}: {wrong[0]}" + (f", and {len(wrong) - 1} more" if wrong[1:] else ""))
    return table


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        one = error.errors()[0]
        return f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
    return str(error)


def _dangling(table: Table) -> Iterable[str]:
    used: dict[str, Iterable[str]] = {
        **{f"target {one.id}": (*filter(None, [one.figure]), *(other.figure for other in one.beside))
           for one in table.targets},
        **{f"plot {name}": tuple(figure for group in plot.groups for figure in group.bars.values())
           for name, plot in table.plots.items()},
        **{f"item {item.name}": tuple(line.figure for line in item.figures)
           for phase in table.phases for item in phase.items},
        "history": tuple(line.figure for line in table.history)}
    yield from (f"{where}: there is no figure {name!r}" for where, names in used.items() for name in names
                if name not in table.figures)
    written = {result for name, bench in table.benches.items() for result in bench.results or (name,)}
    yield from (f"figure {name}: no bench writes {one.result!r}" for name, one in table.figures.items()
                if one.result not in written)
    yield from (f"table {name}: no bench writes {one.result!r}" for name, one in table.tables.items()
                if one.result not in written)
    yield from (f"target {one.id}: neither at_most nor at_least" for one in table.targets
                if one.figure and (one.at_most is None) == (one.at_least is None))
    ids = [one.id for one in table.targets]
    yield from (f"target {name} is there twice" for name in sorted(set(ids)) if ids.count(name) > 1)
    yield from (f"{item.title or item.optimisation}: there is no target {name!r}"
                for phase in table.phases for item in phase.items for name in item.targets if name not in ids)
    yield from (f"{item.name}: no bench writes {name!r}"
                for phase in table.phases for item in phase.items for name in item.results if name not in written)
