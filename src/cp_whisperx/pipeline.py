"""From a film to a job, from a job to its result: what is to be done, in order, and how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cp_whisperx import log as logs
from cp_whisperx import publish
from cp_whisperx.artifacts import SubtitledFilm, Subtitles
from cp_whisperx.errors import ArtifactInvalid, ConfigError, CpWhisperxError, ModelMissing
from cp_whisperx.job import LOG, Job, Request
from cp_whisperx.media import probe, tracks
from cp_whisperx.models.store import ModelStore
from cp_whisperx.names import corrections
from cp_whisperx.runners import Runner
from cp_whisperx.settings import Settings
from cp_whisperx.stage import Stage, is_current
from cp_whisperx.stages import STAGES, post_ner, pre_ner
from cp_whisperx.timeline import Span

_log = logs.get(__name__)
_CORRECTED = (pre_ner.STAGE.name, post_ner.STAGE.name)

State = Literal["done", "stale", "missing", "failed", "running"]


@dataclass(frozen=True, slots=True)
class StageStatus:
    """`stale`: done, but its options, inputs or models are others now; `share` is set while it is running."""

    name: str
    state: State
    seconds: float | None = None
    rtf: float | None = None
    share: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    name: str
    status: Literal["done", "skipped", "failed"]
    seconds: float | None
    rtf: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a run gives. `film` is None if there was nothing to put subtitles into, and `note` says why."""

    job: Job
    language: str
    subtitles: tuple[Path, ...]
    film: Path | None
    note: str
    cues: int
    warnings: tuple[str, ...]
    stages: tuple[Ran, ...]
    first_cues: tuple[str, ...]


def prepare(film: Path, settings: Settings, clip: Span | None = None) -> Job:
    """Makes the job of a film, after a look at it: nothing is left behind for what cannot be worked on.

    Raises MediaError for what is no film or has no sound, ConfigError for options that contradict it.
    """
    options = settings.stage_options
    media = probe.probe(film)
    tracks.choose(media, language=options["demux"]["language"], index=options["demux"]["track"])
    if clip and media.duration_s and clip.start >= media.duration_s:
        raise ConfigError(f"--start is behind the end of the film ({media.duration_s:.1f} s)",
                          hint="give times within the film")
    if clip and media.duration_s:
        clip = Span(clip.start, min(clip.end, round(media.duration_s, 3)))
    gathered = {stage.name: stage.gather(stage.options.model_validate(options[stage.name]), media)
                for stage in STAGES if stage.gather}
    request = Request(film=str(film.absolute()), fingerprint=publish.fingerprint(film), clip=clip, options=options,
                      gathered=gathered, device=settings.device, threads=settings.threads)
    return with_corrections(Job.create(settings.jobs, request)).asked()


def with_corrections(job: Job) -> Job:
    """The job with what its names.toml says now in its request: a changed file makes the stages that read it stale.

    Raises ConfigError for a file that cannot be used.
    """
    said = corrections.read(job.folder)
    gathered = {stage: values for stage, values in job.request.gathered.items() if stage not in _CORRECTED}
    if said.add:
        gathered[pre_ner.STAGE.name] = {"add": list(said.add)}
    if said.veto:
        gathered[post_ner.STAGE.name] = {"veto": [str(veto) for veto in said.veto]}
    return Job(job.folder, job.request.model_copy(update={"gathered": gathered}))


def run(job: Job, models: ModelStore, runner: Runner, *, only: str | None = None,
        on_stage: Callable[[str], None] = lambda name: None) -> tuple[Ran, ...]:
    """Runs the stages that are not current; `only` runs the one stage of that name.

    Raises ModelMissing before anything is done, and the error of the first stage that fails.
    """
    stages = [stage for stage in STAGES if only in (None, stage.name)]
    with job.locked():
        job = with_corrections(job).asked()
        for stage in STAGES:
            job.recover(stage.name)
        _require_models(job, stages, models)
        ran = []
        for stage in stages:
            on_stage(stage.name)
            status: Literal["done", "skipped"] = "skipped" if is_current(stage, job, models) else "done"
            if status == "done":
                runner.run(stage.name, job)
            record = job.record(stage.name)
            if record is None:
                raise ArtifactInvalid(f"{stage.name} ended well but left no record",
                                      hint=f"delete {job.folder} and run again")
            ran.append(Ran(stage.name, status, record.wall_s, record.rtf))
            if status == "skipped":
                _log.info(f"{stage.name} is up to date")
    return tuple(ran)


