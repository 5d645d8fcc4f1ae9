from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from cp_whisperx import publish
from cp_whisperx.errors import ArtifactInvalid, ConfigError, RunnerError
from cp_whisperx.job import KEY, LOG, PROGRESS, RECORD, Job, Record, Request, job_id
from cp_whisperx.timeline import Span


def request(**changes: object) -> Request:
    return Request.model_validate({"film": "/films/My Film (1995).mkv", "fingerprint": "sampled:abcdef0123456789",
                                   "options": {}} | changes)


def record(stage: str = "asr", **changes: object) -> Record:
    return Record.model_validate({"stage": stage, "key": "k", "status": "done", "started_at": "2026-01-01T00:00:00Z",
                                  "wall_s": 1.0, "peak_rss_mb": 10.0} | changes)


IDS = {
    "my-film-1995-abcdef01": {},
    "my-film-1995-abcdef01-translate": {"options": {"asr": {"task": "translate"}}},
    "my-film-1995-abcdef01-10-20.5": {"clip": Span(10, 20.5)},
    "film-abcdef01": {"film": "/films/दिल.mkv"},
    "deja-vu-abcdef01": {"film": "/films/Déjà vu.mkv"},
}


@pytest.mark.parametrize("name", IDS)
def test_ids_are_readable(name: str) -> None:
    assert job_id(request(**IDS[name])) == name


def test_a_job_comes_back_as_it_was_made(tmp_path: Path) -> None:
    job = Job.create(tmp_path, request())
    again = Job.open(job.folder)
    assert (again.id, again.request) == (job.id, job.request)
    assert Job.create(tmp_path, request(device="cpu")).folder == job.folder
    assert Job.open(job.folder).request.device == "cpu"


def test_what_is_no_job_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no job"):
        Job.open(tmp_path / "none")
    (tmp_path / "request.json").write_text("{")
    with pytest.raises(ArtifactInvalid, match="cannot be read as a request"):
        Job.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        Job.create(tmp_path / "file", request())
    with pytest.raises(ConfigError, match="cannot be made"):
        Job.create(Path("/proc/none"), request())


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job.create(tmp_path, request())


def make(job: Job, text: str = "made", key: str = "k") -> Record:
    partial = job.open_partial("asr", key, keep=False)
    (partial / "artifact.json").write_text(text)
    (partial / LOG).write_text("{}\n")
    (partial / PROGRESS).write_text("0.5")
    return job.close_partial(record())


def test_a_published_folder_is_complete_and_intact(job: Job) -> None:
    done = make(job)
    folder = job.stage_folder("asr")
    assert {path.name for path in folder.iterdir()} == {"artifact.json", LOG, RECORD}
    assert set(done.outputs) == {"artifact.json"}
    assert job.record("asr") == done
    assert job.intact(done)
    assert not job.partial("asr").exists()


@pytest.mark.parametrize("damage", [
    lambda path: path.write_text("mad e"), lambda path: path.write_text("made and more"), lambda path: path.unlink(),
], ids=["other bytes", "longer", "gone"])
def test_damage_is_seen(job: Job, damage: Callable[[Path], object]) -> None:
    done = make(job)
    damage(job.stage_folder("asr") / "artifact.json")
    assert not job.intact(done)


def test_the_output_digest_follows_the_bytes_alone(job: Job) -> None:
    first = make(job, "one").output_digest
    assert make(job, "one").output_digest == first
    assert make(job, "two").output_digest != first


def test_a_partial_folder_goes_on_only_with_the_same_key(job: Job) -> None:
    partial = job.open_partial("asr", "k", keep=True)
    (partial / "journal").write_text("half")
    assert (job.open_partial("asr", "k", keep=True) / "journal").exists()
    assert not (job.open_partial("asr", "other", keep=True) / "journal").exists()
    (partial / "journal").write_text("half")
    assert not (job.open_partial("asr", "other", keep=False) / "journal").exists()
    assert (partial / KEY).read_text() == "other"


def test_a_failure_leaves_its_record_and_log(job: Job) -> None:
    partial = job.open_partial("asr", "k", keep=False)
    (partial / "half.bin").write_text("half")
    (partial / "folder").mkdir()
    (partial / "folder" / "half.bin").write_text("half")
    (partial / LOG).write_text("{}\n")
    job.fail(record(status="failed"), keep=False)
    assert {path.name for path in partial.iterdir()} == {LOG, RECORD}
    failed = job.failure("asr")
    assert failed and failed.status == "failed"
    assert job.record("asr") is None


@pytest.mark.parametrize("renames_before_the_crash", [0, 1])
def test_a_crash_while_publishing_loses_nothing(job: Job, monkeypatch: pytest.MonkeyPatch,
                                                renames_before_the_crash: int) -> None:
    """Publishing over an earlier result takes two renames; the power may go before either."""
    old = make(job, "old")
    calls = 0
    rename = publish.rename

    def crash(source: Path, target: Path) -> None:
        nonlocal calls
        if source.is_dir():
            calls += 1
            if calls > renames_before_the_crash:
                raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(publish, "rename", crash)
    with pytest.raises(KeyboardInterrupt):
        make(job, "new")
    monkeypatch.undo()
    job.recover("asr")
    new = job.record("asr")
    assert new and new.output_digest != old.output_digest
    assert (job.stage_folder("asr") / "artifact.json").read_text() == "new"
    assert sorted(path.name for path in job.folder.iterdir() if "asr" in path.name) == ["asr"]


def test_an_unfinished_folder_is_never_published_by_recovery(job: Job) -> None:
    job.open_partial("asr", "k", keep=True)
    job.recover("asr")
    assert job.record("asr") is None
    make(job, "old")
    job.stage_folder("asr").rename(job.folder / ".asr.old")
    job.recover("asr")
    assert (job.stage_folder("asr") / "artifact.json").read_text() == "old"


def _hold(folder: Path, held: object, release: object) -> None:
    with Job.open(folder).locked():
        held.set()  # type: ignore[attr-defined]
        release.wait(20)  # type: ignore[attr-defined]


def test_one_process_at_a_time(job: Job) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(job.folder, held, release))
    other.start()
    assert held.wait(20)
    with pytest.raises(RunnerError, match=f"is at work in process {other.pid}"), job.locked():
        pass
    with job.locked("asr"):
        pass
    other.kill()
    other.join()
    with job.locked():
        pass
