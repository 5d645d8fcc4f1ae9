"""What is measured beside each other: our images, and two plain sets (bench/baselines) from the same engine and base.

Each is built from a copy of the clone and under a registry name of its own, so that neither the clone nor the images
in use are touched.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.errors import ConfigError, RunnerError
from cp_whisperx.images import bases, clones, turn
from cp_whisperx.images.build import BuildPlan, build, forget
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import LAYERS, MARK, Image
from cp_whisperx.images.results import OURS, PLAIN, WHISPERX

_log = logs.get("measure")

REGISTRY = "cp-whisperx-measure"
CODE = "src/cp_whisperx/stages/subtitle_gen.py"
BASELINES = "bench/baselines"
_CACHE_ID = re.compile(r"\bid=cp-whisperx-(?=\w+,)")
_STEP = "--find-links /wheels"
_COLD = "cp-whisperx-cold"
"""By such words of a step, or of a cache mount, BuildKit's storage of it is found."""


class ImageSet:
    """Ten images of one kind. `name` is the word in the results."""

    name: str
    clone: Path
    images: tuple[Image, ...]
    python: str
    """The interpreter in the images, and where it looks for packages besides its own places."""
    python_path: str
    requirements: str
    """The file, in the clone, that a changed dependency is in."""
    dockerfile: str
    registry: str

    def build(self, *, cold: bool = False) -> float:
        """Builds all images; returns seconds of wall time. `cold`: no step and no download comes from a cache."""
        raise NotImplementedError

    def forget(self) -> None:
        """Takes the images, and what the engine keeps of their steps, out of it."""
        raise NotImplementedError

    def references(self) -> tuple[str, ...]:
        return tuple(image.reference(self.registry) for image in self.images)

    @contextmanager
    def edited(self, place: str) -> Iterator[Path]:
        """A file of the copy that is put back afterwards."""
        path = self.clone / place
        kept = path.read_text(encoding="utf-8")
        try:
            yield path
        finally:
            path.write_text(kept, encoding="utf-8")


class OurSet(ImageSet):
    name, python, python_path, dockerfile = OURS, "/usr/bin/python3.11", "/app:/site", "docker/Dockerfile"

    def __init__(self, plan: BuildPlan, engine: Engine, work: Path, *, layer: str) -> None:
        """`layer` is the one whose lock is changed. Raises ConfigError for a layer that no image of the plan has."""
        known = sorted({one for image in plan.images for one in image.layers})
        if layer not in known:
            raise ConfigError(f"no image of the plan has a layer called {layer}", hint="layers: " + ", ".join(known))
        self._engine = engine
        self.clone = clones.copy(plan.clone, work / OURS)
        self.images = plan.images
        self.requirements = f"requirements/{layer}.txt"
        self.registry = registry(OURS)
        self._plan = replace(plan, clone=self.clone, registry=self.registry, push=False, cache="", cache_to=False,
                             debug=False)

    def build(self, *, cold: bool = False) -> float:
        if not cold:
            # What the engine still clears away is of the build before.
            with turn.taken(self._engine):
                pass
            return _timed(lambda: build(self._plan, self._engine))
        with self.edited(self.dockerfile) as path:
            # Cache mounts outlive --no-cache; under names of their own they start empty.
            path.write_text(_CACHE_ID.sub(f"id={_COLD}{os.getpid()}-{time.time_ns()}-",
                                          path.read_text(encoding="utf-8")), encoding="utf-8")
            plan = replace(self._plan, no_cache=True)
            arguments, environment = plan.arguments(containerd=self._engine.containerd), plan.environment()
            return _timed(lambda: self._engine.run(*arguments, environment=environment, cwd=self.clone))

    def forget(self) -> None:
        forget(self._plan, self._engine)
        _prune(self._engine, _COLD)


