"""What follows from the table of stages: nobody has to remember a file when a stage joins."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cp_whisperx.errors import ConfigError
from cp_whisperx.images import recipe
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import GENERATED, LAYERS, images
from cp_whisperx.stage import ImageNeeds
from cp_whisperx.stages import STAGES
from tests.images.containers import ROOT

NEW = replace(STAGES[0], name="new-stage",
              image=ImageNeeds(layers=("base", "onnx"), gpu=True, cuda_layers=("cuda",), network=True))


@dataclass(frozen=True)
class Built:
    """One stage of the Dockerfile: what it starts from, the stages it copies or mounts, the files it reads."""

    parent: str
    stages: tuple[str, ...]
    mounted: tuple[str, ...]
    files: tuple[str, ...]


def parsed(dockerfile: str) -> Mapping[str, Built]:
    text = re.sub(r"\\\n", " ", dockerfile)
    found = {}
    for block in re.split(r"(?m)^(?=FROM )", text)[1:]:
        first = block.splitlines()[0].split()
        code = "\n".join(line for line in block.splitlines() if not line.startswith("#"))
        copied = re.findall(r"(?m)^COPY .*?--from=(\S+)", code)
        own = [part for line in re.findall(r"(?m)^(?:COPY|ADD) (?!.*--from=)(.*)$", code) for part in line.split()[:-1]]
        mounts = re.findall(r"--mount=(type=bind\S*)", code)
        mounted = [part[5:] for mount in mounts for part in mount.split(",") if part.startswith("from=")]
        files = [part[7:] for mount in mounts for part in mount.split(",")
                 if part.startswith("source=") and "from=" not in mount]
        found[first[3]] = Built(first[1], tuple(copied), tuple(mounted), (*files, *own))
    return found


def inputs(name: str, stages: Mapping[str, Built]) -> Iterator[str]:
    """Every file of the clone that may change an image, and the base it starts from."""
    if name not in stages:
        yield name
        return
    yield from stages[name].files
    for other in (stages[name].parent, *stages[name].stages, *stages[name].mounted):
        yield from inputs(other, stages)


@pytest.fixture(scope="module")
def stages() -> Mapping[str, Built]:
    return parsed((ROOT / "docker" / "Dockerfile").read_text())


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("docker", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    return tmp_path


def test_generated_files_are_fresh() -> None:
    assert recipe.stale(ROOT) == (), "run: cp-whisperx images generate"


@pytest.mark.parametrize("name", GENERATED)
def test_a_changed_generated_file_is_noticed_and_mended(clone: Path, name: str) -> None:
    before = (clone / name).read_text()
    (clone / name).write_text(before + "\n# by hand\n")
    assert recipe.stale(clone) == (name,)
    assert recipe.generate(clone) == (name,)
    assert (clone / name).read_text() == before
    (clone / name).unlink()
    assert recipe.stale(clone) == (name,)


def test_a_new_stage_has_its_images_by_the_table_alone(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "STAGES", (*STAGES, NEW))
    monkeypatch.setattr(recipe, "BY_NAME", {**recipe.BY_NAME, NEW.name: NEW})
    assert set(recipe.generate(clone)) == {"docker/Dockerfile", "docker/docker-bake.hcl", "docker/compose.yaml"}
    built = parsed((clone / "docker" / "Dockerfile").read_text())
    assert built["new-stage-cpu"].stages == (
        "root", "layer-base", "layer-onnx", "sbom-new-stage-cpu", "code", "code", "code")
    assert built["new-stage-cuda"].stages == (
        "root", "layer-base", "layer-onnx", "layer-cuda", "sbom-new-stage-cuda", "code", "code", "code")
    assert built["new-stage-cuda-debug"].parent == "new-stage-cuda"
    bake = (clone / "docker" / "docker-bake.hcl").read_text()
    assert 'target "new-stage-cpu"' in bake and '"new-stage-cuda"' in bake.split('group "cuda"')[1].split("}")[0]
    service = yaml.safe_load((clone / "docker" / "compose.yaml").read_text())["services"]["new-stage"]
    assert service["network_mode"] == "bridge"
    assert service["read_only"] is True


def test_a_layer_without_a_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = replace(NEW, image=ImageNeeds(layers=("base", "odd")))
    monkeypatch.setattr(recipe, "STAGES", (*STAGES, odd))
    with pytest.raises(ConfigError, match="new-stage wants the layer odd"):
        images()


def test_layers_stand_in_one_order_so_that_images_share_them(stages: Mapping[str, Built]) -> None:
    for image in images():
        bill = f"sbom-{image.target}"
        code = ("code",) * (2 + len(image.code))
        wanted = ("root", *(f"layer-{layer}" for layer in LAYERS), bill, *code)
        assert image.layers == tuple(layer for layer in LAYERS if layer in image.layers)
        copied = stages[image.target].stages
        assert copied == tuple(stage for stage in wanted if stage in copied)
        assert copied == ("root", *(f"layer-{layer}" for layer in image.layers), bill, *code)


def test_cuda_is_cpu_and_more() -> None:
    by_target = {image.target: image for image in images()}
    for image in images():
        if image.variant == "cuda":
            cpu = by_target[f"{image.stage}-cpu"]
            assert image.layers[:len(cpu.layers)] == cpu.layers, "its layers are those of :cpu, from the bottom"


def test_every_image_starts_from_nothing(stages: Mapping[str, Built]) -> None:
    assert {stages[image.target].parent for image in images()} == {"scratch"}


def test_the_context_is_what_the_dockerfile_reads(stages: Mapping[str, Built]) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    admitted = {line[1:] for line in lines if line.startswith("!")}
    read = {file for stage in stages.values() for file in stage.files}
    assert "*" in lines
    assert admitted == read
    assert all((ROOT / path).exists() for path in admitted)


def test_a_changed_lock_changes_only_the_images_that_have_its_layer(stages: Mapping[str, Built]) -> None:
    """For every set of locks: no image is built anew for another one's dependency."""
    before = {image.target: digest(image.target, stages, ()) for image in images()}
    for count in range(len(LAYERS) + 1):
        for changed in itertools.combinations(LAYERS, count):
            now = {image.target for image in images() if digest(image.target, stages, changed) != before[image.target]}
            assert now == {image.target for image in images() if set(image.layers) & set(changed)}, changed


