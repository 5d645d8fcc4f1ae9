"""Each stage in its own container, under one contract for all of them.

/job is writable, the film and /models are read-only, the root is read-only, /tmp is in memory; no capability, no
network but for the stages that say so, the uid of the caller. What is recorded is what a local run records.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cp_whisperx import log as logs
from cp_whisperx.errors import CpWhisperxError, RunnerError
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import Image, select
from cp_whisperx.job import Job
from cp_whisperx.models.store import is_path
from cp_whisperx.runners import child
from cp_whisperx.stage import Stage
from cp_whisperx.stages import BY_NAME

_log = logs.get("docker")

JOB, MODELS, KERNELS = "/job", "/models", "/cuda-cache"
SECRET_FILES = "/run/secrets"
_HOME = "/tmp"
_ENGINE_FAILED = 125


class DockerRunner:
    name = "docker"

    def __init__(self, engine: Engine, models: Path, *, registry: str = "", quiet: bool = False) -> None:
        """`models` is the root of the model store; `registry` is where the images were pulled from, if anywhere."""
        self._engine = engine
        self._models = models
        self._registry = registry
        self._quiet = quiet

    def run(self, stage: str, job: Job) -> None:
        image = self._image(stage, job)
        code, said = child.run(self.command(image, job))
        if code == _ENGINE_FAILED:
            raise RunnerError(f"the container of {stage} could not be started", hint="the engine's words are above")
        if code:
            raise _on_host(child.ended(code, said, stage, job), job)

    def command(self, image: Image, job: Job) -> list[str]:
        """Arguments of `docker run` for one stage."""
        stage = BY_NAME[image.stage]
        # What is not there is not mounted: the stage has the better sentence for it.
        readable = [(self._models, MODELS), *_own_models(stage, job)]
        if stage.reads_film:
            # At its own path, which is what the request names.
            readable.append((Path(job.request.film), job.request.film))
        secrets, names = _secrets(stage)
        readable += secrets
        mounts = [_mount(job.folder, JOB, writable=True),
                  *(_mount(source, target) for source, target in readable if source.exists())]
        return [*self._contract(image, mounts, network=stage.image.network),
                *(part for name in names for part in ("--env", name)), image.reference(self._registry),
                JOB, "--runner", self.name, "--stop-on-eof", *(("--quiet",) if self._quiet else ())]

    def warm(self, model: str) -> None:
        """Fills the cache of CUDA kernels that every :cuda container shares.

        Raises RunnerError if the engine offers no GPU, if the image is not here or if it fails.
        """
        (image,) = select(("asr",), "cuda")
        if not self._engine.gpu:
            raise RunnerError("the engine offers no GPU: there is nothing to warm",
                              hint="install the NVIDIA container toolkit, if there is a GPU")
        if not self._has(image):
            raise RunnerError(f"the image {image.reference(self._registry)} is not here",
                              hint="build it: cp-whisperx images build asr --variant cuda")
        self._engine.run(*self._contract(image, [_mount(self._models, MODELS)], network=False)[1:],
                         "--entrypoint", "/usr/bin/python3.11", image.reference(self._registry),
                         "-m", "cp_whisperx.engines.warm", model)

    def _contract(self, image: Image, mounts: Sequence[str], *, network: bool) -> list[str]:
        """`docker run` up to the image: what holds for every container of ours."""
        mounts = list(mounts)
        if image.variant == "cuda":
            # What the driver compiles for a new card takes 20 s, and would be lost with the container's root.
            kernels = self._models.parent / "cuda-cache"
            kernels.mkdir(parents=True, exist_ok=True)
            mounts.append(_mount(kernels, KERNELS, writable=True))
        return [
            self._engine.command, "run", "--rm", "--interactive", "--pull", "never",
            "--user", f"{os.getuid()}:{os.getgid()}", "--read-only", "--tmpfs", "/tmp:mode=1777",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "bridge" if network else "none",
            *(part for mount in mounts for part in ("--mount", mount)),
            *(("--gpus", "all") if image.variant == "cuda" else ())]

    def _image(self, stage: str, job: Job) -> Image:
        """:cuda where there is a GPU and its image, else :cpu; raises RunnerError if the image is not here."""
        images = {image.variant: image for image in select((stage,), None)}
        if job.request.device != "cpu" and "cuda" in images:
            if self._engine.gpu and self._has(images["cuda"]):
                return images["cuda"]
            if job.request.device == "cuda":
                why = "its :cuda image is not here" if self._engine.gpu else "the engine offers no GPU"
                _log.warning(f"{stage} runs in its :cpu image: {why}")
        if not self._has(images["cpu"]):
            raise RunnerError(f"the image {images['cpu'].reference(self._registry)} is not here",
                              hint="build the images: cp-whisperx images build")
        return images["cpu"]

    def _has(self, image: Image) -> bool:
        try:
            self._engine.ask("image", "inspect", "--format", "{{.Id}}", image.reference(self._registry))
        except CpWhisperxError:
            return False
        return True


def _own_models(stage: Stage[Any, Any], job: Job) -> Iterator[tuple[Path, str]]:
    """Models that are given by a path, each with the place where the stage will look for it in its container."""
    for name in stage.models(stage.parse(job)):
        if is_path(name):
            inside = _HOME + name[1:] if name.startswith("~/") else name
            yield Path(name).expanduser(), os.path.normpath(Path("/", inside))


def _secrets(stage: Stage[Any, Any]) -> tuple[list[tuple[Path, str]], list[str]]:
    """Files to mount, and what to pass on of the environment: by name alone, so that no value is an argument."""
    files, names = [], []
    for name in stage.image.secrets:
        if os.environ.get(name):
            names.append(name)
        elif (path := os.environ.get(f"{name}_FILE")) and Path(path).expanduser().is_file():
            inside = f"{SECRET_FILES}/{name.lower()}"
            files.append((Path(path).expanduser(), inside))
            names.append(f"{name}_FILE={inside}")
    return files, names


def _mount(source: Path, target: str, *, writable: bool = False) -> str:
    """A bind mount as the engine reads it: a CSV row, so that commas, quotes and newlines in names do no harm."""
    fields: Sequence[str] = ("type=bind", f"source={source.absolute()}", f"target={target}",
                             *(() if writable else ("readonly",)))
    text = io.StringIO()
    # The writer quotes what the end of a line consists of: a name may have either.
    csv.writer(text, lineterminator="\r\n").writerow(fields)
    return text.getvalue().removesuffix("\r\n")


def _on_host(error: CpWhisperxError, job: Job) -> CpWhisperxError:
    """The same error with paths that a person can open."""
    def host(text: str) -> str:
        return text.replace(f"{JOB}/", f"{job.folder}/")

    return type(error)(host(error.message), hint=host(error.hint), log=host(error.log))
