from __future__ import annotations

import io
import json
import logging
import re
import sys
from pathlib import Path

import pytest

from cp_whisperx import log as logs

LINE = re.compile(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \[([\w.-]+)\] \[([A-Z]+)\] (.*)$")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_one_format_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logs.get("silero-vad").info("started")
    logs.get("cp_whisperx.models.store").warning("दिल is %s", "late")
    out, err = capsys.readouterr()
    assert out == "", "results alone go to stdout"
    found = [LINE.fullmatch(line) for line in err.splitlines()]
    assert [line.groups() for line in found if line] == [
        ("silero-vad", "INFO", "started"), ("store", "WARNING", "दिल is late")]


def test_quiet_keeps_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(logging.WARNING)
    logs.get("asr").info("not this")
    logs.get("asr").warning("but this")
    assert capsys.readouterr().err.splitlines()[0].endswith("[asr] [WARNING] but this")


def test_configuring_again_does_not_double(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logs.configure()
    logs.get("asr").info("once")
    assert capsys.readouterr().err.count("once") == 1


def test_a_log_line_takes_the_moving_line_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    logs.configure()
    logs.get("asr").info("started")
    assert terminal.getvalue().startswith("\r\x1b[K[")
    assert LINE.fullmatch(terminal.getvalue().removeprefix("\r\x1b[K").rstrip("\n"))


def test_the_file_has_what_people_need_not_see(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    handler = logs.to_file(tmp_path / "log.jsonl")
    log = logs.get("asr")
    try:
        raise ValueError("deep inside")
    except ValueError as error:
        log.error("it broke", exc_info=error, extra={"hint": "mend it", logs.FILE_ONLY: True})
        log.error("it broke in public", exc_info=error)
    log.debug("a detail")
    logs.detach(handler)
    log.info("after")
    err = capsys.readouterr().err
    assert "Traceback" not in err and "detail" not in err
    assert [line.rsplit("] ", 1)[-1] for line in err.splitlines()] == ["it broke in public", "after"]
    first, second, third = lines(tmp_path / "log.jsonl")
    assert first.pop("time")
    assert "deep inside" in str(first.pop("traceback")) and "deep inside" in str(second["traceback"])
    assert first == {"name": "asr", "level": "ERROR", "message": "it broke", "hint": "mend it"}
    assert third["message"] == "a detail"


def test_every_line_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    handler = logs.to_file(tmp_path / "log.jsonl")
    said = ['quotes " and \\', "two\nlines", "दिल से 🎬", "a name of bytes: caf\udce9", "\x00\x1b[31m"]
    for text in said:
        logs.get("asr").info(text, extra={"path": Path("a"), "level": "mine", "time": "mine"})
    logs.detach(handler)
    found = lines(tmp_path / "log.jsonl")
    assert [line["message"] for line in found] == said
    assert {(line["path"], line["level"]) for line in found} == {("a", "INFO")}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(line["time"])) for line in found)


def test_lines_are_added_to_an_earlier_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    for text in ("killed", "resumed"):
        handler = logs.to_file(tmp_path / "log.jsonl")
        logs.get("asr").info(text)
        logs.detach(handler)
    assert [line["message"] for line in lines(tmp_path / "log.jsonl")] == ["killed", "resumed"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_stops_the_log_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    handler = logs.to_file(Path("/dev/full"))
    logs.get("asr").info("still told")
    logs.detach(handler)
    err = capsys.readouterr().err
    assert "still told" in err and "Traceback" not in err
