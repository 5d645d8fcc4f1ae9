"""A pull into an engine that has nothing, from a registry on this machine, with layers as gzip and as zstd.

The empty engine is a second daemon in namespaces of its own; its registry is on the same storage. So the time is that
of fetching from the disk and of unpacking: a network comes on top, by the bytes.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.errors import RunnerError
from cp_whisperx.images.measure.session import Measurement, Session
from cp_whisperx.images.results import OURS, Figure

_log = logs.get("measure")

TOOLS = ("dockerd", "docker-registry", "unshare", "ip")
_LIMIT_S = 60.0
_REGISTRY = "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {storage}\nhttp:\n  addr: 127.0.0.1:{port}\n"
_ENGINE = """set -e
mount -t tmpfs tmpfs /run
ip link set lo up
docker-registry serve "$1/registry.yml" > "$1/registry-2.log" 2>&1 &
exec dockerd --config-file "$1/daemon.json" --data-root "$1/engine" --exec-root /run/docker \\
    --pidfile /run/docker.pid --host "unix://$1/socket" > "$1/engine.log" 2>&1
"""
COMPRESSIONS = ("gzip", "zstd")


def pull(session: Session, row: Measurement) -> Iterator[Figure]:
    """All ten images, one after the other, as `docker pull` does it."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        raise RunnerError(f"an empty engine needs {', '.join(missing)}", hint="see .ci/docker")
    if os.geteuid() != 0:
        raise RunnerError("only root can start an empty engine", hint="run the same command with sudo")
    seconds: dict[str, dict[str, list[float]]] = {kind: {} for kind in COMPRESSIONS}
    sizes: dict[str, dict[str, list[float]]] = {kind: {} for kind in COMPRESSIONS}
    # A socket's path is short, and nothing of an engine is worth keeping.
    folder = Path("/tmp") / f"cp-whisperx-pull-{os.getpid()}"
    for one in session.of(row):
        # What most projects push is gzip.
        for kind in COMPRESSIONS if one.name == OURS else COMPRESSIONS[:1]:
            folder.mkdir()
            try:
                with _registry(folder) as address:
                    pushed = tuple(_push(session, reference, address, kind) for reference in one.references())
                    sizes[kind][one.name] = [_stored(folder / "registry")]
                    seconds[kind][one.name] = []
                    for run in range(session.runs(row, one)):
                        seconds[kind][one.name].append(_pulled(session, folder, pushed))
                        _log.info(f"{row.name}, {one.name}, {kind}, run {run + 1}: {seconds[kind][one.name][-1]:.1f} s")
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    for kind in COMPRESSIONS:
        yield session.figure(row, seconds[kind], part=kind, what=f"{row.what}, layers as {kind}")
        yield session.figure(row, sizes[kind], part=f"{kind}-bytes", unit="bytes", target="I1", limit=125e6,
                             what=f"what the registry holds of the set, layers as {kind}")


def _push(session: Session, reference: str, address: str, kind: str) -> str:
    """Under its own name in the registry; the engine keeps no other name for it."""
    there = f"{address}/{reference.rsplit('/', 1)[-1]}"
    try:
        if kind == "gzip":
            session.engine.ask("tag", reference, there)
            session.engine.ask("push", "--quiet", there)
        else:
            done = subprocess.run(
                [session.engine.command, "buildx", "build", "--progress", "plain", "--provenance=false", "--output",
                 f"type=image,name={there},push=true,compression={kind},force-compression=true,oci-mediatypes=true",
                 "-"],
                input=f"FROM {reference}\n", text=True, capture_output=True, check=False)
            if done.returncode:
                raise RunnerError(f"{reference} could not be pushed with layers as {kind}", log=done.stderr[-400:],
                                  hint="buildx 0.12 and the containerd image store can do it")
    finally:
        with suppress(RunnerError):
            session.engine.ask("image", "rm", there)
    return there


def _pulled(session: Session, folder: Path, references: tuple[str, ...]) -> float:
    """Seconds until an engine that was empty has all images."""
    with _empty_engine(session, folder) as environment:
        begun = time.monotonic()
        for reference in references:
            done = subprocess.run([session.engine.command, "pull", "--quiet", reference], env=environment,
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                raise RunnerError(f"{reference} could not be pulled into an empty engine", log=done.stderr[-400:],
                                  hint="its log is gone with it; run it again with more room on the disk")
        return time.monotonic() - begun


@contextmanager
def _registry(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "registry.yml").write_text(_REGISTRY.format(storage=folder / "registry", port=port), encoding="utf-8")
    with (folder / "registry.log").open("w") as log, _ended(
            ["docker-registry", "serve", str(folder / "registry.yml")], log.fileno()):
        _wait(lambda: _answers(port), folder / "registry.log")
        yield f"127.0.0.1:{port}"


@contextmanager
def _empty_engine(session: Session, folder: Path) -> Iterator[dict[str, str]]:
    (folder / "daemon.json").write_text('{"features": {"containerd-snapshotter": true}}', encoding="utf-8")
    environment = os.environ | {"DOCKER_HOST": f"unix://{folder}/socket"}
    apart = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]

    def answers() -> bool:
        return subprocess.run([session.engine.command, "version"], env=environment, capture_output=True,
                              check=False).returncode == 0

    try:
        with _ended([*apart, "sh", "-c", _ENGINE, "sh", str(folder)], subprocess.DEVNULL):
            _wait(answers, folder / "engine.log")
            yield environment
    finally:
        (folder / "socket").unlink(missing_ok=True)
        shutil.rmtree(folder / "engine", ignore_errors=True)


@contextmanager
def _ended(command: list[str], output: int) -> Iterator[None]:
    """The process, which does not outlive the block; those that it started in namespaces of its own end with it."""
    with subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def _wait(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-400:] if log.exists() else ""
            raise RunnerError("an empty engine or its registry did not answer", log=said,
                              hint="run it again, or leave it out with --only")
        time.sleep(0.2)


def _answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _stored(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("data") if path.is_file())