class PlainSet(ImageSet):
    """bench/baselines: with the packages of our locks, or (`whisperx`) with the usual stack on a CPU build of torch."""

    python, python_path = "python3", "/app/src"
    requirements, dockerfile = "requirements.txt", f"{BASELINES}/Dockerfile"

    def __init__(self, plan: BuildPlan, engine: Engine, work: Path, *, whisperx: bool) -> None:
        self.name = WHISPERX if whisperx else PLAIN
        self._engine, self._plan = engine, plan
        # All that is committed: there is no ignore file, so all of it is in the context.
        self.clone = clones.copy(plan.clone, work / self.name, (".",))
        (self.clone / ".dockerignore").unlink(missing_ok=True)
        self.images = plan.images
        self.registry = registry(self.name)
        wanted = ((self.clone / BASELINES / "whisperx.txt").read_text(encoding="utf-8") if whisperx
                  else one_list(self.clone, {layer for image in plan.images for layer in image.layers}))
        (self.clone / self.requirements).write_text(wanted, encoding="utf-8")

    def build(self, *, cold: bool = False) -> float:
        """The first image, then the rest: ten at once would each unpack the same gigabytes beside each other."""
        first, *rest = (f"plain-{image.stage}" for image in self.images)

        def both() -> None:
            self._bake([first], no_cache=cold)
            if rest:
                self._bake(rest)
        return _timed(both)

    def _bake(self, targets: list[str], *, no_cache: bool = False) -> None:
        base = self._plan.base or bases.read(self.clone)[0].pinned
        arguments = ["buildx", "bake", "--file", f"{BASELINES}/docker-bake.hcl", "--provenance=false", "--sbom=false",
                     "--set", f"*.contexts.base=docker-image://{base}"]
        if self._plan.ca:
            arguments += ["--set", f"*.secrets=id=ca,src={self._plan.ca}"]
        if wheels := _wheels():
            arguments += ["--set", f"*.contexts.wheels={wheels}"]
        arguments += ["--no-cache"] if no_cache else []
        arguments += ["--set", "*.output=type=image"] if self._engine.containerd else ["--load"]
        self._engine.run(*arguments, *targets, cwd=self.clone,
                         environment={"STAGES": ",".join(image.stage for image in self.images),
                                      "REGISTRY": self.registry, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"})

    def forget(self) -> None:
        forget(replace(self._plan, registry=self.registry), self._engine)
        self.shrink()

    def shrink(self) -> None:
        """Drops what the engine keeps of earlier runs of the expensive step: gigabytes each time."""
        _prune(self._engine, _STEP)


def registry(name: str) -> str:
    """The name under which this process has the images of a set: another one may measure beside it."""
    return f"{REGISTRY}-{os.getpid()}-{name}"


def tidy(engine: Engine) -> None:
    """Takes away what measurements have left that were killed: images under the names of processes that are gone."""
    with suppress(RunnerError):
        names = engine.ask("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={REGISTRY}-*/*")
        if left := [name for name in names.split() if (pid := re.match(rf"{REGISTRY}-(\d+)-", name))
                    and not Path("/proc", pid[1]).exists()]:
            engine.ask("image", "rm", *left)


def one_list(clone: Path, layers: set[str]) -> str:
    """The packages of some of our locks as one requirements file: names and versions, as most projects write it."""
    rows = []
    for layer in LAYERS:
        if layer in layers:
            text = (clone / "requirements" / f"{layer}.txt").read_text(encoding="utf-8")
            rows += [line.rstrip(" \\") for line in text.splitlines() if re.match(r"\w", line)]
    return "\n".join(rows) + "\n"


def without_package(lock: str, run: int) -> str:
    """The lock without one of its packages, another one each run, and a comment that no earlier build has seen."""
    head, *packages = re.split(r"^(?=\w)", lock, flags=re.MULTILINE)
    if len(packages) > 1:
        del packages[run % len(packages)]
    return f"{head}{''.join(packages)}# measured {run} {time.time_ns()}\n"


def another_base(text: str, run: int) -> str:
    """A Dockerfile, of ours or of the plain set, on a base that has one more file: each step after it runs anew."""
    added = f"RUN echo {run} {time.time_ns()} > /etc/measured\n"
    head, mark, rest = text.partition(MARK)
    if (ours := "FROM base AS builder\n") in head:
        return head.replace(ours, f"FROM base AS another-base\n{added}FROM another-base AS builder\n") + mark + rest
    return text.replace("FROM base\n", f"FROM base\n{added}")


def _wheels() -> Path | None:
    """The folder of wheels that pip is told of on this machine, where it is one."""
    folders = (Path(word) for word in os.environ.get("PIP_FIND_LINKS", "").split())
    return next((folder for folder in folders if folder.is_dir()), None)


def _prune(engine: Engine, words: str) -> None:
    """Drops the parts of the build cache whose description has these words, and no others."""
    with suppress(RunnerError):
        for row in engine.ask("buildx", "du", "--verbose").split("\n\n"):
            if words in row and (found := re.search(r"(?m)^ID:\s+(\S+)", row)):
                engine.ask("buildx", "prune", "--force", "--filter", f"id={found[1]}")


def _timed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
