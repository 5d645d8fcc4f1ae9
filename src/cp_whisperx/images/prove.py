"""Proves that the checks can fail: each optimisation is undone on a copy of the clone, and its check must say so.

The check is the command that people run, started from the copy, so that a mutation of the code counts too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cp_whisperx import log as logs
from cp_whisperx.errors import ConfigError, EngineError
from cp_whisperx.images import clones, recipe, results
from cp_whisperx.images.build import BuildPlan, forget
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.mutants import OPTIMISATIONS, STAGE, Mutant, Optimisation

_log = logs.get("prove")

REGISTRY = "cp-whisperx-prove"
Checks = dict[str, dict[str, Any]]
"""The checks that `images check --json` prints, by id."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant. `said` is the first line of the check that it should break."""

    what: str
    claim: str
    killed: bool
    said: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One optimisation: its checks without a mutation, as figures, and every mutant."""

    number: int
    title: str
    figures: dict[str, str]
    verdicts: tuple[Verdict, ...]

    @property
    def proven(self) -> bool:
        return bool(self.verdicts) and all(one.killed for one in self.verdicts)


def prove(plan: BuildPlan, engine: Engine | None, *, only: Iterable[int] = (),
          tell: Callable[[Proof], None] = lambda proof: None) -> tuple[Proof, ...]:
    """Undoes each optimisation in each of its ways. `plan` says what images are built with; without an engine the
    mutants that need an image are left out, and with them the optimisations that have no other.

    Raises ConfigError for a number that no optimisation has, EngineError if a check fails on the untouched clone:
    then it proves nothing that it fails on a mutant.
    """
    wanted = tuple(one for one in _select(set(only)) if engine or not all(mutant.built for mutant in one.mutants))
    found = []
    with tempfile.TemporaryDirectory(prefix="cp-whisperx-prove-") as work:
        stages = {mutant.stage for one in wanted for mutant in one.mutants if mutant.built} or {STAGE}
        plan = replace(plan, images=recipe.select(stages, "cpu"), registry=REGISTRY, push=False, cache="",
                       cache_to=False, debug=False)
        try:
            control = _control(plan, engine, Path(work) / "control")
            for one in wanted:
                found.append(_prove(one, control, plan, engine, Path(work)))
                tell(found[-1])
        finally:
            if engine:
                forget(plan, engine)
    return tuple(found)


def write(proofs: tuple[Proof, ...], clone: Path, engine: Engine) -> Path:
    """Writes bench/results/prove-<date>.json in the clone; returns its path."""
    return results.write(clone, "prove", "each optimisation of the images undone, and whether its check fails", {
        "engine": engine.label, "proven": sum(one.proven for one in proofs), "of": len(OPTIMISATIONS),
        "optimisations": [asdict(one) | {"proven": one.proven} for one in proofs]})


def _select(numbers: set[int]) -> tuple[Optimisation, ...]:
    if unknown := numbers - {one.number for one in OPTIMISATIONS}:
        raise ConfigError(f"there is no optimisation {min(unknown)}",
                          hint="; ".join(f"{one.number} {one.title}" for one in OPTIMISATIONS))
    return tuple(one for one in OPTIMISATIONS if not numbers or one.number in numbers)


def _control(plan: BuildPlan, engine: Engine | None, clone: Path) -> Checks:
    clones.copy(plan.clone, clone)
    if engine:
        _build(plan, engine, clone)
    found = _check(clone, *(image.stage for image in plan.images if engine))
    if broken := [name for name, one in found.items() if not one["met"]]:
        raise EngineError(f"nothing was undone, and the checks {', '.join(broken)} fail already",
                          hint="mend that first: cp-whisperx images check")
    return found


def _prove(one: Optimisation, control: Checks, plan: BuildPlan, engine: Engine | None, work: Path) -> Proof:
    mutants = [mutant for mutant in one.mutants if engine or not mutant.built]

    def judge(numbered: tuple[int, Mutant]) -> Verdict:
        number, mutant = numbered
        return _verdict(mutant, plan, engine, work / f"{one.number}-{number}")

    verdicts = []
    # Each has a copy and a process of its own; builds share names in the engine, so they take turns.
    with ThreadPoolExecutor(1 if any(mutant.built for mutant in mutants) else os.cpu_count()) as side_by_side:
        for mutant, verdict in zip(mutants, side_by_side.map(judge, enumerate(mutants)), strict=True):
            verdicts.append(verdict)
            _log.info(f"{one.number}: {mutant.what}: " + ("found" if verdict.killed else "NOT FOUND"))
    figures = {name: _figure(control[name]) for name in dict.fromkeys(mutant.claim for mutant in mutants)}
    return Proof(one.number, one.title, figures, tuple(verdicts))


def _verdict(mutant: Mutant, plan: BuildPlan, engine: Engine | None, clone: Path) -> Verdict:
    clones.copy(plan.clone, clone)
    mutant.change(clone)
    if mutant.built:
        assert engine
        _build(replace(plan, images=recipe.select((mutant.stage,), "cpu")), engine, clone)
    found = _check(clone, *((mutant.stage,) if mutant.built else ()))[mutant.claim]
    said = next(iter(found["detail"]), "") if found["unit"] == "faults" else _figure(found)
    return Verdict(mutant.what, mutant.claim, not found["met"], said)


def _build(plan: BuildPlan, engine: Engine, clone: Path) -> None:
    # Not through build(): it refuses a clone whose generated files are stale, and some mutants are just that.
    plan = replace(plan, clone=clone)
    engine.run(*plan.arguments(containerd=engine.containerd), environment=plan.environment(), cwd=clone)


def _check(clone: Path, *built: str) -> Checks:
    """What the copy's own `images check` says of it and of the images of the stages `built`.

    Raises EngineError if it says nothing that can be read.
    """
    command = [sys.executable, "-m", "cp_whisperx", "--quiet", "images", "check", "--json", "--registry", REGISTRY,
               *(built or ("--clone-only",))]
    done = subprocess.run(command, cwd=clone, env=os.environ | {"PYTHONPATH": str(clone / "src")}, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, check=False)
    try:
        return {row["id"]: row for row in json.loads(done.stdout)}
    except ValueError:
        said = next(iter(reversed(done.stderr.strip().splitlines())), "nothing")
        raise EngineError(f"`images check` gave no answer on the copy: {said}",
                          hint="run it by hand: cp-whisperx images check --json") from None


def _figure(row: dict[str, Any]) -> str:
    if row["unit"] == "faults":
        return f"{row['figure']} faults"
    return f"{row['figure']} of {row['limit']} bytes"
