from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cp_whisperx.images.engine import Engine
from tests.images.containers import FakeDocker, absent, real_engine
from tests.images.servers import TOOLS, registry_in


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """A healthy engine that only says so."""
    fake = FakeDocker(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return fake


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine of this machine."""
    return real_engine()


@pytest.fixture
def work() -> Iterator[Path]:
    """For servers of a test's own."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        absent(f"an empty builder needs {', '.join(missing)}: run .ci/docker")
    if os.getuid() != 0:
        absent("only root can start an empty builder")
    # A socket's path is short, and nothing of an engine is worth keeping.
    folder = Path("/tmp") / f"cp-whisperx-servers-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def registry(work: Path) -> Iterator[str]:
    """An empty registry, for the length of the test."""
    with registry_in(work) as port:
        yield f"127.0.0.1:{port}"
