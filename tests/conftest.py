"""What all tests share: the real media that lies beside the project, the model store, small scenes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cp_whisperx.models.store import ModelStore
from scenes import Scene, SceneSpec, build

_ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def unconfigured_log() -> Iterator[None]:
    """What an entry point sets up ends with its test. pytest hands records on from a logger that it finds closed, so
    that one which a test opens again would hand them on twice."""
    root = logging.getLogger("cp_whisperx")
    before = root.handlers[:], root.level
    root.propagate = True
    yield
    root.handlers[:], root.level = before
    root.propagate = True


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Real test media with references: $CP_WHISPERX_MEDIA, else beside the project. Required in CI."""
    folder = Path(os.environ.get("CP_WHISPERX_MEDIA") or _ROOT.parent / "shared" / "media")
    if not (folder / "README.md").is_file():
        reason = f"the shared test media is not at {folder} (set CP_WHISPERX_MEDIA)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def models() -> ModelStore:
    """The user's store; `make test` fills it before it starts pytest."""
    return ModelStore()


@pytest.fixture(scope="session")
def make_scene(tmp_path_factory: pytest.TempPathFactory) -> Callable[[SceneSpec], Scene]:
    """Builds a scene once per session and specification."""
    made: dict[SceneSpec, Scene] = {}

    def make(spec: SceneSpec) -> Scene:
        if spec not in made:
            made[spec] = build(spec, tmp_path_factory.mktemp("scene"))
        return made[spec]

    return make
