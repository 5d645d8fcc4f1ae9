from __future__ import annotations

import os
from pathlib import Path

import pytest

from cp_whisperx import publish
from cp_whisperx.engines.answers import FRESH_S, KEEP_S, Answers

DAY = 86_400.0


def at(now: float, folder: Path) -> Answers:
    return Answers(folder, clock=lambda: now)


def test_an_answer_is_kept_for_its_time_and_no_longer(tmp_path: Path) -> None:
    at(1000.0, tmp_path).put("film 1", {"title": "दिल"})
    assert at(1000.0 + FRESH_S, tmp_path).get("film 1", max_age_s=FRESH_S) == {"title": "दिल"}
    assert at(1000.0 + FRESH_S + 1, tmp_path).get("film 1", max_age_s=FRESH_S) is None
    assert at(1000.0 + KEEP_S, tmp_path).get("film 1") == {"title": "दिल"}
    assert at(1000.0 + KEEP_S + 1, tmp_path).get("film 1") is None
    assert at(1000.0 + 2 * KEEP_S, tmp_path).get("film 1", max_age_s=10 * KEEP_S) is None
    assert at(0.0, tmp_path).get("film 1") is None, "from the future"
    assert at(1000.0, tmp_path).get("film 2") is None


def test_old_answers_leave_the_disk(tmp_path: Path) -> None:
    assert KEEP_S <= 183 * DAY
    kept = Answers(tmp_path)
    kept.put("old", 1)
    (old,) = tmp_path.iterdir()
    kept.put("new", 2)
    os.utime(old, (old.stat().st_mtime - KEEP_S - 10,) * 2)
    assert Answers(tmp_path).get("new") == 2
    assert not old.exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'{"question": "film 1"}', b"\xff\xfe", b"[" * 100_000,
                                    b'{"question": "film 1", "at": "x", "answer": 1}'])
def test_a_damaged_answer_is_none(tmp_path: Path, damage: bytes) -> None:
    kept = Answers(tmp_path)
    kept.put("film 1", 1)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert kept.get("film 1") is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    Answers(tmp_path / "file" / "cache").put("film 1", 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publish, "write", full)
    kept = Answers(tmp_path / "cache")
    kept.put("film 1", 1)
    assert kept.get("film 1") is None
