"""What a stage is, and the one way in which every stage runs.

A new stage is one file in `stages/` that ends in `STAGE = Stage(...)`, one line in `stages/__init__.py`, and
one test; if it brings a new value, one artifact in `artifacts.py` that names the stage.
"""

from __future__ import annotations

import hashlib
import json
import logging
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import ValidationError

from cp_whisperx import log as logs
from cp_whisperx import publish
from cp_whisperx.artifacts import Artifact, AudioTrack, Frozen
from cp_whisperx.errors import ArtifactInvalid, ConfigError, CpWhisperxError, EngineError, StageFailed, no_space
from cp_whisperx.job import LOG, PROGRESS, Failure, Job, Record
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.timeline import Span

if TYPE_CHECKING:
    from cp_whisperx.media.probe import Media

A = TypeVar("A", bound=Artifact)
Opts = TypeVar("Opts", bound="StageOptions")


class StageOptions(Frozen):
    """Base of the options of a stage. Every field carries its explanation and its unit."""


@dataclass(frozen=True)
class ImageNeeds:
    """What the image of a stage holds besides Python and the package: nothing else knows it."""

    layers: tuple[str, ...]
    """Requirement layers, in the order in which they are stacked (requirements/<layer>.txt)."""
    gpu: bool = False
    """True if the stage has a :cuda image beside its :cpu one."""
    cuda_layers: tuple[str, ...] = ()
    """Layers that its :cuda image has on top."""
    network: bool = False
    secrets: tuple[str, ...] = ()
    """Environment variables that may hold a key for that network; `<NAME>_FILE` may name a file with it. No other
    stage is given them, and they are in no file, argument or address of ours."""


class Inputs:
    """The artifacts a stage declared; reading another one fails, so that no need stays undeclared."""

    def __init__(self, job: Job, needs: tuple[type[Artifact], ...]) -> None:
        self._job = job
        self._artifacts = {kind: kind.read(job.stage_folder(kind.stage)) for kind in needs}

    def __getitem__(self, kind: type[A]) -> A:
        artifact = self._artifacts[kind]
        assert isinstance(artifact, kind)
        return artifact

    def file(self, kind: type[Artifact], name: str) -> Path:
        """Path of a file that the artifact of `kind` names."""
        path = self._job.stage_folder(kind.stage) / name
        if not path.is_file():
            raise ArtifactInvalid(f"{path} is missing", hint=f"delete {path.parent} and run the job again")
        return path


@dataclass(frozen=True)
class Tools:
    """Everything a stage may touch besides its inputs: all side effects in one visible argument."""

    work: Path
    """The folder to write in."""
    film: Path
    name: str
    """What files made for a person are named by."""
    clip: Span | None
    models: ModelStore
    device: str
    threads: int
    log: logging.Logger
    progress: Progress
    gathered: Mapping[str, Any] = field(default_factory=dict)
    """What the stage's `gather` found when the job was made."""
    facts: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        """For what a person should know although the stage succeeds."""
        self.warnings.append(message)
        self.log.warning(message)


@dataclass(frozen=True)
class Stage(Generic[Opts, A]):
    """One step of the pipeline. `version` is raised when the meaning of what it makes changes."""

    name: str
    version: int
    needs: tuple[type[Artifact], ...]
    makes: type[A]
    options: type[Opts]
    run: Callable[[Inputs, Opts, Tools], A]
    image: ImageNeeds
    reads_film: bool = False
    resumes: bool = False
    """True if a killed run leaves work in its folder with which the next one goes on."""
    models: Callable[[Opts], tuple[str, ...]] = lambda options: ()
    """The models that the options ask for, by name in the catalogue or by path."""
    gather: Callable[[Opts, Media], Mapping[str, Any]] | None = None
    """Reads what the stage needs from outside of the job, where and when the job is made: later, in a container or on
    another machine, there is nothing but the job, its film and the models. JSON values; they are part of the key."""

    def parse(self, job: Job) -> Opts:
        try:
            return self.options.model_validate(dict(job.request.options.get(self.name, {})))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"option {where} of {self.name}: {first['msg']}",
                              hint="`cp-whisperx config` shows every option with its meaning") from error