def result(job: Job, ran: tuple[Ran, ...]) -> Result:
    """Reads what a complete job made; raises ArtifactInvalid if a promised file is not there."""
    subtitles = Subtitles.read(job.stage_folder(Subtitles.stage))
    film = SubtitledFilm.read(job.stage_folder(SubtitledFilm.stage))
    files = tuple(job.stage_folder(Subtitles.stage) / file.file for file in subtitles.files)
    out = job.stage_folder(SubtitledFilm.stage) / film.file if film.file else None
    for path in (*files, *((out,) if out else ())):
        if not path.is_file():
            raise ArtifactInvalid(f"{path} is missing", hint=f"delete {path.parent} and run again")
    records = (job.record(stage.name) for stage in STAGES)
    return Result(job, subtitles.language, files, out, film.reason, len(subtitles.cues),
                  tuple(warning for record in records if record for warning in record.warnings), ran,
                  tuple(" / ".join(cue.lines) for cue in subtitles.cues[:3]))


def status(job: Job, models: ModelStore) -> tuple[StageStatus, ...]:
    """A view computed from the records; a stage behind a stale one is stale too."""
    job = with_corrections(job)
    found = []
    upstream_stale: set[str] = set()
    for stage in STAGES:
        found.append(_stage_status(stage, job, models, stale=any(kind.stage in upstream_stale
                                                                 for kind in stage.needs)))
        if found[-1].state != "done":
            upstream_stale.add(stage.name)
    return tuple(found)


def jobs(folder: Path) -> tuple[Job, ...]:
    """The jobs in a folder, newest first."""
    if not folder.is_dir():
        return ()
    places = sorted(folder.glob("*/request.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    found = []
    for path in places:
        try:
            found.append(Job.open(path.parent))
        except CpWhisperxError as error:
            _log.warning(f"left out: {error.message}")
    return tuple(found)


def find_job(name: str, folder: Path) -> Job:
    """By id or by path."""
    path = Path(name)
    return Job.open(path if (path / "request.json").is_file() else folder / name)


def _stage_status(stage: Stage[Any, Any], job: Job, models: ModelStore, *, stale: bool) -> StageStatus:
    record = job.record(stage.name)
    seconds, rtf = (record.wall_s, record.rtf) if record else (None, None)
    if (share := job.progress(stage.name)) is not None and _is_locked(job, stage.name):
        return StageStatus(stage.name, "running", share=share)
    if failure := job.failure(stage.name):
        said = failure.error.message if failure.error else ""
        return StageStatus(stage.name, "failed", failure.wall_s, error=f"{said} (log: {job.partial(stage.name) / LOG})")
    if record is None:
        return StageStatus(stage.name, "missing")
    try:
        current = not stale and is_current(stage, job, models)
    except CpWhisperxError:
        current = False
    return StageStatus(stage.name, "done" if current else "stale", seconds, rtf)


def _is_locked(job: Job, what: str) -> bool:
    try:
        with job.locked(what):
            return False
    except CpWhisperxError:
        return True


def _require_models(job: Job, stages: list[Stage[Any, Any]], models: ModelStore) -> None:
    """Every model of every stage to be run is there before the first begins: hours are not lost to the last."""
    missing: list[tuple[str, ModelMissing]] = []
    for stage in stages:
        for name in stage.models(stage.parse(job)):
            try:
                models.path(name)
            except ModelMissing as error:
                missing.append((name, error))
    if len(missing) == 1:
        raise missing[0][1]
    if missing:
        names = [name for name, _ in missing]
        raise ModelMissing(f"the models {', '.join(names[:-1])} and {names[-1]} are not ready: {missing[0][1].message}",
                           hint="run: cp-whisperx models pull " + " ".join(names))
