from __future__ import annotations

import re
import shutil
import string
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cp_whisperx import __version__
from cp_whisperx.errors import ConfigError, RunnerError
from cp_whisperx.images import engine
from cp_whisperx.images.build import BuildPlan, build, own_certificates, revision
from cp_whisperx.images.recipe import images, select
from tests.images.containers import ROOT, WELL, FakeDocker, copy_of_the_clone

LIGHT = BuildPlan(ROOT, select(("subtitle-gen",), "cpu"))
PAIR = BuildPlan(ROOT, select(("asr", "subtitle-gen"), "cpu"))
CPU = BuildPlan(ROOT, select((), "cpu"))


def settings(plan: BuildPlan, *, containerd: bool = True) -> list[str]:
    """What follows each `--set`."""
    arguments = plan.arguments(containerd=containerd)
    return [arguments[number + 1] for number, argument in enumerate(arguments) if argument == "--set"]


SET: dict[str, tuple[BuildPlan, tuple[str, ...]]] = {
    "nothing but the output": (LIGHT, ("*.output=type=image",)),
    "push": (replace(LIGHT, push=True), ("*.output=type=image,push=true",)),
    "another base": (replace(LIGHT, base="127.0.0.1:5000/base:bookworm@sha256:" + "a" * 64),
                     ("*.contexts.base=docker-image://127.0.0.1:5000/base:bookworm@sha256:" + "a" * 64,
                      "*.output=type=image")),
    "certificates": (replace(LIGHT, ca=Path("/etc/own.crt")),
                     ("*.secrets=id=ca,src=/etc/own.crt", "*.output=type=image")),
    "cache of one image": (replace(LIGHT, cache="reg/cache"), (
        "subtitle-gen-cpu.cache-from=type=registry,ref=reg/cache:subtitle-gen-cpu", "*.output=type=image")),
    "cache of two": (replace(PAIR, cache="reg/cache", cache_to=True), (
        "asr-cpu.cache-from=type=registry,ref=reg/cache:asr-cpu",
        "asr-cpu.cache-to=type=registry,ref=reg/cache:asr-cpu,mode=max",
        "subtitle-gen-cpu.cache-from=type=registry,ref=reg/cache:subtitle-gen-cpu",
        "subtitle-gen-cpu.cache-from=type=registry,ref=reg/cache:asr-cpu",
        "subtitle-gen-cpu.cache-to=type=registry,ref=reg/cache:subtitle-gen-cpu,mode=min", "*.output=type=image")),
}


@pytest.mark.parametrize("name", SET)
def test_command_lines(name: str) -> None:
    plan, wanted = SET[name]
    assert tuple(settings(plan)) == wanted


@pytest.mark.parametrize(("push", "flag"), [(False, "--load"), (True, "--push")])
def test_the_classic_store_is_told_where_to_put_images(push: bool, flag: str) -> None:
    arguments = replace(LIGHT, push=push).arguments(containerd=False)
    assert arguments[-2:] == (flag, "subtitle-gen-cpu")
    assert settings(replace(LIGHT, push=push), containerd=False) == []


def test_what_every_build_says() -> None:
    arguments = CPU.arguments(containerd=True)
    assert arguments[:2] == ("buildx", "bake")
    assert {"--provenance=false", "--sbom=false"} <= set(arguments)
    assert arguments[-len(CPU.images):] == tuple(image.target for image in CPU.images)
    assert "--no-cache" not in arguments
    assert "--no-cache" in replace(CPU, no_cache=True).arguments(containerd=True)


def test_debug_images_have_names_of_their_own() -> None:
    plan = replace(LIGHT, debug=True, registry="reg", cache="reg/cache", cache_to=True)
    assert plan.targets == ("subtitle-gen-cpu-debug",)
    assert plan.references() == ("reg/cp-whisperx-app-subtitle-gen:cpu-debug",)
    written = [setting for setting in settings(plan) if "cache-to" in setting]
    assert written == ["subtitle-gen-cpu-debug.cache-to=type=registry,ref=reg/cache:subtitle-gen-cpu-debug,mode=max"]


def test_one_cache_is_complete_and_each_has_its_own_reference() -> None:
    """Matrix jobs that share a reference overwrite each other's; full exports of all images evict each other."""
    for variant in ("cpu", "cuda"):
        plan = BuildPlan(ROOT, select((), variant), cache="reg/cache", cache_to=True)
        written = [setting.split("cache-to=")[1] for setting in settings(plan) if "cache-to" in setting]
        assert len({line.split(",")[1] for line in written}) == len(written) == len(plan.images)
        (complete,) = [line for line in written if line.endswith("mode=max")]
        most = max(len(image.layers) for image in plan.images)
        assert complete.split(",")[1].split(":")[1] in {image.target for image in images()
                                                        if len(image.layers) == most}


def test_a_build_is_one_call_in_the_clone(docker: FakeDocker) -> None:
    plan = replace(PAIR, registry="reg/team/")
    assert build(plan, engine.find()) == ("reg/team/cp-whisperx-app-asr:cpu",
                                          "reg/team/cp-whisperx-app-subtitle-gen:cpu")
    (call,) = docker.calls("buildx", "bake")
    environment = call.environment
    assert call.cwd == str(ROOT)
    assert environment["REGISTRY"] == "reg/team/"
    assert environment["VERSION"] == __version__
    assert environment["BUILDX_NO_DEFAULT_ATTESTATIONS"] == "1"
    assert int(environment["SOURCE_DATE_EPOCH"]) > 0


