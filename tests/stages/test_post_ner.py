from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cp_whisperx import log as logs
from cp_whisperx.artifacts import Glossary, LanguageVote, Name, NamedTranscript, Transcript
from cp_whisperx.job import Job, Request
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Inputs, Tools
from cp_whisperx.stages import post_ner
from tests.names.test_repair import CAST, segment

pytestmark = pytest.mark.real

HEARD = (segment("I saw Simon."), segment("Then Kuljit left.", at=10.0))


def run(tmp_path: Path, options: post_ner.Options, names: tuple[Name, ...] = CAST, **gathered: Any) -> NamedTranscript:
    job = Job.create(tmp_path, Request(film="/films/a.mkv", fingerprint="sampled:abcdef012345", options={}))
    transcript = Transcript(language="en", spoken=LanguageVote(language="en", how="pinned", windows=0, shares={}),
                            task="transcribe", model="base", segments=HEARD, dropped=())
    for artifact in (transcript, Glossary(names=names)):
        job.stage_folder(artifact.stage).mkdir(exist_ok=True)
        artifact.write(job.stage_folder(artifact.stage))
    log = logs.get("post-ner")
    tools = Tools(tmp_path, tmp_path / "a.mkv", "a", None, ModelStore(), "cpu", 1, log,
                  Progress("post-ner", log, terminal=False), gathered=gathered)
    return post_ner.run(Inputs(job, post_ner.STAGE.needs), options, tools)


def test_every_change_is_in_the_audit_list(tmp_path: Path) -> None:
    made = run(tmp_path, post_ner.Options())
    assert [one.text for one in made.segments] == ["I saw Simran.", "Then Kuljeet left."]
    assert [(change.start, change.before, change.after) for change in made.changes] == [
        (0.8, "Simon", "Simran"), (10.4, "Kuljit", "Kuljeet")]
    assert made.language == "en"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    assert run(tmp_path, post_ner.Options()).model_dump_json() == run(tmp_path, post_ner.Options()).model_dump_json()


def test_what_a_person_vetoed_stays(tmp_path: Path) -> None:
    made = run(tmp_path, post_ner.Options(), veto=["Simon -> Simran"])
    assert made.segments[0] == HEARD[0] and made.changes[0].vetoed and not made.changes[1].vetoed


def test_switched_off_or_without_names_nothing_changes(tmp_path: Path) -> None:
    for made in (run(tmp_path, post_ner.Options(repair=False)), run(tmp_path, post_ner.Options(), names=())):
        assert made.segments == HEARD and made.changes == ()
