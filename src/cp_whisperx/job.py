"""One folder per job: the request goes in, one folder with one record per stage comes out.

    out/<job-id>/request.json        the film and the resolved options
    out/<job-id>/<stage>/            artifact.json and its files, record.json, log.jsonl: complete, or not there
    out/<job-id>/.<stage>.partial/   a stage at work, or what a failed or killed one left

Nobody writes into another's folder, and what the job's state is follows from the records alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from cp_whisperx import publish
from cp_whisperx.artifacts import Frozen
from cp_whisperx.errors import ArtifactInvalid, ConfigError, RunnerError, no_space
from cp_whisperx.timeline import Span

REQUEST = "request.json"
RECORD = "record.json"
LOG = "log.jsonl"
KEY = "key"
PROGRESS = "progress"
_NOT_OUTPUT = frozenset((RECORD, LOG, KEY, PROGRESS))


class Request(Frozen):
    """What was asked. `options` are keyed by stage; `device` and `threads` change no artifact's meaning.

    `gathered`, keyed by stage, is what lay outside of the job when it was made: an .nfo beside the film, a file that
    an option names.
    """

    schema_version: int = 1
    film: str
    fingerprint: str
    clip: Span | None = None
    options: Mapping[str, Mapping[str, Any]]
    gathered: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    device: str = "auto"
    threads: int = 0

    @property
    def name(self) -> str:
        """The film's file name without its suffix: what its subtitles are named by."""
        return Path(self.film).stem


class Failure(Frozen):
    type: str
    message: str
    hint: str
    exit_code: int


class Output(Frozen):
    size: int
    digest: str


class Record(Frozen):
    """How a stage ended. Times and machine are here, never in the artifact."""

    stage: str
    key: str
    status: Literal["done", "failed"]
    started_at: str
    wall_s: float
    rtf: float | None = None
    """Real-time factor: wall seconds per second of film heard."""
    peak_rss_mb: float
    facts: Mapping[str, str] = Field(default_factory=dict)
    """Engine, versions, device, runner: whatever explains the result without being part of it."""
    warnings: tuple[str, ...] = ()
    inputs: Mapping[str, str] = Field(default_factory=dict)
    outputs: Mapping[str, Output] = Field(default_factory=dict)
    error: Failure | None = None

    @property
    def output_digest(self) -> str:
        return _digest_of({name: output.digest for name, output in self.outputs.items()})


