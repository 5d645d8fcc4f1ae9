"""Every image under every condition that a fleet may set: each cell runs the real stage on a real job.

A stage that joins the table has its row by that alone.
"""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from cp_whisperx.errors import INTERRUPTED
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import Image, select
from cp_whisperx.job import Job
from cp_whisperx.models.store import ModelStore
from cp_whisperx.stages import BY_NAME
from scenes import Scene, SceneSpec
from tests.images.containers import require_images
from tests.images.jobs import SHORT, Done, artifacts, run_natively

pytestmark = [pytest.mark.docker, pytest.mark.real]

IMAGES = select((), "cpu")
LIGHT_MB, HEAVY_MB = 512, 1200
"""Of a stage without a network of neurons, and of one with."""
LIMIT_S = 120
STOPPED_S = 1.0
HELD_S = 300


@dataclass(frozen=True)
class Condition:
    """`flags` of `docker run`; `user` and `group` run the stage and own the job, None means the caller."""

    flags: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None
    memory: bool = False


CONDITIONS: dict[str, Condition] = {
    "read-only root": Condition(("--read-only", "--tmpfs", "/tmp:mode=1777")),
    "any user and group": Condition(user=54321, group=54321),
    "no network": Condition(("--network", "none")),
    "no capabilities, any user of group 0": Condition(("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
                                                      user=54321, group=0),
    "noexec /tmp": Condition(("--tmpfs", "/tmp:noexec,nosuid,nodev,mode=1777")),
    "read-only models, no /tmp at all": Condition(("--read-only",)),
    "little memory": Condition(memory=True),
}
"""What works under two at once works under each, which only takes something away. The models are read-only in all of
them, lest a test harms the store of the machine it runs on."""


@pytest.fixture(scope="module")
def done(make_scene: Callable[[SceneSpec], Scene], models: ModelStore, engine: Engine,
         tmp_path_factory: pytest.TempPathFactory) -> Done:
    require_images(IMAGES)
    film = make_scene(SHORT).film
    film.chmod(0o644)
    return run_natively(film, tmp_path_factory.mktemp("native"), models)


def container(engine: Engine, image: Image, job: Job, models: Path, condition: Condition, *flags: str) -> list[str]:
    """The command up to and with the image."""
    user = os.getuid() if condition.user is None else condition.user
    group = os.getgid() if condition.group is None else condition.group
    stage = BY_NAME[image.stage]
    memory = f"{HEAVY_MB if stage.image.gpu else LIGHT_MB}m"
    film = job.request.film
    return [engine.command, "run", "--pull", "never", "--user", f"{user}:{group}",
            *condition.flags, *(("--memory", memory, "--memory-swap", memory) if condition.memory else ()),
            "--mount", f"type=bind,source={job.folder},target=/job",
            "--mount", f"type=bind,source={models},target=/models,readonly",
            *(("--mount", f"type=bind,source={film},target={film},readonly") if stage.reads_film else ()),
            *flags, image.reference()]


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.target)
def test_every_image_works_under(engine: Engine, done: Done, tmp_path: Path, image: Image, name: str) -> None:
    condition = CONDITIONS[name]
    if condition.user is not None and os.getuid() != 0:
        pytest.skip("only root can give a job to another user")
    job = done.before(image.stage, tmp_path, user=condition.user, group=condition.group)
    command = container(engine, image, job, done.models.root, condition, "--rm")
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    made = job.stage_folder(image.stage)
    assert artifacts(made) == artifacts(done.job.stage_folder(image.stage)), "are the images built from this code?"
    assert not job.partial(image.stage).exists()
    if condition.user is not None:
        owners = {(path.stat().st_uid, path.stat().st_gid) for path in (made, *made.rglob("*"))}
        assert owners == {(condition.user, condition.group)}


HELD = f"""
import sys, time
from cp_whisperx.job import Job
from cp_whisperx.stages.__main__ import main
begin = Job.open_partial
def hold(self, *arguments, **options):
    folder = begin(self, *arguments, **options)
    (folder / "half").write_bytes(b"made")
    print("held at work", file=sys.stderr, flush=True)
    time.sleep({HELD_S})
Job.open_partial = hold
sys.exit(main())
"""
"""The stage as the image has it, held at the moment when it has begun to write: however fast it is, the signal
finds it at work."""


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.target)
def test_sigterm_ends_every_image_within_a_second(engine: Engine, done: Done, tmp_path: Path, image: Image,
                                                  record_property: Callable[[str, object], None]) -> None:
    seconds: list[float] = []
    # The machine may be busy with something else once; the stage must not be.
    while not seconds or (min(seconds) > STOPPED_S and len(seconds) < 3):
        job = done.before(image.stage, tmp_path / str(len(seconds)))
        seconds.append(stopped_after_s(engine, done, image, job))
        assert not job.stage_folder(image.stage).exists()
        assert job.partial(image.stage).exists() == BY_NAME[image.stage].resumes, "a half-made folder is left"
    record_property("stopped_after_s", round(min(seconds), 3))
    assert min(seconds) <= STOPPED_S


def stopped_after_s(engine: Engine, done: Done, image: Image, job: Job) -> float:
    """From the signal to the end, seconds of the engine's clock."""
    name = f"cp-whisperx-test-{uuid.uuid4().hex[:12]}"
    contract = CONDITIONS["read-only root"]
    command = container(engine, image, job, done.models.root, contract, "--detach", "--name", name,
                        "--entrypoint", "/usr/bin/python3.11")
    subprocess.run([*command, "-c", HELD, image.stage, "/job"], check=True, capture_output=True, timeout=LIMIT_S)
    try:
        deadline = time.monotonic() + LIMIT_S
        while "held at work" not in logs(engine, name):
            assert time.monotonic() < deadline, logs(engine, name)
            time.sleep(0.05)
        sent = time.time()
        engine.ask("kill", "--signal", "TERM", name)
        assert engine.ask("wait", name) == str(INTERRUPTED), logs(engine, name)
        assert f"[{image.stage}] [WARNING] stops: SIGTERM" in logs(engine, name)
        finished = engine.ask("inspect", "--format", "{{.State.FinishedAt}}", name)
        # To the microsecond: the engine writes nanoseconds.
        return datetime.fromisoformat(finished[:26] + "+00:00").timestamp() - sent
    finally:
        subprocess.run([engine.command, "rm", "--force", name], check=False, capture_output=True)


def logs(engine: Engine, name: str) -> str:
    done = subprocess.run([engine.command, "logs", name], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
