from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cp_whisperx.artifacts import Glossary, NamedTranscript
from cp_whisperx.cli import cli
from cp_whisperx.errors import ArtifactInvalid, ConfigError
from cp_whisperx.job import Job, Request
from cp_whisperx.names import corrections
from cp_whisperx.names.corrections import Veto
from cp_whisperx.names.repair import repair
from tests.names.test_repair import CAST, lexicon, segment

pytestmark = pytest.mark.real


@pytest.fixture
def job(tmp_path: Path) -> Job:
    made = Job.create(tmp_path, Request(film="/films/a.mkv", fingerprint="sampled:abcdef012345", options={}))
    segments, changes = repair([segment("I saw Simon."), segment("Then Kuljit left.", at=3661.0)], CAST, lexicon())
    for artifact in (NamedTranscript(language="en", segments=segments, changes=changes), Glossary(names=CAST)):
        made.stage_folder(artifact.stage).mkdir()
        artifact.write(made.stage_folder(artifact.stage))
    return made


def call(job: Job, *words: str) -> Result:
    return CliRunner().invoke(cli, ["names", str(job.folder), *words])


def test_the_changes_are_shown_with_time_and_reason(job: Job) -> None:
    first, second = call(job).stdout.splitlines()
    assert first.split()[:5] == ["1", "0:01", "Simon", "->", "Simran"] and "character" in first
    assert "1:01:01" in second


def test_as_json(job: Job) -> None:
    said = json.loads(call(job, "--json").stdout)
    assert [(one["number"], one["before"], one["after"], one["vetoed"]) for one in said["changes"]] == [
        (1, "Simon", "Simran", False), (2, "Kuljit", "Kuljeet", False)]


def test_what_is_said_is_kept_and_added_to(job: Job) -> None:
    assert "vetoed" in call(job, "--veto", "1").stdout.splitlines()[0]
    call(job, "--veto", "2", "--here", "--add", " Dahisar ", "--add", "Dahisar")
    said = corrections.read(job.folder)
    assert said.add == ("Dahisar",)
    assert said.veto == (Veto("Simon", "Simran"), Veto("Kuljit", "Kuljeet", 3661.4))


def test_the_expected_names_are_shown(job: Job) -> None:
    assert "Kuljeet (कुलजीत)" in call(job, "--expected").stdout
    assert json.loads(call(job, "--expected", "--json").stdout)[0]["canonical"]


WRONG = [(("--veto", "9"), "there is no change number 9, only 2"), (("--add", "..."), "is no name"),
         (("--here",), "--here belongs to --veto")]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_mistakes_are_told_and_nothing_is_written(job: Job, words: tuple[str, ...], said: str) -> None:
    result = call(job, *words)
    assert isinstance(result.exception, ConfigError) and said in result.exception.message
    assert not (job.folder / corrections.FILE).exists()


def test_before_the_first_run_there_is_nothing_to_show(tmp_path: Path) -> None:
    job = Job.create(tmp_path, Request(film="/films/a.mkv", fingerprint="sampled:abcdef012345", options={}))
    assert isinstance(call(job).exception, ArtifactInvalid)
    assert call(job, "--add", "Kuljeet").exit_code == 0