def stage_key(stage: Stage[Any, Any], job: Job, models: ModelStore) -> str | None:
    """sha256 over all that the artifact depends on; None while an input is missing.

    Device, runner and machine are not in it: moving a job must not redo it.
    """
    inputs = input_digests(stage, job)
    if inputs is None:
        return None
    options = stage.parse(job)
    parts = {
        "stage": stage.name,
        "version": stage.version,
        "options": options.model_dump(mode="json"),
        "inputs": inputs,
        "models": {name: models.digest(name) for name in stage.models(options)},
        "name": job.request.name,
        "film": job.request.fingerprint if stage.reads_film else "",
        **({"gathered": job.request.gathered[stage.name]} if stage.name in job.request.gathered else {}),
        "clip": [job.request.clip.start, job.request.clip.end] if stage.reads_film and job.request.clip else [],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def input_digests(stage: Stage[Any, Any], job: Job) -> Mapping[str, str] | None:
    digests = {}
    for kind in stage.needs:
        record = job.record(kind.stage)
        if record is None:
            return None
        digests[kind.stage] = record.output_digest
    return digests


def is_current(stage: Stage[Any, Any], job: Job, models: ModelStore) -> bool:
    """True if the stage has been done with just these inputs, options and models, and its files are intact."""
    record = job.record(stage.name)
    return record is not None and record.key == stage_key(stage, job, models) and job.intact(record)


def run_stage(stage: Stage[Any, Any], job: Job, models: ModelStore, *, runner: str = "local") -> Record:
    """Runs a stage unless it is current, and publishes its folder with its record.

    Raises the stage's own error after recording it; anything unforeseen becomes StageFailed with the log's
    path. This is the one place that catches everything.
    """
    with job.locked(stage.name):
        job.recover(stage.name)
        if is_current(stage, job, models):
            current = job.record(stage.name)
            assert current is not None
            logs.get(stage.name).info("already done")
            return current
        inputs = Inputs(job, stage.needs)
        options = stage.parse(job)
        key = stage_key(stage, job, models)
        assert key is not None
        film = Path(job.request.film)
        if stage.reads_film:
            _check_film(film, job)
        partial = job.open_partial(stage.name, key, keep=stage.resumes)
        log = logs.get(stage.name)
        handler = logs.to_file(partial / LOG)
        progress = Progress(stage.name, log, save=lambda share: _save_progress(partial, share))
        tools = Tools(partial, film, job.request.name, job.request.clip, models, job.request.device,
                      job.request.threads, log, progress, gathered=job.request.gathered.get(stage.name, {}),
                      facts={"runner": runner})
        started, began = time.monotonic(), time.time()

        def record(status: Literal["done", "failed"], heard: float | None, failure: Failure | None = None) -> Record:
            wall = time.monotonic() - started
            return Record(stage=stage.name, key=key, status=status, wall_s=round(wall, 3),
                          started_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
                          rtf=round(wall / heard, 5) if heard else None, peak_rss_mb=peak_rss_mb(),
                          facts=tools.facts, warnings=tuple(tools.warnings),
                          inputs=input_digests(stage, job) or {}, error=failure)

        log.info("started")
        try:
            artifact = stage.run(inputs, options, tools)
            artifact.write(partial)
            done = job.close_partial(record("done", _seconds_heard(job, artifact)))
        except Exception as error:
            progress.close()
            told = _told(error, stage.name, partial)
            log.error(told.message, exc_info=error,
                      extra={"hint": told.hint, logs.FILE_ONLY: True})
            failure = Failure(type=type(told).__name__, message=told.message, hint=told.hint,
                              exit_code=told.exit_code)
            _record_failure(job, record("failed", _seconds_heard(job), failure), keep=stage.resumes)
            raise told from error
        finally:
            progress.close()
            logs.detach(handler)
        rate = f", RTF {done.rtf:.3f}" if done.rtf is not None else ""
        log.info(f"done in {done.wall_s:.1f} s{rate}, peak memory {done.peak_rss_mb:.0f} MB")
        return done


def peak_rss_mb() -> float:
    """Highest resident memory of this process so far, MB."""
    try:
        # getrusage would count what the parent held when it started this process.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return round(int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6, 1)
    except (OSError, IndexError):
        pass
    # The kernel counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def _told(error: Exception, stage: str, partial: Path) -> CpWhisperxError:
    """The sentence for a person, whatever was raised."""
    log = str(partial / LOG)
    if isinstance(error, CpWhisperxError):
        error.log = error.log or log
        return error
    if isinstance(error, OSError) and (told := no_space(error, partial.parent)):
        told.log = log
        return told
    if isinstance(error, MemoryError):
        return EngineError(f"{stage} ran out of memory", hint="close other programs or choose a smaller --model",
                           log=log)
    return StageFailed(f"{stage} failed on something we did not foresee ({type(error).__name__}: {error})",
                       hint="the log has the details; please report it", log=log)


def _record_failure(job: Job, record: Record, *, keep: bool) -> None:
    """A disk too full for the record must not hide the error that filled it."""
    try:
        job.fail(record, keep=keep)
    except OSError as error:
        logs.get(record.stage).warning(f"the failure could not be recorded: {error}")


def _save_progress(partial: Path, share: float) -> None:
    (partial / PROGRESS).write_text(f"{share:.4f}")


def _seconds_heard(job: Job, made: Artifact | None = None) -> float | None:
    """Length of the sound that the job is about, once demux has made it."""
    if isinstance(made, AudioTrack):
        return made.duration_s or None
    try:
        return AudioTrack.read(job.stage_folder(AudioTrack.stage)).duration_s or None
    except CpWhisperxError:
        return None


def _check_film(film: Path, job: Job) -> None:
    if not film.is_file():
        raise ConfigError(f"the film {film} is no longer there", hint="bring it back, or make a new job")
    if publish.fingerprint(film) != job.request.fingerprint:
        raise ConfigError(f"the film {film} has changed since this job was made",
                          hint=f"make a new job: cp-whisperx run {film}")