class Job:
    """Knows names and folders, not what a stage is."""

    def __init__(self, folder: Path, request: Request) -> None:
        self.folder = folder
        self.request = request
        self.id = folder.name

    @classmethod
    def create(cls, jobs: Path, request: Request) -> Job:
        """Makes the job of this film and clip, or gives the one that is there its new request."""
        return cls(jobs.absolute() / job_id(request), request).asked()

    def asked(self) -> Job:
        """The same job, its request on the disk."""
        folder = self.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            data = self.request.model_dump_json(indent=1).encode() + b"\n"
            if not (folder / REQUEST).exists() or (folder / REQUEST).read_bytes() != data:
                publish.publish_file(folder / REQUEST, data)
        except NotADirectoryError:
            raise ConfigError(f"{folder} cannot be made: a part of that path is a file",
                              hint="choose another folder with --out") from None
        except OSError as error:
            raise no_space(error, folder) or ConfigError(f"{folder} cannot be made ({error.strerror})",
                                                         hint="choose another folder with --out") from error
        return self

    @classmethod
    def open(cls, folder: Path) -> Job:
        try:
            request = Request.model_validate_json((folder / REQUEST).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            raise ConfigError(f"there is no job at {folder}", hint="`cp-whisperx status` lists the jobs; "
                              "`cp-whisperx prepare FILM` makes one") from None
        except ValidationError as error:
            raise ArtifactInvalid(f"{folder / REQUEST} cannot be read as a request",
                                  hint="make the job anew with `cp-whisperx prepare FILM`", log=str(error)) from error
        return cls(folder.absolute(), request)

    def stage_folder(self, stage: str) -> Path:
        return self.folder / stage

    def partial(self, stage: str) -> Path:
        return self.folder / f".{stage}.partial"

    def record(self, stage: str) -> Record | None:
        """The record of a complete stage folder; None if there is none that can be read."""
        return _read_record(self.stage_folder(stage) / RECORD)

    def failure(self, stage: str) -> Record | None:
        """The record of the last run, if that failed and none has succeeded since."""
        record = _read_record(self.partial(stage) / RECORD)
        return record if record and record.status == "failed" else None

    def progress(self, stage: str) -> float | None:
        """Share done of a stage that is at work, 0..1."""
        with contextlib.suppress(OSError, ValueError):
            return float((self.partial(stage) / PROGRESS).read_text())
        return None

    def intact(self, record: Record) -> bool:
        """True if every file of the stage is there with the digest that its record gives."""
        folder = self.stage_folder(record.stage)
        for name, output in record.outputs.items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != output.size or publish.digest(path) != output.digest:
                return False
        return True

    def open_partial(self, stage: str, key: str, *, keep: bool) -> Path:
        """The folder a stage works in. With `keep`, one that was left by a run with the same key goes on."""
        partial = self.partial(stage)
        if partial.exists():
            same = keep and (partial / KEY).exists() and (partial / KEY).read_text() == key
            if same:
                (partial / RECORD).unlink(missing_ok=True)
                return partial
            publish.remove(partial)
        partial.mkdir()
        (partial / KEY).write_text(key)
        return partial

    def close_partial(self, record: Record) -> Record:
        """Completes the record with what the stage wrote and publishes the folder."""
        partial = self.partial(record.stage)
        for name in (KEY, PROGRESS):
            (partial / name).unlink(missing_ok=True)
        outputs = {
            path.relative_to(partial).as_posix(): Output(size=path.stat().st_size, digest=publish.digest(path))
            for path in sorted(partial.rglob("*"))
            if path.is_file() and path.name not in _NOT_OUTPUT
        }
        record = record.model_copy(update={"outputs": outputs})
        publish.publish_file(partial / RECORD, _json(record))
        publish.publish_folder(partial, self.stage_folder(record.stage))
        return record

    def fail(self, record: Record, *, keep: bool) -> None:
        """Leaves the failed record and the log; the half-made files go, unless a rerun continues with them."""
        partial = self.partial(record.stage)
        if not keep:
            for path in sorted(partial.rglob("*"), reverse=True):
                if path.name != LOG:
                    path.rmdir() if path.is_dir() else path.unlink()
        publish.publish_file(partial / RECORD, _json(record))

    def recover(self, stage: str) -> None:
        """Ends a publication that a crash cut between its last two steps."""
        partial = self.partial(stage)
        record = _read_record(partial / RECORD)
        if record and record.status == "done":
            publish.publish_folder(partial, self.stage_folder(stage))
        aside = self.folder / f".{stage}.old"
        if aside.exists():
            if self.stage_folder(stage).exists():
                publish.remove(aside)
            else:
                publish.rename(aside, self.stage_folder(stage))

    @contextlib.contextmanager
    def locked(self, what: str = "job") -> Iterator[None]:
        """One process at a time. The lock goes with its process, however that ends.

        Raises RunnerError at once if another process holds it.
        """
        with (self.folder / f".{what}.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                holder = file.read().strip() or "another process"
                raise RunnerError(f"{what if what != 'job' else 'job ' + self.id} is at work in {holder}",
                                  hint=f"`cp-whisperx status {self.id}` shows how far it is") from None
            file.truncate(0)
            file.write(f"process {os.getpid()} on {os.uname().nodename}")
            file.flush()
            yield


def job_id(request: Request) -> str:
    """Readable, and the same for the same film, task and clip: `my-film-1a2b3c4d`, `…-translate`, `…-60-90`.

    A clip or a translation stands beside the full transcript instead of replacing it.
    """
    ascii_name = unicodedata.normalize("NFKD", request.name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:40].strip("-") or "film"
    parts = [slug, request.fingerprint.rsplit(":", 1)[-1][:8]]
    if request.options.get("asr", {}).get("task") == "translate":
        parts.append("translate")
    if request.clip:
        parts += [f"{request.clip.start:g}", f"{request.clip.end:g}"]
    return "-".join(parts)


def _read_record(path: Path) -> Record | None:
    try:
        return Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _json(record: Record) -> bytes:
    return record.model_dump_json(indent=1).encode() + b"\n"


def _digest_of(value: object) -> str:
    import hashlib

    return "sha256:" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
