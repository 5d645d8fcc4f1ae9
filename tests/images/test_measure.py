from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError, RunnerError
from cp_whisperx.images import layout, measure
from cp_whisperx.images.build import BuildPlan, own_certificates
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import Image, select
from tests.images.containers import ROOT, copy_of_the_clone, real_engine, require_base
from tests.images.layouts import File, Files, Made, write

IMAGES = select(("subtitle-gen", "silero-vad", "asr"), "cpu")
LOCK = "# made\na==1 \\\n    --hash=sha256:1\nb==2 \\\n    --hash=sha256:2\n"


class Scripted:
    """An engine whose images follow from the files that a build would read; its starts do nothing."""

    version, buildx, label = "26", "0.13", "Docker 26, buildx 0.13"

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.built: list[BuildPlan] = []

    def ask(self, *arguments: str) -> str:
        self.asked.append(arguments)
        return f"{measure.REGISTRY}/x:cpu" if arguments[0] == "images" else ""

    def build(self, plan: BuildPlan, engine: object) -> tuple[str, ...]:
        self.built.append(plan)
        return plan.references()

    def save(self, engine: object, references: tuple[str, ...], out: Path) -> layout.Layout:
        clone = self.built[-1].clone

        def part(name: str) -> Files:
            return {name: File((clone / name).read_bytes())}

        return write(out, {f"{measure.REGISTRY}/{image.reference()}": Made(
            [{"root": File()}, *(part(f"requirements/{layer}.txt") for layer in image.layers),
             {"sbom": File(image.target.encode())}, {"core": File()},
             *({part: File()} for part in image.code),
             part(measure.CODE)],
            {"Entrypoint": [image.stage]}) for image in self.built[-1].images})


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    engine = Scripted()
    monkeypatch.setattr(measure, "build", engine.build)
    monkeypatch.setattr(layout, "save", engine.save)
    return engine


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = copy_of_the_clone(tmp_path / "clone")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


def plan(clone: Path, images: tuple[Image, ...] = IMAGES) -> BuildPlan:
    return BuildPlan(clone, images)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and ".git" not in path.parts}


def test_a_change_ships_what_it_changed(scripted: Scripted, clone: Path, tmp_path: Path) -> None:
    found = measure.measure(plan(clone), scripted, models=tmp_path, runs=2)  # type: ignore[arg-type]
    assert found["no_change"]["images_changed"] == []
    assert found["no_change"]["new_bytes"] == 0
    assert found["code_line"]["images_changed"] == ["silero-vad", "asr", "subtitle-gen"]
    assert [row["layer"] for row in found["code_line"]["new_layers"]] == ["stages"]
    assert found["dependency"]["images_changed"] == ["silero-vad"]
    assert [row["layer"] for row in found["dependency"]["new_layers"]] == ["onnx"]
    assert found["dependency"]["new_bytes"] == found["dependency"]["new_layers"][0]["bytes"] > 0
    assert {name: len(found[name]["each"]) for name in ("no_change", "code_line", "dependency")} == dict.fromkeys(
        ("no_change", "code_line", "dependency"), 2)


def test_the_clone_is_left_as_it_was(scripted: Scripted, clone: Path, tmp_path: Path) -> None:
    before = contents(clone)
    measure.measure(plan(clone), scripted, models=tmp_path, runs=1)  # type: ignore[arg-type]
    assert contents(clone) == before
    assert all(one.clone != clone and one.registry == measure.REGISTRY and not one.push for one in scripted.built)


def test_starts_are_made_under_the_contract(scripted: Scripted, clone: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    found = measure.measure(plan(clone), scripted, models=tmp_path / "models", runs=1)  # type: ignore[arg-type]
    starts = [row for row in scripted.asked if row[0] == "run"]
    assert len(starts) == len(IMAGES)
    assert all(row[-1] == "--help" and "--read-only" in row and "none" in row for row in starts)
    assert set(found["start"]) == {image.target for image in IMAGES}
    assert "start_with_model" not in found


def test_asr_is_started_with_its_model(scripted: Scripted, clone: Path, monkeypatch: pytest.MonkeyPatch,
                                       tmp_path: Path) -> None:
    monkeypatch.setattr(measure.ModelStore, "has", lambda self, name: True)
    found = measure.measure(plan(clone), scripted, models=tmp_path, runs=1)  # type: ignore[arg-type]
    assert found["start_with_model"]["model"] == "base"
    row = next(row for row in scripted.asked if "--entrypoint" in row)
    assert f"type=bind,source={tmp_path},target=/models,readonly" in row


def test_names_are_taken_away_even_if_a_build_fails(scripted: Scripted, clone: Path, monkeypatch: pytest.MonkeyPatch,
                                                    tmp_path: Path) -> None:
    def fail(plan: BuildPlan, engine: object) -> tuple[str, ...]:
        raise RunnerError("no")

    monkeypatch.setattr(measure, "build", fail)
    with pytest.raises(RunnerError):
        measure.measure(plan(clone), scripted, models=tmp_path, runs=1)  # type: ignore[arg-type]
    assert scripted.asked[-1] == ("image", "rm", f"{measure.REGISTRY}/x:cpu")


def test_results_are_written_with_their_day(scripted: Scripted, clone: Path, monkeypatch: pytest.MonkeyPatch,
                                            tmp_path: Path) -> None:
    monkeypatch.setattr(measure, "ModelStore", lambda: type("Store", (), {"root": tmp_path})())
    monkeypatch.setattr(measure, "_starts", lambda *arguments: {})
    path = measure.write(plan(clone), scripted, runs=1)  # type: ignore[arg-type]
    found = json.loads(path.read_text())
    assert path == clone / "bench" / "results" / f"images-{found['date']}.json"
    assert {"machine", "engine", "commit", "runs", "images", "code_line"} <= set(found)


def test_a_layer_that_no_image_has_is_said(scripted: Scripted, clone: Path) -> None:
    with pytest.raises(ConfigError, match="called cuda") as caught:
        measure.measure(plan(clone), scripted, layer="cuda")  # type: ignore[arg-type]
    assert all(layer in caught.value.hint for image in IMAGES for layer in image.layers)
    assert not scripted.built


def test_outside_of_git_nothing_is_guessed(scripted: Scripted, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no git clone"):
        measure.measure(plan(copy_of_the_clone(tmp_path / "clone")), scripted)  # type: ignore[arg-type]


def test_each_run_loses_another_package() -> None:
    first, second, third = (measure._without_package(LOCK, run) for run in range(3))
    assert first.startswith("# made\nb==2 \\\n    --hash=sha256:2\n# measured 0 ")
    assert second.startswith("# made\na==1 \\\n    --hash=sha256:1\n# measured 1 ")
    assert third.startswith(first[:20])


def test_a_lock_of_one_package_keeps_it() -> None:
    assert measure._without_package("a==1\n", 0).startswith("a==1\n# measured")


@pytest.mark.docker
def test_a_line_of_code_ships_one_layer(tmp_path: Path) -> None:
    engine: Engine = real_engine()
    made = replace(plan(ROOT, select(("subtitle-gen", "silero-vad"), "cpu")), base=require_base(),
                   ca=own_certificates())
    found = measure.measure(made, engine, models=tmp_path, runs=1)
    assert found["no_change"]["images_changed"] == []
    assert [row["layer"] for row in found["code_line"]["new_layers"]] == ["stages"]
    assert found["dependency"]["images_changed"] == ["silero-vad"]
    assert all(row["seconds"] < 5 for row in found["start"].values())
    assert not engine.ask("images", "--quiet", "--filter", f"reference={measure.REGISTRY}/*")
