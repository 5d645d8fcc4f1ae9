"""Engines to test with: the real one of this machine, and one that only says what it is told to."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from cp_whisperx.errors import RunnerError
from cp_whisperx.images import engine, recipe
from cp_whisperx.images.build import BuildPlan
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import Image

ROOT = Path(__file__).parent.parent.parent
REQUIRED = "CP_WHISPERX_IMAGES"
"""Set in CI, where an engine and the images must be there."""
BASE = os.environ.get("CP_WHISPERX_TEST_BASE", "127.0.0.1:5000/base:bookworm")
"""What builds in tests start from: `cp-whisperx images base` makes it."""

_BINARY = """#!{python}
import hashlib, json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
line = " ".join(sys.argv[1:])
seen = {{name: os.environ[name] for name in os.environ if name.isupper()}}
with open(os.path.join(here, "calls.jsonl"), "a") as file:
    file.write(json.dumps({{"arguments": sys.argv[1:], "environment": seen, "cwd": os.getcwd()}}) + "\\n")
with open(os.path.join(here, "answers.json")) as file:
    answers = json.load(file)
names = os.path.join(here, "names.json")
given = json.load(open(names)) if os.path.exists(names) else {{}}
matching = [start for start in answers if line.startswith(start)]
if "--metadata-file" in sys.argv:
    place = sys.argv[sys.argv.index("--metadata-file") + 1]
    with open(place, "w") as file:
        json.dump({{target: {{"containerimage.digest": "sha256:" + hashlib.sha256(target.encode()).hexdigest()}}
                   for target in sys.argv}}, file)
elif not matching and line.startswith("image tag "):
    given[sys.argv[4]] = sys.argv[3]
    with open(names, "w") as file:
        json.dump(given, file)
    sys.exit(0)
elif not matching and line.startswith("image inspect "):
    for name in sys.argv[5:]:
        if name in given:
            print(given[name], json.dumps([one for one in given if given[one] == given[name]]))
    sys.exit(not set(sys.argv[5:]) <= given.keys())
code, out, err = answers[max(matching, key=len)] if matching else (1, "", "unknown command: " + line)
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
"""

INFO = {"ServerVersion": "26.1.5", "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
        "Runtimes": {"runc": {}}, "DockerRootDir": "/nowhere"}
WELL: Mapping[str, tuple[int, str, str]] = {
    "info": (0, json.dumps(INFO), ""),
    "buildx version": (0, "github.com/docker/buildx v0.13.1 abcdef0\n", ""),
    "buildx bake": (0, "", ""),
}


@dataclass(frozen=True)
class Call:
    arguments: list[str]
    environment: dict[str, str]
    cwd: str


class FakeDocker:
    """A `docker` that comes first on PATH, notes how it is called and answers by the start of the command line.

    A build that is asked for ids gives some, and unless it is told otherwise it remembers the names of images.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        binary = folder / "docker"
        binary.write_text(_BINARY.format(python=sys.executable))
        binary.chmod(0o755)
        self.says(WELL)

    def says(self, answers: Mapping[str, tuple[int, str, str]]) -> None:
        """Exit code, stdout and stderr by the start of the arguments; the longest start that fits counts."""
        (self._folder / "answers.json").write_text(json.dumps(dict(answers)))

    def info(self, **changes: object) -> None:
        """A healthy engine, but for this in its `docker info`."""
        self.says({**WELL, "info": (0, json.dumps(INFO | changes), "")})

    def calls(self, *start: str) -> list[Call]:
        """How it was called, where the arguments start so."""
        path = self._folder / "calls.jsonl"
        made = [Call(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []
        return [call for call in made if call.arguments[:len(start)] == list(start)]


@functools.cache
def _find() -> Engine | str:
    try:
        return engine.find()
    except RunnerError as error:
        return error.message


def real_engine() -> Engine:
    """Skips the test, or fails it in CI, where there is none."""
    found = _find()
    return found if isinstance(found, Engine) else absent(found)


def require_images(images: Iterable[Image]) -> None:
    """Skips the test, or fails it in CI, if one of the images has not been built."""
    for image in images:
        _require(image.reference(), "the image {} is not here: cp-whisperx images build")


def require_base() -> str:
    """A base that builds here can start from."""
    try:
        return f"{BASE}@{real_engine().resolve(BASE)}"
    except RunnerError:
        absent(f"the base {BASE} is not in its registry: cp-whisperx images base")


@functools.cache
def _has(reference: str) -> bool:
    try:
        real_engine().ask("image", "inspect", "--format", "{{.Id}}", reference)
    except RunnerError:
        return False
    return True


def _require(reference: str, reason: str) -> None:
    if not _has(reference):
        absent(reason.format(reference))


def absent(reason: str) -> NoReturn:
    """In CI nothing may be absent."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def forget(engine: Engine, plan: BuildPlan) -> None:
    """Takes every name of the images away from the engine."""
    said = plan.environment()
    for image in plan.images:
        for suffix in ("", f"-{said['VERSION']}", f"-{said['REVISION']}"):
            with contextlib.suppress(RunnerError):
                engine.ask("image", "rm", "--force", image.reference(plan.registry, suffix))


def copy_of_the_clone(folder: Path) -> Path:
    """What a build reads, in another folder, under the same commit: other jobs may edit the clone meanwhile."""
    for name in ("docker", "requirements", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    shutil.copy2(ROOT / ".dockerignore", folder / ".dockerignore")
    recipe.generate(folder)
    return folder
