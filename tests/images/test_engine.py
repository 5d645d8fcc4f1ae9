from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cp_whisperx.errors import RunnerError
from cp_whisperx.images import engine
from tests.images.containers import INFO, WELL, FakeDocker

Answers = dict[str, tuple[int, str, str]]

UNWELL: dict[str, tuple[Answers, str]] = {
    "the daemon is down": ({"info": (1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.")},
                           "the container engine does not answer"),
    "the client answers for a daemon that is down": (
        {"info": (0, json.dumps({"ServerErrors": ["permission denied"]}), "")}, "permission denied"),
    "what it says is no JSON": ({"info": (0, "WARNING: no", "")}, "the container engine does not answer"),
    "no buildx": ({"buildx version": (1, "", "docker: 'buildx' is not a docker command.")},
                  "`docker buildx` is not found"),
    "an old buildx": ({"buildx version": (0, "github.com/docker/buildx v0.11.2 9872040\n", "")}, "0.11.2 is too old"),
    "a very old buildx": ({"buildx version": (0, "buildx v0.9\n", "")}, "0.9 is too old"),
    "a buildx that says no version": ({"buildx version": (0, "buildx unknown\n", "")}, "unknown is too old"),
}


@pytest.mark.parametrize("name", UNWELL)
def test_an_unwell_engine_is_one_sentence_with_a_hint(docker: FakeDocker, name: str) -> None:
    answers, text = UNWELL[name]
    docker.says({**WELL, **answers})
    with pytest.raises(RunnerError, match=text) as caught:
        engine.find()
    assert caught.value.hint
    assert caught.value.exit_code == 7


def test_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunnerError, match="there is no container engine on this machine") as caught:
        engine.find()
    assert "install" in caught.value.hint


@pytest.mark.parametrize(("said", "version"), [
    ("github.com/docker/buildx v0.12.0 542e5d8\n", "0.12.0"),
    ("github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3\n", "0.13.1"),
    ("github.com/docker/buildx v1.0.0 abc\n", "1.0.0"),
])
def test_versions_that_are_new_enough(docker: FakeDocker, said: str, version: str) -> None:
    docker.says({**WELL, "buildx version": (0, said, "")})
    assert engine.find().buildx == version


def test_what_is_known_of_an_engine(docker: FakeDocker) -> None:
    found = engine.find()
    assert (found.version, found.containerd, found.gpu) == (INFO["ServerVersion"], True, False)
    docker.info(DriverStatus=[["Backing Filesystem", "extfs"]], Runtimes={"runc": {}, "nvidia": {}})
    found = engine.find()
    assert (found.containerd, found.gpu) == (False, True)


def test_an_engine_without_room(docker: FakeDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.info(DockerRootDir=str(tmp_path))
    found = engine.find()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2_900_000_000))
    with pytest.raises(RunnerError, match=r"has 2\.9 GB left") as caught:
        found.require_room()
    assert "prune" in caught.value.hint
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=3_100_000_000))
    found.require_room()


def test_an_engine_elsewhere_has_its_own_room(docker: FakeDocker) -> None:
    """Its storage is not on this machine: nobody here knows how full it is."""
    docker.info(DockerRootDir="/not/on/this/machine")
    engine.find().require_room()


def test_its_own_words_arrive(docker: FakeDocker) -> None:
    docker.says({**WELL, "image inspect": (1, "", "noise\nError: No such image: x\n")})
    with pytest.raises(RunnerError, match="`docker image inspect` failed: Error: No such image: x"):
        engine.find().ask("image", "inspect", "x")
