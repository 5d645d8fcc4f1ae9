from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cp_whisperx.cli import cli
from cp_whisperx.errors import ConfigError, RunnerError
from cp_whisperx.images import layout, measure, results
from cp_whisperx.images.build import BuildPlan, own_certificates
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.measure import pulls, sets
from cp_whisperx.images.recipe import Image, select
from cp_whisperx.images.results import OURS, PLAIN, WHISPERX, Figure
from tests.images.containers import ROOT, absent, copy_of_the_clone, real_engine, require_base
from tests.images.layouts import File, Files, Made, write

IMAGES = select(("subtitle-gen", "silero-vad", "asr"), "cpu")
LOCK = "# made\na==1 \\\n    --hash=sha256:1\nb==2 ; python_full_version < '3.12' \\\n    --hash=sha256:2\n"
REBUILDS = ("no-change", "code-line", "dependency")


class Scripted:
    """An engine whose images follow from the files that a build would read; its starts do nothing.

    A plain image has two layers of its own: the whole context, and one that says which stage it is.
    """

    command, version, buildx, label = "docker", "26", "0.13", "Docker 26, buildx 0.13"
    containerd, storage, id = True, Path("/nowhere"), "scripted"

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.ran: list[tuple[str, ...]] = []
        self.built: list[BuildPlan] = []
        self.plain: dict[str, Files] = {}
        self._held: dict[str, bytes] = {}

    def ask(self, *arguments: str) -> str:
        self.asked.append(arguments)
        if arguments[0] == "images":
            return arguments[-1].removeprefix("reference=").replace("*", "x:cpu")
        return "peak 81234" if arguments[0] == "run" and "-c" in arguments else ""

    def run(self, *arguments: str, environment: dict[str, str], cwd: Path) -> None:
        self.ran.append(arguments)
        self.plain[environment["REGISTRY"]] = {
            str(path.relative_to(cwd)): File(path.read_bytes()) for path in sorted(cwd.rglob("*.*"))
            if path.is_file() and path.suffix in (".py", ".txt")}

    def build(self, plan: BuildPlan, engine: object) -> tuple[str, ...]:
        self.built.append(plan)
        self._held = {name: (plan.clone / name).read_bytes() for name in (
            sets.CODE, *(f"requirements/{layer}.txt" for image in plan.images for layer in image.layers))}
        return plan.references()

    def save(self, engine: object, references: tuple[str, ...], out: Path, *, walk: bool = True,
             contents: bool = True) -> layout.Layout:
        registry = references[0].split("/")[0]
        if registry in self.plain:
            return write(out, {name: Made([{"base": File()}, self.plain[registry]], {"Env": [name]})
                               for name in references})

        def part(name: str) -> Files:
            return {name: File(self._held[name])}

        return write(out, {f"{self.built[-1].registry}/{image.reference()}": Made(
            [{"root": File()}, *(part(f"requirements/{layer}.txt") for layer in image.layers),
             {"sbom": File(image.target.encode())}, {"core": File()},
             *({part: File()} for part in image.code),
             part(sets.CODE)],
            {"Entrypoint": [image.stage]}) for image in self.built[-1].images})


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    engine = Scripted()
    monkeypatch.setattr(sets, "build", engine.build)
    monkeypatch.setattr(layout, "save", engine.save)
    return engine


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = copy_of_the_clone(tmp_path / "clone")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    for name in ("Dockerfile", "docker-bake.hcl", "whisperx.txt"):
        target = folder / sets.BASELINES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / sets.BASELINES / name).read_bytes())
    return folder


def plan(clone: Path, images: tuple[Image, ...] = IMAGES) -> BuildPlan:
    return BuildPlan(clone, images)


def measured(scripted: Scripted, clone: Path, *names: str, **options: Any) -> dict[str, Figure]:
    options = {"sets": (OURS,), "models": clone / "none", "runs": 2} | options
    found = measure.measure(plan(clone), scripted, measure.chosen(names), **options)
    return {one.name: one for one in found}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and ".git" not in path.parts}


