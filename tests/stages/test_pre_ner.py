from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cp_whisperx import log as logs
from cp_whisperx.artifacts import Film
from cp_whisperx.engines.fake import CapitalNames
from cp_whisperx.job import Job, Request
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Inputs, Tools
from cp_whisperx.stages import pre_ner
from tests.names.test_glossary import film

PLOT = "Raj leaves London with Vijay Verma to win his lady love from Amritsar."


def tools(work: Path, store: ModelStore | None = None, **gathered: Any) -> Tools:
    log = logs.get("pre-ner")
    return Tools(work, work / "film.mkv", "film", None, store or ModelStore(work), "cpu", 1, log,
                 Progress("pre-ner", log, terminal=False), gathered=gathered)


def test_names_of_cast_plot_job_and_settings_are_expected(tmp_path: Path) -> None:
    made = pre_ner.expect(film("Simran Singh", overview=PLOT), CapitalNames(), pre_ner.Options(names=("Shanti",)),
                          tools(tmp_path, add=["Dahisar"]))
    found = [name.canonical for name in made.names]
    assert {"Simran", "Verma", "London", "Shanti", "Dahisar"} <= set(found)
    assert [name.weight for name in made.names] == sorted((name.weight for name in made.names), reverse=True)


def run(tmp_path: Path, known: Film, options: pre_ner.Options, store: ModelStore) -> tuple[set[str], Tools]:
    job = Job.create(tmp_path, Request(film="/films/a.mkv", fingerprint="sampled:abcdef012345", options={}))
    job.stage_folder("tmdb").mkdir()
    known.write(job.stage_folder("tmdb"))
    used = tools(tmp_path, store)
    made = pre_ner.run(Inputs(job, pre_ner.STAGE.needs), options, used)
    return {name.canonical for name in made.names}, used


@pytest.mark.real
def test_the_real_finder_reads_the_plot(tmp_path: Path, models: ModelStore) -> None:
    found, used = run(tmp_path, film(overview=PLOT, keywords=("train to Punjab",)), pre_ner.Options(), models)
    assert {"Vijay Verma", "Vijay", "London"} <= found
    assert "numpy" in used.facts["engine"]


def test_without_a_plot_no_model_is_loaded(tmp_path: Path) -> None:
    found, used = run(tmp_path, film("Simran"), pre_ner.Options(), ModelStore(tmp_path / "none"))
    assert "Simran" in found and "engine" not in used.facts


def test_the_plot_can_be_left_unread() -> None:
    assert pre_ner.STAGE.models(pre_ner.Options(read_plot=False)) == ()
    assert pre_ner.STAGE.models(pre_ner.Options()) == ("en-names",)
