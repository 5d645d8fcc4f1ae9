from __future__ import annotations

import os
from pathlib import Path

import pytest

from cp_whisperx.images.engine import Engine
from tests.images.containers import FakeDocker, real_engine


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
