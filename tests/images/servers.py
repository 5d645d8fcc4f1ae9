"""Registries and engines of a test's own, on this machine, gone when it ends.

The engine is in namespaces of its own: it shares no network, no mounts and no processes with that of this machine.
"""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.errors import RunnerError
from cp_whisperx.images.engine import Engine, find
from cp_whisperx.images.turn import lock_of

LIMIT_S = 60
TOOLS = ("dockerd", "docker-registry", "unshare", "ip")
_CHUNK = 1 << 16
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
[ "$2" = 0 ] || mount -t tmpfs -o "size=$2m" tmpfs "$1/engine"
docker-registry serve "$1/registry.yml" > "$1/registry-2.log" 2>&1 &
exec dockerd --config-file "$1/daemon.json" --data-root "$1/engine" --exec-root /run/docker \\
    --pidfile /run/docker.pid --host "unix://$1/socket" > "$1/engine.log" 2>&1
"""
"""A second dockerd in the network of the first would take its bridge away: hence the namespaces."""


@contextmanager
def registry_in(work: Path) -> Iterator[int]:
    """The port of an empty registry."""
    port = free_port()
    (work / "registry.yml").write_text(_REGISTRY.format(storage=work / "registry", port=port))
    with (work / "registry.log").open("w") as log, ended(
            ["docker-registry", "serve", str(work / "registry.yml")], stdout=log, stderr=log):
        wait_for(lambda: answers(port), work / "registry.log")
        yield port


@contextmanager
def empty_builder(work: Path, monkeypatch: pytest.MonkeyPatch, *, disk_mb: int = 0) -> Iterator[Engine]:
    """An engine that reaches nothing but a copy of the registry in `work`; with a disk of its own of that size."""
    (work / "engine").mkdir()
    (work / "daemon.json").write_text('{"features": {"containerd-snapshotter": true}}')
    apart = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with ended([*apart, "sh", "-c", _ENGINE, "sh", str(work), str(disk_mb)]), monkeypatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{work}/socket")
        wait_for(engine_answers, work / "engine.log")
        engine = find()
        yield engine
        lock_of(engine).unlink(missing_ok=True)


@contextmanager
def ended(command: list[str], **options: Any) -> Iterator[None]:
    """The process, which does not outlive the block; those that it started in namespaces of its own end with it."""
    with subprocess.Popen(command, **options) as process:
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




class Gate:
    """What stands before a registry and can go away: it passes everything on until told what to break at."""

    def __init__(self, behind: int) -> None:
        self._behind = behind
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._fatal: Callable[[bytes], bool] = lambda data: False
        self._lock = threading.Lock()
        self.port = free_port()

    def open(self, fatal: Callable[[bytes], bool] = lambda data: False) -> None:
        """Lets through; what a client sends is shown to `fatal`, which says when the registry is gone."""
        self._fatal = fatal
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    @property
    def is_open(self) -> bool:
        return self._listener is not None

    def shut(self) -> None:
        """Every connection ends in the middle of what it was saying, and no new one is taken."""
        with self._lock:
            listener, self._listener = self._listener, None
            for one in (*self._open, *((listener,) if listener else ())):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._behind))
                with self._lock:
                    self._open |= {client, server}
                threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, watched: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if watched and self._fatal(data):
                    self.shut()
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
