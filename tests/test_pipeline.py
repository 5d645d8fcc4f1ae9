from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cp_whisperx import pipeline, settings
from cp_whisperx.artifacts import Glossary
from cp_whisperx.errors import ArtifactInvalid, ConfigError, MediaError, ModelMissing
from cp_whisperx.job import Job
from cp_whisperx.models.store import ModelStore
from cp_whisperx.names import corrections
from cp_whisperx.names.corrections import Corrections
from cp_whisperx.runners.local import LocalRunner
from cp_whisperx.settings import Settings
from cp_whisperx.stages import STAGES
from cp_whisperx.timeline import Span
from scenes import Scene, SceneSpec

MUTE = SceneSpec(length_s=6, lead_in_s=5.0, music=False, picture="still", fps=6, width=96, height=64,
                 video_codec="mpeg4", speech_dbfs=-90.0)
"""Nobody is heard in it, so that every stage runs for real without a recogniser."""


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return settings.load({"jobs": tmp_path / "out"}, environment={})


@pytest.fixture
def film(make_scene: Callable[[SceneSpec], Scene], tmp_path: Path) -> Path:
    return Path(shutil.copy(make_scene(MUTE).film, tmp_path / "A Quiet Film.mkv"))


def states(job: Job, models: ModelStore) -> dict[str, str]:
    return {status.name: status.state for status in pipeline.status(job, models)}


def stale(job: Job, models: ModelStore) -> set[str]:
    return {name for name, state in states(job, models).items() if state == "stale"}


def test_a_job_from_nothing_to_its_result(film: Path, chosen: Settings, models: ModelStore) -> None:
    job = pipeline.prepare(film, chosen)
    assert set(states(job, models).values()) == {"missing"}
    seen: list[str] = []
    ran = pipeline.run(job, models, LocalRunner(models.root, quiet=True), on_stage=seen.append)
    assert seen == [one.name for one in ran] == list(states(job, models))
    assert set(states(job, models).values()) == {"done"}
    result = pipeline.result(job, ran)
    assert (result.cues, result.film) == (0, None)
    assert result.note == "nobody speaks: there is nothing to put into the film"
    assert all(path.is_file() for path in result.subtitles)
    assert {one.status for one in pipeline.run(job, models, LocalRunner(models.root, quiet=True))} == {"skipped"}


def test_what_lies_behind_a_change_is_stale(film: Path, chosen: Settings, models: ModelStore, tmp_path: Path) -> None:
    job = pipeline.prepare(film, chosen)
    pipeline.run(job, models, LocalRunner(models.root, quiet=True))
    for changed in ({"stages.subtitle_gen.rules.max_cpl": 37}, {"stages.subtitle_gen.names": "S1=Simran"}):
        job = pipeline.prepare(film, settings.load({"jobs": tmp_path / "out", **changed}, environment={}))
        assert stale(job, models) == {"subtitle-gen", "mux"}
    job = pipeline.prepare(film, settings.load(
        {"jobs": tmp_path / "out", "stages.silero_vad.threshold": 0.4}, environment={}))
    ran = pipeline.run(job, models, LocalRunner(models.root, quiet=True))
    # Another threshold hears the same nothing, so what follows has the inputs it had.
    assert [one.name for one in ran if one.status == "done"] == ["silero-vad"]


def test_a_missing_file_of_the_result_is_said(film: Path, chosen: Settings, models: ModelStore) -> None:
    job = pipeline.prepare(film, chosen)
    ran = pipeline.run(job, models, LocalRunner(models.root, quiet=True))
    next(job.stage_folder("subtitle-gen").glob("*.srt")).unlink()
    with pytest.raises(ArtifactInvalid, match="is missing"):
        pipeline.result(job, ran)


def test_missing_models_are_said_before_anything_is_done(film: Path, chosen: Settings, tmp_path: Path) -> None:
    job = pipeline.prepare(film, chosen)
    empty = ModelStore(tmp_path / "empty")
    with pytest.raises(ModelMissing) as caught:
        pipeline.run(job, empty, LocalRunner(empty.root, quiet=True))
    wanted = [name for stage in STAGES for name in stage.models(stage.options())]
    assert "silero-vad" in wanted and "base" in wanted
    assert caught.value.hint == f"run: cp-whisperx models pull {' '.join(wanted)}"
    assert not job.stage_folder("demux").exists()


def test_nothing_is_left_behind_for_what_is_no_film(tmp_path: Path, chosen: Settings) -> None:
    (tmp_path / "text.mkv").write_text("no film")
    with pytest.raises(MediaError):
        pipeline.prepare(tmp_path / "text.mkv", chosen)
    with pytest.raises(MediaError):
        pipeline.prepare(tmp_path / "none.mkv", chosen)
    assert not chosen.jobs.exists()


def test_a_clip_behind_the_end_is_refused(film: Path, chosen: Settings) -> None:
    with pytest.raises(ConfigError, match="behind the end"):
        pipeline.prepare(film, chosen, Span(5000, 6000))


def test_jobs_are_found_by_id_and_by_path(film: Path, chosen: Settings) -> None:
    job = pipeline.prepare(film, chosen)
    assert pipeline.find_job(job.id, chosen.jobs).folder == job.folder
    assert pipeline.find_job(str(job.folder), Path("/elsewhere")).folder == job.folder
    assert [one.id for one in pipeline.jobs(chosen.jobs)] == [job.id]
    assert pipeline.jobs(Path("/no/such/folder")) == ()


def test_corrections_make_stages_stale_and_outlive_reruns(film: Path, chosen: Settings, models: ModelStore) -> None:
    job = pipeline.prepare(film, chosen)
    runner = LocalRunner(models.root, quiet=True)
    pipeline.run(job, models, runner)
    corrections.write(job.folder, Corrections().with_added("Kuljeet"))
    assert states(job, models)["pre-ner"] == "stale"
    # The job alone, then the film anew: both know what was said.
    for again in (pipeline.find_job(str(job.folder), chosen.jobs), pipeline.prepare(film, chosen)):
        pipeline.run(again, models, runner)
        assert Glossary.read(job.stage_folder("pre-ner")).names[0].canonical == "Kuljeet"
        assert set(states(job, models).values()) == {"done"}
    (job.folder / corrections.FILE).unlink()
    pipeline.run(job, models, runner)
    assert "Kuljeet" not in {name.canonical for name in Glossary.read(job.stage_folder("pre-ner")).names}


def test_a_wrong_corrections_file_stops_the_run(film: Path, chosen: Settings, models: ModelStore) -> None:
    job = pipeline.prepare(film, chosen)
    (job.folder / corrections.FILE).write_text("add = 3")
    with pytest.raises(ConfigError, match=r"names\.toml cannot be used"):
        pipeline.run(job, models, LocalRunner(models.root, quiet=True))
