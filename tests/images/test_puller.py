"""The image that fills the model store: the only one with a network and an installer, under the contract otherwise."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cp_whisperx.images.build import own_certificates
from cp_whisperx.images.recipe import PULLER, images, select
from cp_whisperx.models.store import ModelStore
from tests.images.containers import real_engine, require_images

pytestmark = pytest.mark.docker


def test_no_stage_has_an_installer_and_the_puller_is_built_by_name() -> None:
    assert PULLER not in images()
    assert select(("models",), "cpu") == (PULLER,)
    assert not [image for image in images() if "pull" in image.layers]


def pull(store: Path, *names: str, network: str = "bridge") -> subprocess.CompletedProcess[str]:
    engine = real_engine()
    require_images((PULLER,))
    own = own_certificates()
    trust = [] if own is None else ["--mount", f"type=bind,source={own},target=/own.crt,readonly",
                                    "--env", "PIP_CERT=/own.crt", "--env", "SSL_CERT_FILE=/own.crt"]
    return subprocess.run(
        [engine.command, "run", "--rm", "--read-only", "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL",
         "--security-opt", "no-new-privileges", "--user", "54321:0", "--network", network, *trust,
         "--mount", f"type=bind,source={store},target=/models", PULLER.reference(), "pull", *names],
        capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    folder.chmod(0o775)
    os.chown(folder, -1, 0)
    return folder


def test_models_are_pulled_by_any_uid(store: Path) -> None:
    done = pull(store, "silero-vad")
    assert done.returncode == 0, done.stderr
    assert ModelStore(store).verify("silero-vad") == []
    assert done.stdout.strip() == f"/models/{ModelStore(store).path('silero-vad').name}"
    assert {path.stat().st_uid for path in ModelStore(store).path("silero-vad").iterdir()} == {54321}


def test_without_a_network_there_is_one_sentence(store: Path) -> None:
    done = pull(store, "silero-vad", network="none")
    assert done.returncode == 5
    assert "no source gave the model silero-vad" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [path for path in store.iterdir() if not path.name.startswith(".")]
