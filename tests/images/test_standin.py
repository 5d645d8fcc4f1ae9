from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError, CpWhisperxError, RunnerError
from cp_whisperx.images import engine, standin
from tests.images.containers import WELL, FakeDocker

TO = "127.0.0.1:5000/base:bookworm"
DIGEST = "sha256:" + "a" * 64
INSPECT = "buildx imagetools inspect"
ABSENT = (1, "", f"ERROR: {TO}: not found")
TAKES_ALL = {**WELL, INSPECT: ABSENT, "import": (0, "sha256:1\n", ""), "push": (0, TO, "")}


@pytest.fixture
def mmdebstrap(docker: FakeDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tool that makes an empty base and writes down how it was called; and a caller who is root."""
    binary = tmp_path / "bin" / "mmdebstrap"
    binary.write_text('#!/bin/sh\nfor last; do :; done\n: > "$last"\n'
                      'echo "$SOURCE_DATE_EPOCH $@" > "$(dirname "$0")/mmdebstrap.call"\n')
    binary.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return binary


def test_a_base_that_is_there_is_not_made_again(docker: FakeDocker) -> None:
    docker.says({**WELL, INSPECT: (0, json.dumps({"digest": DIGEST}), "")})
    assert standin.make(engine.find(), TO) == f"{TO}@{DIGEST}"
    assert not docker.calls("import") + docker.calls("push")


def test_a_base_is_made_imported_and_pushed(docker: FakeDocker, mmdebstrap: Path) -> None:
    docker.says({**TAKES_ALL, INSPECT: (0, json.dumps({"digest": DIGEST}), "")})
    assert standin.make(engine.find(), TO, force=True) == f"{TO}@{DIGEST}"
    called = mmdebstrap.with_name("mmdebstrap.call").read_text().split()
    assert called[0] == str(standin.EPOCH)
    assert {"--variant=minbase", "--include=ca-certificates", "bookworm"} <= set(called)
    done = [call.arguments[0] for call in docker.calls()]
    assert done.index("import") < done.index("push")


def test_without_mmdebstrap(docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.says(TAKES_ALL)
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "mmdebstrap" else which(name))
    refused(ConfigError, "mmdebstrap, which is not on this machine", "package mmdebstrap")


def test_not_as_root(docker: FakeDocker, mmdebstrap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.says(TAKES_ALL)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    refused(ConfigError, "as root", "sudo")


@pytest.mark.parametrize("said", ["dial tcp 127.0.0.1:5000: connect: connection refused", "context deadline exceeded"])
def test_a_registry_that_is_down_is_noticed_before_the_work(docker: FakeDocker, mmdebstrap: Path, said: str) -> None:
    docker.says({**TAKES_ALL, INSPECT: (1, "", f"ERROR: failed to do request: {said}")})
    error = refused(RunnerError, f"the registry of {TO} does not answer", "start it")
    assert said in error.log
    assert not mmdebstrap.with_name("mmdebstrap.call").exists()


def test_a_registry_that_takes_nothing(docker: FakeDocker, mmdebstrap: Path) -> None:
    docker.says({**TAKES_ALL, "push": (1, "", "denied: requested access to the resource is denied")})
    error = refused(RunnerError, f"the base could not be pushed to {TO}", "docker push")
    assert "denied" in error.log


def test_a_disk_without_room(docker: FakeDocker, mmdebstrap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.says(TAKES_ALL)
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=900_000_000))
    refused(ConfigError, r"there are 0\.9 GB left", "TMPDIR")


def test_a_mirror_that_is_not_reached(docker: FakeDocker, mmdebstrap: Path) -> None:
    docker.says(TAKES_ALL)
    mmdebstrap.write_text("#!/bin/sh\necho 'I: running apt-get update...' >&2\n"
                          "echo 'E: apt-get update failed' >&2\nexit 1\n")
    error = refused(RunnerError, "mmdebstrap failed: apt-get update failed", "mirror")
    assert "running apt-get update" in error.log


def refused(kind: type[CpWhisperxError], message: str, hint: str) -> CpWhisperxError:
    with pytest.raises(kind, match=message) as caught:
        standin.make(engine.find(), TO)
    assert hint in caught.value.hint
    return caught.value
