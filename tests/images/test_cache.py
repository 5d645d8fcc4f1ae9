"""What one builder leaves in a registry serves the next: an empty builder runs no step that has been run.

The empty builder is a second engine in namespaces of its own: it shares no network, no mounts and no processes with
the engine of this machine, and reaches nothing but a copy of the registry. So it could not install anything.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cp_whisperx.errors import RunnerError
from cp_whisperx.images.build import BuildPlan, build, own_certificates
from cp_whisperx.images.engine import Engine, find
from cp_whisperx.images.recipe import select
from tests.images.containers import absent, copy_of_the_clone, forget, require_base

pytestmark = pytest.mark.docker

LIMIT_S = 60
TOOLS = ("dockerd", "docker-registry", "unshare", "ip")
_REGISTRY = """version: 0.1
storage:
  filesystem:
    rootdirectory: {storage}
http:
  addr: 127.0.0.1:{port}
"""
_ENGINE = """set -e
mount -t tmpfs tmpfs /run
ip link set lo up
docker-registry serve "$1/registry.yml" > "$1/registry-2.log" 2>&1 &
exec dockerd --config-file "$1/daemon.json" --data-root "$1/engine" --exec-root /run/docker \\
    --pidfile /run/docker.pid --host "unix://$1/socket" > "$1/engine.log" 2>&1
"""
"""A second dockerd in the network of the first would take its bridge away: hence the namespaces."""


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        absent(f"an empty builder needs {', '.join(missing)}: run .ci/docker")
    if os.getuid() != 0:
        absent("only root can start an empty builder")
    # A socket's path is short, and nothing of an engine is worth keeping.
    folder = Path("/tmp") / f"cp-whisperx-cache-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def registry(work: Path) -> Iterator[str]:
    """An empty registry, for the length of the test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (work / "registry.yml").write_text(_REGISTRY.format(storage=work / "registry", port=port))
    with (work / "registry.log").open("w") as log, ended(
            ["docker-registry", "serve", str(work / "registry.yml")], stdout=log, stderr=log):
        wait_for(lambda: answers(port), work / "registry.log")
        yield f"127.0.0.1:{port}"


@contextmanager
def empty_builder(work: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    (work / "daemon.json").write_text('{"features": {"containerd-snapshotter": true}}')
    apart = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with ended([*apart, "sh", "-c", _ENGINE, "sh", str(work)]), monkeypatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{work}/socket")
        wait_for(engine_answers, work / "engine.log")
        yield find()


@contextmanager
def ended(command: list[str], **options: object) -> Iterator[None]:
    """The process, which does not outlive the block; those that it started in namespaces of its own end with it."""
    with subprocess.Popen(command, **options) as process:  # type: ignore[call-overload]
        try:
            yield
        finally:
            process.kill()


def wait_for(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.2)


def answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def engine_answers() -> bool:
    try:
        find()
    except RunnerError:
        return False
    return True


def steps(log: str) -> tuple[set[str], set[str]]:
    """Steps with a command, such as `root 1`: those that were run, and those found in a cache."""
    titles = dict(re.findall(r"(?m)^#(\d+) (\[\S+ \d+/\d+\] RUN .*)$", log))
    # What was found in the registry is fetched when a later step needs it, and may be told of in that way alone.
    cached = set(re.findall(r"(?m)^#(\d+) (?:CACHED$|extracting sha256:)", log))
    named = {number: re.findall(r"\[(\S+) (\d+)/", title)[0] for number, title in titles.items()}
    return ({f"{stage} {step}" for number, (stage, step) in named.items() if number not in cached},
            {f"{stage} {step}" for number, (stage, step) in named.items() if number in cached})


def test_an_empty_builder_runs_nothing_that_the_cache_has(
        engine: Engine, work: Path, registry: str, monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str]) -> None:
    base = require_base()
    here = f"{registry}/base:bookworm"
    engine.ask("buildx", "imagetools", "create", "--tag", here, base)
    clone = copy_of_the_clone(work / "clone")
    first = BuildPlan(clone, select(("subtitle-gen",), "cpu"), registry=f"{registry}/app", base=here, push=True,
                      cache=f"{registry}/cache", cache_to=True, ca=own_certificates())
    monkeypatch.setenv("BUILDKIT_PROGRESS", "plain")
    references = build(first, engine)
    made = engine.resolve(references[0])
    forget(engine, first)
    capfd.readouterr()
    with empty_builder(work, monkeypatch) as empty:
        again = replace(first, push=False, cache_to=False)
        build(again, empty)
        ran, cached = steps(capfd.readouterr().err)
        assert ran == set()
        assert {"builder 1", "builder 2", "code 1", "root 1", "layer-base 1"} <= cached
        answer = empty.ask("image", "inspect", "--format", "{{.Id}}", references[0])
        assert answer == made, "it is the image that was pushed"
        # The other half of the proof: what changed is run, and nothing else is.
        source = clone / "src" / "cp_whisperx" / "timeline.py"
        source.write_text(source.read_text() + "\n# one line more\n")
        build(again, empty)
        ran, cached = steps(capfd.readouterr().err)
        assert ran == {"code 1"}
        assert "layer-base 1" in cached
