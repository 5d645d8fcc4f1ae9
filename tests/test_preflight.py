from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path

import pytest

from cp_whisperx import preflight
from cp_whisperx.models.store import ModelStore
from cp_whisperx.preflight import Check
from cp_whisperx.settings import Settings, load


@pytest.fixture
def chosen(tmp_path: Path, models: ModelStore, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return load({"jobs": tmp_path / "out", "model_store.path": models.root}, environment={})


def named(settings: Settings, name: str) -> list[Check]:
    return [check for check in preflight.checks(settings) if check.name == name]


def test_this_machine_is_ready(chosen: Settings) -> None:
    found = list(preflight.checks(chosen))
    assert {check.name for check in found} == {"python", "library", "device", "model", "jobs", "disk", "key"}
    assert [check for check in found if check.level == "failed"] == []
    assert not chosen.jobs.exists(), "looking changes nothing"


def test_what_failed_has_a_code_and_what_did_not_has_none(chosen: Settings, tmp_path: Path) -> None:
    other = load({"model_store.path": tmp_path / "none", "jobs": "/dev/null/out"}, environment={})
    for check in (*preflight.checks(chosen), *preflight.checks(other)):
        assert (check.exit_code > 0) == (check.level == "failed")
        assert check.hint or check.level != "failed"


def test_missing_models_are_named_with_the_command(tmp_path: Path) -> None:
    found = named(load({"model_store.path": tmp_path}, environment={}), "model")
    assert {check.level for check in found} == {"failed"}
    assert {check.exit_code for check in found} == {4}
    assert {check.hint for check in found} == {"run: cp-whisperx models pull"}
    said = " ".join(check.saw for check in found)
    assert all(name in said for name in ("silero-vad", "pyannote-segmentation", "base"))


def test_a_model_that_nobody_knows_is_a_setting(models: ModelStore) -> None:
    found = named(load({"model_store.path": models.root, "stages.asr.model": "bse"}, environment={}), "model")
    assert [(check.exit_code, check.hint) for check in found if check.exit_code] == [(2, "did you mean base?")]


@pytest.mark.parametrize("place", ["file/out", "file"])
def test_jobs_must_be_writable(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    check, = named(load({"jobs": tmp_path / place}, environment={}), "jobs")
    assert (check.level, check.exit_code) == ("failed", 2)
    assert "Not a directory" in check.saw and "--out" in check.hint


def test_a_folder_that_may_not_be_looked_into_is_said(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path) -> bool:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "exists", denied)
    assert [check.saw.split("(")[-1] for check in (preflight._writable("jobs", chosen.jobs),
                                                   preflight._disk(chosen.jobs))] == ["Permission denied)"] * 2


def test_little_room_is_a_warning(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 0, 10**9))
    check, = named(chosen, "disk")
    assert (check.level, check.exit_code) == ("warning", 0)
    assert check.saw.startswith("1.0 GB free") and check.hint


def test_a_library_that_is_not_there_is_named() -> None:
    check = preflight._library("no-such-library")
    assert (check.level, check.exit_code, check.saw) == ("failed", 5, "no-such-library is not installed")


def test_an_old_python_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert preflight._python() == Check("python", "failed", "3.10.4", "use Python 3.11 or newer", 2)


def test_a_device_that_cannot_be_had_is_said(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from cp_whisperx.engines import device

    def broken(*_: object) -> None:
        raise RuntimeError("the driver is too old")

    monkeypatch.setattr(device, "choose", broken)
    check, = named(chosen, "device")
    assert (check.level, check.saw, check.exit_code) == ("failed", "the driver is too old", 5)


def test_keys_are_seen_and_never_shown(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.delenv("TMDB_TOKEN", raising=False)
    monkeypatch.setenv("TMDB_API_KEY_FILE", "/run/secrets/key")
    found = list(preflight.checks(chosen))
    said = [check.saw for check in found if check.name == "key"]
    assert said[0].startswith("HF_TOKEN is set") and said[1].startswith("TMDB_TOKEN is not set")
    assert said[2].startswith("TMDB_API_KEY is set")
    assert "hf_secret" not in repr(found)