def test_a_build_that_fails(docker: FakeDocker) -> None:
    docker.says({**WELL, "buildx bake": (1, "", "ERROR: failed to solve: exit code: 1")})
    with pytest.raises(RunnerError, match="`docker buildx bake --file …` failed") as caught:
        build(LIGHT, engine.find())
    assert caught.value.exit_code == 7
    assert "docker system df" in caught.value.hint and "no name of an image has moved" in caught.value.hint
    assert not docker.calls("image", "tag")


def test_a_disk_that_is_full(docker: FakeDocker) -> None:
    docker.says({**WELL, "buildx bake": (1, "", "ERROR: failed to solve: write /x: no space left on device")})
    with pytest.raises(RunnerError, match="the engine's disk is full, and no name of an") as caught:
        build(LIGHT, engine.find())
    assert "docker builder prune" in caught.value.hint


def test_a_builder_that_does_not_say_what_it_made(docker: FakeDocker) -> None:
    with pytest.raises(RunnerError, match="without a word on what it made"):
        build(LIGHT, replace(engine.find(), command="/bin/true"))


def test_a_registry_that_takes_nothing(docker: FakeDocker) -> None:
    docker.says({**WELL, "push": (1, "", "Get https://reg/v2/: dial tcp: connection refused")})
    with pytest.raises(RunnerError, match=r"^reg did not take the images \(Get .* connection refused\)$") as caught:
        build(replace(LIGHT, push=True, registry="reg"), engine.find())
    assert "docker login" in caught.value.hint
    assert len(docker.calls("push")) == 1, "the names that others pull wait for the one of the commit"


def test_there_is_a_registry_to_push_to(docker: FakeDocker) -> None:
    with pytest.raises(ConfigError, match="no registry to push to"):
        build(replace(LIGHT, push=True), engine.find())
    assert not docker.calls("buildx", "bake")


def test_the_names_of_one_commit_are_pushed_first(docker: FakeDocker) -> None:
    docker.says({**WELL, "push": (0, "", "")})
    plan = replace(PAIR, push=True, registry="reg")
    build(plan, engine.find())
    pushed = [call.arguments[1] for call in docker.calls("push")]
    assert pushed[:2] == [names[-1] for names in plan.names()]
    assert sorted(pushed) == sorted(name for names in plan.names() for name in names)


def test_names_are_those_that_bake_gives_itself() -> None:
    text = (ROOT / "docker" / "docker-bake.hcl").read_text()
    for plan in (PAIR, replace(PAIR, debug=True), replace(PAIR, registry="reg/team", push=True)):
        given = [string.Template(one).substitute(plan.environment())
                 for one in re.findall(r'"(\$\{REGISTRY\}\S+)"', text)]
        assert {name for names in plan.names() for name in names} <= set(given)


def test_bake_may_read_kept_packages_outside_the_clone(docker: FakeDocker) -> None:
    build(LIGHT, engine.find())
    (call,) = docker.calls("buildx", "bake")
    assert call.environment["BUILDX_BAKE_ENTITLEMENTS_FS"] == "0"
    assert call.environment["BUILDX_METADATA_PROVENANCE"] == "disabled"


def test_names_of_version_and_commit_are_for_registries() -> None:
    assert LIGHT.names() == (("cp-whisperx-app-subtitle-gen:cpu",),)
    assert replace(LIGHT, registry="reg").names() == (("reg/cp-whisperx-app-subtitle-gen:cpu",),)
    (names,) = replace(LIGHT, registry="reg", push=True).names()
    assert names[:2] == ("reg/cp-whisperx-app-subtitle-gen:cpu", f"reg/cp-whisperx-app-subtitle-gen:cpu-{__version__}")
    assert len(names) == 3


@pytest.mark.parametrize(("words", "builds"), [
    ("ERROR: failed to solve: failed to get edge: inconsistent graph state", 2), ("ERROR: no space left on device", 1),
])
def test_a_race_of_the_builder_is_tried_once_more(docker: FakeDocker, words: str, builds: int) -> None:
    docker.says({**WELL, "buildx bake": (1, "", words)})
    with pytest.raises(RunnerError):
        build(LIGHT, engine.find())
    assert len(docker.calls("buildx", "bake")) == builds


def test_stale_files_are_not_built_from(docker: FakeDocker, tmp_path: Path) -> None:
    clone = copy_of_the_clone(tmp_path / "clone")
    (clone / ".dockerignore").write_text("*\n")
    with pytest.raises(ConfigError, match="dockerignore: not as the table of stages has it") as caught:
        build(replace(LIGHT, clone=clone), engine.find())
    assert "images generate" in caught.value.hint
    assert not docker.calls("buildx", "bake")


def test_an_engine_without_room_builds_nothing(docker: FakeDocker, tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    docker.info(DockerRootDir=str(tmp_path))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(RunnerError, match=r"the engine has 0\.0 GB left"):
        build(LIGHT, engine.find())
    assert not docker.calls("buildx", "bake")


def test_certificates_are_those_this_machine_is_told_to_trust(monkeypatch: pytest.MonkeyPatch,
                                                              tmp_path: Path) -> None:
    bundle = tmp_path / "own.crt"
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert own_certificates() is None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    assert own_certificates() is None, "it is not there"
    bundle.touch()
    assert own_certificates() == bundle


def test_the_revision_tells_what_is_not_committed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x", *arguments],
                       check=True, capture_output=True)

    assert revision(tmp_path) == "unknown"
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("a = 1\n")
    git("init")
    git("add", ".")
    git("commit", "--message", "a")
    clean = revision(tmp_path)
    assert len(clean) == 12
    (tmp_path / "notes.txt").write_text("not in any image")
    assert revision(tmp_path) == clean
    (tmp_path / "src" / "a.py").write_text("a = 2\n")
    assert revision(tmp_path) == f"{clean}-dirty"
