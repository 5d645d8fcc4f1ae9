"""The state of things: every target beside its figure, every item beside its proof, and the share that is done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cp_whisperx.images import check, recipe
from cp_whisperx.images.mutants import OPTIMISATIONS
from cp_whisperx.images.report.measured import Reading, Results, at, said
from cp_whisperx.images.report.table import Bench, Figure, Item, Line, Phase, Table, Target, Unit

Verdict = Literal["met", "not met", "not measured"]
State = Literal["ok", "broken", "missing"]


@dataclass(frozen=True, slots=True)
class Compared:
    """Somebody else's figure; `times` is how much better ours is, None where that cannot be said."""

    name: str
    figure: Reading | None
    times: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A target and what was found. `why` and `cost` have their figures filled in."""

    target: Target
    unit: Unit
    ours: Reading | None
    verdict: Verdict
    beside: tuple[Compared, ...]
    command: str
    why: str
    cost: str

    @property
    def wanted(self) -> str:
        """The limit, as a person writes it."""
        if not self.target.figure:
            return self.target.wanted
        return f"{'≤' if self.target.at_most is not None else '≥'} {said(self.target.limit, self.unit)}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that shows an item to be done, or that does not yet; `command` shows it again."""

    what: str
    figure: str
    state: State
    date: str
    command: str


@dataclass(frozen=True, slots=True)
class Done:
    """An item with its proof: complete if there is some, and nothing of it is broken or missing."""

    item: Item
    evidence: tuple[Evidence, ...]

    @property
    def complete(self) -> bool:
        return bool(self.evidence) and all(one.state == "ok" for one in self.evidence)

    @property
    def state(self) -> str:
        if self.complete:
            return "proven"
        return "broken" if any(one.state == "broken" for one in self.evidence) else "proof incomplete"


@dataclass(frozen=True)
class Status:
    """All that the report says."""

    table: Table
    results: Results
    rows: tuple[Row, ...]
    phases: tuple[tuple[Phase, tuple[Done, ...]], ...]

    @property
    def items(self) -> tuple[Done, ...]:
        return tuple(one for _, done in self.phases for one in done)

    @property
    def verdicts(self) -> Mapping[Verdict, int]:
        names: tuple[Verdict, ...] = ("met", "not met", "not measured")
        return {name: sum(row.verdict == name for row in self.rows) for name in names}


def share(done: int, of: int) -> str:
    """Whole percent, rounded down: 100 % only where nothing is left."""
    return f"{done * 100 // of if of else 0} %"


def gather(clone: Path, table: Table, results: Results) -> Status:
    """Looks at the results, and at the clone with the checks that need no image.

    Raises ConfigError, ArtifactInvalid for a table or result that cannot be read.
    """
    rows = tuple(_row(one, table, results) for one in table.targets)
    now = {one.id: one for one in check.checks(clone, None, recipe.images())}
    made = _Proofs(table, results, {row.target.id: row for row in rows}, now)
    return Status(table, results, rows, tuple((phase, tuple(Done(item, tuple(made.of(item))) for item in phase.items))
                                              for phase in table.phases))


def filled(text: str, table: Table, results: Results) -> str:
    """`{figure}` replaced by what was measured."""
    return re.sub(r"\{([\w.-]+)\}", lambda found: str(results.reading(table.figures[found[1]]) or "(not measured)"),
                  text)


def _row(target: Target, table: Table, results: Results) -> Row:
    if not target.figure:
        return Row(target, "count", None, "not measured", (), "", filled(target.why, table, results), "")
    figure = table.figures[target.figure]
    ours = results.reading(figure)
    verdict: Verdict = "not measured"
    if ours:
        met = ours.value <= target.limit if target.at_most is not None else ours.value >= target.limit
        verdict = "met" if met else "not met"
    beside = tuple(_compared(one.name, ours, results.reading(table.figures[one.figure]), target)
                   for one in target.beside)
    return Row(target, figure.unit, ours, verdict, beside, command(figure, table, results),
               filled(target.why, table, results), filled(target.cost, table, results))