def test_a_change_ships_what_it_changed(scripted: Scripted, clone: Path) -> None:
    found = measured(scripted, clone, *REBUILDS)
    assert found["code-line-images"].ours == 3
    assert re.fullmatch(r"ours: \d+ bytes  layer stages", "\n".join(found["code-line-shipped"].detail))
    assert found["dependency-images"].detail == ("ours: silero-vad",)
    assert re.fullmatch(r"ours: \d+ bytes  layer onnx", "\n".join(found["dependency-shipped"].detail))
    assert (found["dependency-shipped"].ours or 0) > 0
    assert {name: found[name].runs for name in REBUILDS} == {name: {OURS: 2} for name in REBUILDS}


def test_sets_take_turns_and_a_ratio_is_that_of_medians(scripted: Scripted, clone: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(sets.OurSet, "build", lambda self, cold=False: order.append(OURS) or 2.0)
    monkeypatch.setattr(sets.PlainSet, "build", lambda self, cold=False: order.append(self.name) or 50.0)
    found = measured(scripted, clone, "no-change", sets=(OURS, PLAIN))
    # Once each, to be there; then in turn.
    assert order == [OURS, PLAIN, OURS, PLAIN, OURS, PLAIN]
    assert found["no-change"].ours == 2.0
    assert found["no-change"].baselines == {PLAIN: 50.0}
    assert found["no-change"].ratio == {PLAIN: 25.0}
    assert found["no-change"].met is False


def test_a_plain_set_reinstalls_all_after_a_line(scripted: Scripted, clone: Path) -> None:
    found = measured(scripted, clone, "code-line", sets=(OURS, PLAIN), runs=1)
    assert found["code-line-images"].baselines == {PLAIN: 3}
    assert found["code-line-shipped"].baselines[PLAIN] > (found["code-line-shipped"].ours or 0)
    first, *_ = scripted.ran
    assert len([word for word in first if word.startswith("plain-")]) == 1, "ten at once would unpack ten times"


def test_a_plain_set_has_our_packages_at_our_versions(clone: Path, tmp_path: Path, scripted: Scripted) -> None:
    made = sets.PlainSet(plan(clone), scripted, tmp_path, whisperx=False)
    wanted = (made.clone / "requirements.txt").read_text().splitlines()
    for layer in ("base", "onnx", "asr"):
        locked = re.findall(r"(?m)^([\w.-]+==[^ \n]+)", (clone / "requirements" / f"{layer}.txt").read_text())
        assert locked
        assert set(locked) <= {line.split(" ")[0] for line in wanted}
    assert not (made.clone / ".dockerignore").exists()


def test_a_lock_becomes_one_plain_list(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "onnx.txt").write_text(LOCK)
    assert sets.one_list(tmp_path, {"onnx"}) == "a==1\nb==2 ; python_full_version < '3.12'\n"


@pytest.mark.parametrize("place", ["docker/Dockerfile", f"{sets.BASELINES}/Dockerfile"])
def test_another_base_makes_every_step_another(place: str) -> None:
    text = (ROOT / place).read_text()
    changed = sets.another_base(text, 1)
    before, added = changed.split("RUN echo 1 ")
    assert before.rstrip().splitlines()[-1].startswith("FROM base")
    # All that has a command stands on the changed one.
    assert added.count("\nFROM base") == 0
    assert added.partition("\n")[2].count("RUN") == text.count("RUN")


def test_the_clone_is_left_as_it_was(scripted: Scripted, clone: Path) -> None:
    before = contents(clone)
    measured(scripted, clone, *REBUILDS, sets=(OURS, PLAIN))
    assert contents(clone) == before
    assert all(one.clone != clone and one.registry.startswith(sets.REGISTRY) and not one.push for one in scripted.built)
    assert all(registry.startswith(sets.REGISTRY) for registry in scripted.plain)


def test_starts_are_made_under_the_contract(scripted: Scripted, clone: Path) -> None:
    found = measured(scripted, clone, "start", "start-model", runs=1)
    starts = [row for row in scripted.asked if row[0] == "run"]
    assert len(starts) == len(IMAGES)
    assert all(row[-1] == "--help" and "--read-only" in row and "none" in row for row in starts)
    assert {line.split("  ")[-1] for line in found["start"].detail} == {image.stage for image in IMAGES}
    assert "start-model" not in found, "there is no model"


def test_asr_is_started_with_its_model(scripted: Scripted, clone: Path, monkeypatch: pytest.MonkeyPatch,
                                       tmp_path: Path) -> None:
    monkeypatch.setattr(measure.ModelStore, "has", lambda self, name: True)
    found = measured(scripted, clone, "start-model", models=tmp_path)
    assert found["start-model-memory"].ours == 81.234
    row = next(row for row in scripted.asked if "-c" in row)
    assert f"type=bind,source={tmp_path},target=/models,readonly" in row


@pytest.mark.parametrize("names", [("no-change",), ("no-change", "start")])
def test_names_are_taken_away_even_if_a_build_fails(scripted: Scripted, clone: Path, monkeypatch: pytest.MonkeyPatch,
                                                    names: tuple[str, ...]) -> None:
    def fail(plan: BuildPlan, engine: object) -> tuple[str, ...]:
        raise RunnerError("no room")

    monkeypatch.setattr(sets, "build", fail)
    with pytest.raises(RunnerError, match=f"{len(names)} of {len(names)} measurements failed") as caught:
        measured(scripted, clone, *names)
    assert "no room" in caught.value.log
    assert ("image", "rm", f"{sets.registry(OURS)}/x:cpu") in scripted.asked


def test_a_run_that_is_ended_keeps_its_figures(scripted: Scripted, clone: Path, monkeypatch: pytest.MonkeyPatch,
                                               tmp_path: Path) -> None:
    def end(plan: BuildPlan, engine: object) -> tuple[str, ...]:
        if len(scripted.built) > 3:
            raise KeyboardInterrupt
        return scripted.build(plan, engine)

    monkeypatch.setattr(sets, "build", end)
    out = tmp_path / "images.json"
    with pytest.raises(KeyboardInterrupt):
        measure.write(plan(clone), scripted, measure.chosen(REBUILDS), out=out,
                      sets=(OURS,), models=tmp_path, runs=2)
    assert [one.name for one in results.read(out)] == ["no-change"]
    assert ("image", "rm", f"{sets.registry(OURS)}/x:cpu") in scripted.asked


def test_parts_of_a_run_add_up(scripted: Scripted, clone: Path, tmp_path: Path) -> None:
    for names, kinds in (("no-change",), (OURS, PLAIN)), (("code-line",), (OURS,)), (("no-change",), (OURS, WHISPERX)):
        path = measure.write(plan(clone), scripted, measure.chosen(names), sets=kinds,
                             models=tmp_path, runs=1)
    assert path == results.place(clone, "images")
    found = {one.name: one for one in results.read(path)}
    assert {"no-change", "code-line", "code-line-shipped", "code-line-images"} == set(found)
    assert set(found["no-change"].baselines) == {PLAIN, WHISPERX}
    assert "plain: of an earlier part" in found["no-change"].note
    head = json.loads(path.read_text())
    assert {"what", "date", "machine", "engine", "commit", "images", "base"} <= set(head)


def test_a_plain_set_can_be_measured_alone(scripted: Scripted, clone: Path) -> None:
    found = measured(scripted, clone, "set", "light-stage", "attributed", "layer-order", "start", sets=(PLAIN,), runs=1)
    assert {name: found[name].ours for name in ("set", "light-stage", "start")} == dict.fromkeys(
        ("set", "light-stage", "start"))
    assert set(found["set"].baselines) == {PLAIN}
    assert "attributed" not in found, "that is of ours alone"


def test_results_of_another_form_are_no_figures(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text('{"code_line": {"seconds": 1}}')
    assert results.read(tmp_path / "old.json") == ()
    assert results.read(tmp_path / "absent.json") == ()


def test_every_row_says_what_it_takes() -> None:
    assert len(set(measure.NAMES)) == len(measure.NAMES)
    for row in measure.TABLE:
        assert OURS in row.runs
        assert set(row.roughly_s) <= set(row.runs) <= set(measure.SETS)
        assert re.fullmatch(r"I\d+|", row.target)
        assert row.limit is None or row.target
        assert row.unit in ("s", "bytes", "MB", "count")


def test_what_would_be_measured_is_said() -> None:
    said = CliRunner().invoke(cli, ["images", "measure", "--dry-run", "--quick"])
    assert said.exit_code == 0, said.output
    quick = [row.name for row in measure.TABLE if row.quick]
    assert [line.split()[2] for line in said.output.splitlines()[:-1]] == quick
    assert re.fullmatch(r"[12] min in all, roughly, with ours", said.output.splitlines()[-1])


@pytest.mark.parametrize(("options", "said"), [
    ({"only": ("speed",)}, "no measurement called speed"),
    ({"sets": ("ours", "alpine")}, "no set called alpine"),
    ({"layer": "cuda"}, "no image of the plan has a layer called cuda"),
])
def test_what_there_is_not_is_said(scripted: Scripted, clone: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        measured(scripted, clone, *options.pop("only", ()), **options)
    assert caught.value.hint
    assert not scripted.built


def test_what_a_killed_run_left_is_taken_away(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, here = f"{sets.REGISTRY}-99999999-ours/a:cpu", f"{sets.registry(OURS)}/a:cpu"
    monkeypatch.setattr(scripted, "ask", lambda *arguments: scripted.asked.append(arguments) or f"{gone}\n{here}")
    sets.tidy(scripted)
    assert scripted.asked[-1] == ("image", "rm", gone)


def test_outside_of_git_nothing_is_guessed(scripted: Scripted, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no git clone"):
        measured(scripted, copy_of_the_clone(tmp_path / "clone"), "no-change")


def test_each_run_loses_another_package() -> None:
    first, second, third = (sets.without_package(LOCK, run) for run in range(3))
    assert first.startswith("# made\nb==2 ; python_full_version < '3.12' \\\n    --hash=sha256:2\n# measured 0 ")
    assert second.startswith("# made\na==1 \\\n    --hash=sha256:1\n# measured 1 ")
    assert third.startswith(first[:20])


def test_a_lock_of_one_package_keeps_it() -> None:
    assert sets.without_package("a==1\n", 0).startswith("a==1\n# measured")


@pytest.mark.docker
def test_a_line_of_code_ships_one_layer(tmp_path: Path) -> None:
    engine: Engine = real_engine()
    made = replace(plan(ROOT, select(("subtitle-gen", "silero-vad"), "cpu")), base=require_base(),
                   ca=own_certificates())
    found = {one.name: one for one in measure.measure(
        made, engine, measure.chosen(("context", *REBUILDS, "start")), sets=(OURS,), models=tmp_path, runs=1)}
    assert found["code-line-shipped"].detail[0].endswith("layer stages")
    assert len(found["code-line-shipped"].detail) == 1
    assert found["dependency-images"].detail == ("ours: silero-vad",)
    assert found["context"].met
    assert found["start"].ours
    assert not engine.ask("images", "--quiet", "--filter", f"reference={sets.registry(OURS)}/*")


@pytest.mark.docker
def test_an_empty_engine_pulls_either_compression(tmp_path: Path) -> None:
    made = replace(plan(ROOT, select(("subtitle-gen",), "cpu")), base=require_base(), ca=own_certificates())
    if os.geteuid() != 0 or not all(map(shutil.which, pulls.TOOLS)):
        absent(f"an empty engine, with a registry of its own, takes root and {', '.join(pulls.TOOLS)}")
    found = {one.name: one for one in measure.measure(
        made, real_engine(), measure.chosen(("pull",)), sets=(OURS,), models=tmp_path, layer="base", runs=1)}
    assert 0 < (found["pull-zstd-bytes"].ours or 0) < (found["pull-gzip-bytes"].ours or 0) < 30e6
    assert found["pull-gzip"].ours
    assert found["pull-zstd"].ours
