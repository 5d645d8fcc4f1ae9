"""The prover itself: mutants fit the clone, a check that sleeps is told from one that wakes, and figures are kept."""

from __future__ import annotations

import filecmp
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError, EngineError
from cp_whisperx.images import check, clones, prove, recipe
from cp_whisperx.images.build import BuildPlan, own_certificates
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.mutants import OPTIMISATIONS, Mutant, Optimisation, edit
from tests.images.containers import ROOT, FakeDocker, require_base

MUTANTS = [(one, mutant) for one in OPTIMISATIONS for mutant in one.mutants]
PLAN = BuildPlan(ROOT, recipe.images())


def test_the_ten_optimisations_of_the_founding_document_are_there() -> None:
    assert [one.number for one in OPTIMISATIONS] == list(range(1, 11))
    claims = {row.id for row in (*check.RECIPE, *check.CONTENT)}
    assert all(one.mutants and {mutant.claim for mutant in one.mutants} <= claims for one in OPTIMISATIONS)


def test_a_mutant_that_needs_an_image_is_judged_by_images() -> None:
    of_the_clone = {row.id for row in check.RECIPE}
    assert all(mutant.built == (mutant.claim not in of_the_clone) for _, mutant in MUTANTS)


@pytest.mark.parametrize(("one", "mutant"), MUTANTS, ids=[f"{one.number} {mutant.what}" for one, mutant in MUTANTS])
def test_every_mutant_still_fits_and_changes_something(one: Optimisation, mutant: Mutant, tmp_path: Path) -> None:
    kept, changed = clones.copy(ROOT, tmp_path / "kept"), clones.copy(ROOT, tmp_path / "changed")
    mutant.change(changed)
    files = {path.relative_to(folder) for folder in (kept, changed) for path in folder.rglob("*") if path.is_file()}
    assert [name for name in files if not (kept / name).is_file() or not (changed / name).is_file()
            or not filecmp.cmp(kept / name, changed / name, shallow=False)]


def test_an_edit_that_no_longer_fits_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("one")
    with pytest.raises(ConfigError, match="does not hold 'two'"):
        edit("file", ("two", "three"))(tmp_path)


def test_what_the_clone_alone_shows_is_proven() -> None:
    proofs = prove.prove(PLAN, None, only=(1, 9))
    assert [(one.number, one.proven) for one in proofs] == [(1, True), (9, True)]
    assert all(verdict.said for one in proofs for verdict in one.verdicts)
    assert proofs[0].figures["1"] == "0 faults"


def test_without_an_engine_what_needs_one_is_left_out() -> None:
    assert prove.prove(PLAN, None, only=(6, 7)) == ()


def test_a_check_that_sleeps_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = Mutant("a comment is added", "2", edit("docker/Dockerfile", ("# Tools that build", "# Tools")))
    honest = OPTIMISATIONS[1].mutants[0]
    monkeypatch.setattr(prove, "OPTIMISATIONS", (Optimisation(2, "two", (honest, harmless)),))
    proof, = prove.prove(PLAN, None)
    assert [one.killed for one in proof.verdicts] == [True, False]
    assert not proof.proven


def test_nothing_is_proven_on_a_clone_that_fails_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = clones.copy

    def broken(clone: Path, to: Path) -> Path:
        whole(clone, to)
        (to / ".dockerignore").unlink()
        return to

    monkeypatch.setattr(prove.clones, "copy", broken)
    with pytest.raises(EngineError, match="the checks 1, "):
        prove.prove(PLAN, None, only=(1,))


def test_an_optimisation_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError, match="no optimisation 11"):
        prove.prove(PLAN, None, only=(11,))


def test_a_whole_proof_is_written_down(tmp_path: Path, docker: FakeDocker) -> None:
    verdict = prove.Verdict("what", "2", True, "said")
    engine = Engine("docker", "26", "0.13", True, False, tmp_path)
    path = prove.write((prove.Proof(2, "two", {"2": "0 faults"}, (verdict,)),), tmp_path, engine)
    found = json.loads(path.read_text())
    assert (found["proven"], found["of"]) == (1, 10)
    assert found["optimisations"][0]["verdicts"][0]["said"] == "said"


@pytest.mark.docker
def test_an_image_that_breaks_its_promise_is_found(engine: Engine) -> None:
    plan = replace(PLAN, base=require_base(), ca=own_certificates())
    proof, = prove.prove(plan, engine, only=(7,))
    assert proof.proven, proof.verdicts
    assert not engine.ask("images", "--quiet", "--filter", f"reference={prove.REGISTRY}/*")