def command(figure: Figure, table: Table, results: Results) -> str:
    """What measures it again: one for it alone, where the result says so."""
    name, bench = table.bench(figure.result)
    newest = results.newest(figure.result)
    own = at(newest.data, (*figure.path[:-1], "command")) if newest else []
    return str(own[0]) if own else again(name, bench)


def again(name: str, bench: Bench) -> str:
    """A command to paste: scripts need the clone on their path, which bench/all.py sees to."""
    return f"python bench/all.py {name}" if bench.command.startswith("python ") else bench.command


def _compared(name: str, ours: Reading | None, theirs: Reading | None, target: Target) -> Compared:
    if not ours or not theirs:
        return Compared(name, theirs, None)
    less, more = (ours.value, theirs.value) if target.at_most is not None else (theirs.value, ours.value)
    return Compared(name, theirs, more / less if less > 0 else None)


@dataclass(frozen=True)
class _Proofs:
    table: Table
    results: Results
    rows: Mapping[str, Row]
    now: Mapping[str, check.Check]

    def of(self, item: Item) -> Iterator[Evidence]:
        proof = self._proof(item.optimisation)
        for name in item.checks:
            yield self._check(name)
        if item.optimisation:
            yield self._mutants(item, proof)
        for name in item.targets:
            row = self.rows[name]
            state: State = {"met": "ok", "not met": "broken"}.get(row.verdict, "missing")  # type: ignore[assignment]
            yield Evidence(f"{name} {row.target.what}", str(row.ours or ""), state,
                           row.ours.result.date if row.ours else "", row.command)
        for line in item.figures:
            yield self._brought(line)
        for name in item.results:
            yield self._counted(name)

    def _proof(self, number: int) -> Mapping[str, Any]:
        newest = self.results.newest("prove")
        found = at(newest.data, ("optimisations", {"number": number})) if newest else []
        return found[0] if found else {}

    def _check(self, name: str) -> Evidence:
        """In the clone as it is, or as the images had it when they were last checked."""
        claim = next(one.claim for one in (*check.RECIPE, *check.CONTENT) if one.id == name)
        if name in self.now:
            state: State = "ok" if self.now[name].met else "broken"
            return Evidence(f"check {name}: {claim}", "holds" if state == "ok" else "BREACH", state, "in this clone",
                            "cp-whisperx images check --clone-only")
        newest = self.results.newest("check")
        found = newest.data.get("checks", {}).get(name) if newest else None
        command = again(*self.table.bench("check"))
        if not newest or not found:
            return Evidence(f"check {name}: {claim}", "", "missing", "", command)
        figure = said(found["figure"], "bytes") if found["unit"] == "bytes" else (
            f"{found['figure']} faults" if found["figure"] else "holds")
        return Evidence(f"check {name}: {claim}", figure, "ok" if found["met"] else "broken", newest.date, command)

    def _mutants(self, item: Item, proof: Mapping[str, Any]) -> Evidence:
        verdicts = proof.get("verdicts", [])
        killed = sum(bool(one.get("killed")) for one in verdicts)
        newest = self.results.newest("prove")
        state: State = "missing" if not verdicts else "ok" if killed == len(verdicts) else "broken"
        ways = next(one.mutants for one in OPTIMISATIONS if one.number == item.optimisation)
        return Evidence("undone on a copy: " + "; ".join(one.what for one in ways),
                        f"{killed} of {len(verdicts)} ways found" if verdicts else "", state,
                        newest.date if newest and verdicts else "", f"cp-whisperx images prove {item.optimisation}")

    def _brought(self, line: Line) -> Evidence:
        """A figure without a limit: it is there or not."""
        figure = self.table.figures[line.figure]
        found = self.results.reading(figure)
        return Evidence(line.name, str(found or ""), "ok" if found else "missing", found.result.date if found else "",
                        command(figure, self.table, self.results))

    def _counted(self, name: str) -> Evidence:
        """A result that says of how many things how many were as they should be."""
        newest = self.results.newest(name)
        command = again(*self.table.bench(name))
        if not newest:
            return Evidence(name, "", "missing", "", command)
        good = newest.data.get("passed", newest.data.get("equal", 0))
        total = newest.data.get("of", 0)
        return Evidence(str(newest.data.get("what", name)), f"{good} of {total}",
                        "ok" if total and good == total else "broken", newest.date, command)