def digest(target: str, stages: Mapping[str, Built], changed: tuple[str, ...]) -> str:
    state = hashlib.sha256()
    for name in inputs(target, stages):
        path = ROOT / name
        state.update(name.encode() + (path.read_bytes() if path.is_file() else b""))
        if path.parent.name == "requirements" and path.stem in changed:
            state.update(b"another version")
    return state.hexdigest()


@pytest.mark.parametrize("file", ["requirements/uv.txt", "docker/debs.lock", "docker/make-root", "src/cp_whisperx"])
def test_what_all_images_share_changes_all(stages: Mapping[str, Built], file: str) -> None:
    assert all(file in inputs(image.target, stages) for image in images())


def test_every_service_is_under_the_contract() -> None:
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]
    assert set(services) == {*(stage.name for stage in STAGES), "models"}
    assert (services["models"]["network_mode"], services["models"]["volumes"]) == (
        "bridge", ["${MODELS:-models}:/models"])
    for stage in STAGES:
        service = services[stage.name]
        assert service["network_mode"] == ("bridge" if stage.image.network else "none")
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert tuple(service.get("environment", ())) == stage.image.secrets
        assert [volume.rsplit(":", 1)[-1] for volume in service["volumes"]] == ["/job", "ro", "ro"]


SELECTIONS: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "no such stage": (("asr", "no-such"), "cpu", "there is no stage called no-such"),
    "no such image": (("demux",), "cuda", "none of demux has a :cuda image"),
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_what_cannot_be_selected(name: str) -> None:
    stages, variant, text = SELECTIONS[name]
    with pytest.raises(ConfigError, match=text) as caught:
        recipe.select(stages, variant)
    assert caught.value.hint


def test_names_of_images() -> None:
    (image,) = recipe.select(("asr",), "cpu")
    assert image.reference() == "cp-whisperx-app-asr:cpu"
    assert image.reference("127.0.0.1:5000/team/") == "127.0.0.1:5000/team/cp-whisperx-app-asr:cpu"
    assert image.reference("example.org", "-debug") == "example.org/cp-whisperx-app-asr:cpu-debug"


def test_the_clone_is_found_from_below_and_missed_outside(tmp_path: Path) -> None:
    assert recipe.root(ROOT / "src" / "cp_whisperx") == ROOT
    with pytest.raises(ConfigError, match="this folder is in none"):
        recipe.root(tmp_path)


@pytest.mark.docker
def test_bake_reads_its_file(engine: Engine) -> None:
    done = subprocess.run([engine.command, "buildx", "bake", "--file", "docker/docker-bake.hcl", "--print",
                           "cpu", "cuda"], cwd=ROOT, capture_output=True, text=True, check=True)
    plan = json.loads(done.stdout)
    assert set(plan["target"]) == {image.target for image in images()}
    assert set(plan["group"]["cpu"]["targets"]) == {image.target for image in images() if image.variant == "cpu"}
    assert plan["target"]["demux-cpu"]["tags"][0] == "cp-whisperx-app-demux:cpu"


@pytest.mark.docker
def test_compose_reads_its_file(engine: Engine, tmp_path: Path) -> None:
    environment = os.environ | {"JOB": str(tmp_path), "FILMS": "/films", "USER_ID": "1000", "GROUP_ID": "1000"}
    done = subprocess.run([engine.command, "compose", "--file", "docker/compose.yaml", "config", "--format", "json"],
                          cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    services = json.loads(done.stdout)["services"]
    assert set(services) == {*(stage.name for stage in STAGES), "models"}
    assert {service["user"] for service in services.values()} == {"1000:1000"}
