"""Jobs on which one stage can be run: everything before it has been done, on this machine, without containers."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx import pipeline, settings
from cp_whisperx.job import LOG, RECORD, Job
from cp_whisperx.models.store import ModelStore
from cp_whisperx.runners.local import LocalRunner
from cp_whisperx.stages import STAGES
from scenes import SceneSpec

SHORT = SceneSpec(length_s=14, audio_codec="flac", picture="still", fps=12, width=160, height=90,
                  video_codec="mpeg4", lead_in_s=2.0, seed=3)
SMALLEST = "tiny.en"


@dataclass(frozen=True)
class Done:
    """A job as a local run leaves it."""

    job: Job
    models: ModelStore

    def before(self, stage: str, folder: Path, *, user: int | None = None, group: int | None = None) -> Job:
        """A copy in which `stage` and what follows are still to be done; owned by `user` and `group` if given."""
        target = folder / self.job.id
        names = [one.name for one in STAGES]
        shutil.copytree(self.job.folder, target, ignore=lambda _, found: [
            name for name in found if name in names[names.index(stage):] or name.endswith(".lock")])
        for path in (target, *target.rglob("*")):
            if user is not None and group is not None:
                os.chown(path, user, group)
            # Those of its group may write, as on a volume that is shared between users.
            path.chmod(0o775 if path.is_dir() else 0o664)
        return Job.open(target)


def run_natively(film: Path, jobs: Path, models: ModelStore, *, until: str | None = None) -> Done:
    """All stages, or those before `until`."""
    job = pipeline.prepare(film, settings.load({"jobs": jobs, "device": "cpu", "stages.asr.model": SMALLEST}))
    for stage in STAGES:
        if stage.name == until:
            break
        pipeline.run(job, models, LocalRunner(models.root, quiet=True), only=stage.name)
    return Done(job, models)


def artifacts(folder: Path) -> dict[str, bytes]:
    """Every file that is a result: all but records and logs, which tell when and how long."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in (RECORD, LOG) and not path.name.endswith(".lock")}
