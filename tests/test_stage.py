from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from cp_whisperx import publish
from cp_whisperx.artifacts import Artifact
from cp_whisperx.errors import ArtifactInvalid, ConfigError, CpWhisperxError, EngineError, MediaError, StageFailed
from cp_whisperx.job import LOG, Job, Request
from cp_whisperx.models.store import ModelStore
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools, is_current, run_stage, stage_key
from cp_whisperx.timeline import Span


class Numbers(Artifact):
    stage: ClassVar[str] = "count"
    numbers: tuple[int, ...]
    file: str


class Sum(Artifact):
    stage: ClassVar[str] = "add"
    total: int


class CountOptions(StageOptions):
    upto: int = Field(3, ge=0, description="How far")


class AddOptions(StageOptions):
    pass


ran: list[str] = []


def count(inputs: Inputs, options: CountOptions, tools: Tools) -> Numbers:
    ran.append("count")
    (tools.work / "numbers.txt").write_text("x" * options.upto)
    tools.facts["engine"] = "fingers"
    tools.warn("counted on fingers")
    return Numbers(numbers=tuple(range(options.upto)), file="numbers.txt")


def add(inputs: Inputs, options: AddOptions, tools: Tools) -> Sum:
    ran.append("add")
    assert inputs.file(Numbers, inputs[Numbers].file).exists()
    return Sum(total=sum(inputs[Numbers].numbers))


IMAGE = ImageNeeds(layers=("base",))
COUNT = Stage("count", 1, (), Numbers, CountOptions, count, IMAGE, reads_film=True)
ADD = Stage("add", 1, (Numbers,), Sum, AddOptions, add, IMAGE)


@pytest.fixture(autouse=True)
def _forget() -> None:
    ran.clear()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    film = tmp_path / "film.mkv"
    film.write_bytes(b"film")
    return Job.create(tmp_path / "out", Request(film=str(film), fingerprint=publish.fingerprint(film), options={}))


def changed(job: Job, **changes: object) -> Job:
    data = job.request.model_dump() | changes
    return Job.create(job.folder.parent, Request.model_validate(data))


def test_stages_run_once_and_hand_on(job: Job, store: ModelStore) -> None:
    record = run_stage(COUNT, job, store, runner="test")
    run_stage(ADD, job, store)
    assert Sum.read(job.stage_folder("add")).total == 3
    assert record.facts == {"runner": "test", "engine": "fingers"}
    assert record.warnings == ("counted on fingers",)
    assert set(record.outputs) == {"artifact.json", "numbers.txt"}
    run_stage(COUNT, job, store)
    run_stage(ADD, job, store)
    assert ran == ["count", "add"]


def test_the_log_is_json_lines_with_the_stage_as_name(job: Job, store: ModelStore) -> None:
    run_stage(COUNT, job, store)
    lines = [json.loads(line) for line in (job.stage_folder("count") / LOG).read_text().splitlines()]
    assert [line["message"] for line in lines][:2] == ["started", "counted on fingers"]
    assert {line["name"] for line in lines} == {"count"}


def test_the_key_follows_meaning_alone(job: Job, store: ModelStore) -> None:
    key = stage_key(COUNT, job, store)
    assert stage_key(COUNT, changed(job, device="cuda", threads=7), store) == key
    assert stage_key(COUNT, changed(job, options={"count": {"upto": 3}}), store) == key
    assert stage_key(COUNT, changed(job, options={"count": {"upto": 4}}), store) != key
    assert stage_key(COUNT, changed(job, options={}, clip=Span(1, 2)), store) != key
    assert stage_key(COUNT, changed(job, clip=None, fingerprint="sampled:other"), store) != key
    newer = Stage("count", 2, (), Numbers, CountOptions, count, IMAGE, reads_film=True)
    assert stage_key(newer, job, store) != key
    assert stage_key(ADD, job, store) is None


def test_only_what_changed_is_redone(job: Job, store: ModelStore) -> None:
    run_stage(COUNT, job, store)
    run_stage(ADD, job, store)
    job = changed(job, options={"count": {"upto": 5}})
    assert not is_current(COUNT, job, store)
    run_stage(COUNT, job, store)
    assert not is_current(ADD, job, store)
    run_stage(ADD, job, store)
    assert Sum.read(job.stage_folder("add")).total == 10


def test_a_damaged_output_is_made_again(job: Job, store: ModelStore) -> None:
    run_stage(COUNT, job, store)
    (job.stage_folder("count") / "numbers.txt").write_text("oops")
    run_stage(COUNT, job, store)
    assert ran == ["count", "count"]


def test_a_missing_input_names_the_stage_to_run(job: Job, store: ModelStore) -> None:
    with pytest.raises(ArtifactInvalid, match="count has not been done") as caught:
        run_stage(ADD, job, store)
    assert "stage count" in caught.value.hint


def test_an_undeclared_need_cannot_be_read(job: Job, store: ModelStore) -> None:
    run_stage(COUNT, job, store)
    with pytest.raises(KeyError):
        Inputs(job, ())[Numbers]


def test_bad_options_name_the_option(job: Job, store: ModelStore) -> None:
    with pytest.raises(ConfigError, match="option upto of count"):
        run_stage(COUNT, changed(job, options={"count": {"upto": -1}}), store)
    with pytest.raises(ConfigError, match="option nonsense of count"):
        run_stage(COUNT, changed(job, options={"count": {"nonsense": 1}}), store)


def test_a_film_that_changed_or_went_is_refused(job: Job, store: ModelStore) -> None:
    film = Path(job.request.film)
    film.write_bytes(b"other")
    with pytest.raises(ConfigError, match="has changed"):
        run_stage(COUNT, job, store)
    film.unlink()
    with pytest.raises(ConfigError, match="no longer there"):
        run_stage(COUNT, job, store)
    assert ran == []


ERRORS: dict[str, tuple[Callable[[], Exception], type[CpWhisperxError], str]] = {
    "its own": (lambda: MediaError("the film is mute", hint="unmute"), MediaError, "the film is mute"),
    "disk full": (lambda: OSError(errno.ENOSPC, "No space left"), ConfigError, "no space left"),
    "memory": (lambda: MemoryError(), EngineError, "out of memory"),
    "unforeseen": (lambda: ZeroDivisionError("division by zero"), StageFailed, "did not foresee"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_becomes_a_sentence_a_record_and_a_log(job: Job, store: ModelStore, name: str) -> None:
    make, kind, text = ERRORS[name]

    def fail(inputs: Inputs, options: CountOptions, tools: Tools) -> Numbers:
        (tools.work / "half.bin").write_text("half")
        raise make()

    failing = Stage("count", 1, (), Numbers, CountOptions, fail, IMAGE)
    with pytest.raises(kind, match=text) as caught:
        run_stage(failing, job, store)
    failed = job.failure("count")
    assert failed and failed.error and failed.error.exit_code == kind.exit_code
    log = Path(caught.value.log)
    assert log.is_file()
    assert "traceback" in json.loads(log.read_text().splitlines()[-1])
    assert not (log.parent / "half.bin").exists()
    run_stage(COUNT, job, store)
    assert job.failure("count") is None


def test_an_older_schema_is_refused(job: Job, store: ModelStore) -> None:
    run_stage(COUNT, job, store)
    path = job.stage_folder("count") / "artifact.json"
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(ArtifactInvalid, match="schema version 99"):
        Numbers.read(job.stage_folder("count"))
