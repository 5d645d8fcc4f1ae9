"""check, fix and eval as a person runs them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx import cli
from scenes import Scene, SceneSpec

GOOD = "1\n00:00:01,000 --> 00:00:03,000\nWhere were you?\n\n"
BAD = "1\n00:00:01,000 --> 00:00:03,000\nWhere were you?\n\n00:00:02,500 --> 00:00:02,600\nAt home...\n\n"

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cp-whisperx", *map(str, arguments)])
        try:
            cli.main()
            code: Any = 0
        except SystemExit as end:
            code = end.code or 0
        return (code, *capsys.readouterr())

    Path("good.srt").write_text(GOOD)
    Path("bad.srt").write_text(BAD)
    return run


def test_check_answers_with_its_exit_code(command: Command) -> None:
    code, out, _ = command("check", "good.srt", "--profile", "netflix-en")
    assert code == 0 and "100.0% of the cues pass" in out and "not checked" in out
    code, out, _ = command("check", "good.srt", "bad.srt", "--profile", "netflix-en")
    assert code == 1 and "note: cues without a number: cue 2" in out and "0.500 s with cue 1" in out


def test_check_goes_on_after_a_file_that_is_none(command: Command) -> None:
    Path("diary.srt").write_text("Dear diary")
    code, out, err = command("check", "diary.srt", "bad.srt", "--json")
    first, second = map(json.loads, out.splitlines())
    assert code == 3 and first["error"]["exit_code"] == 3 and "no subtitle file" in err
    assert second["passed"] is False and second["profile"] == "netflix-en"
    assert {rule["rule"]: rule["count"] for rule in second["rules"] if rule["result"] == "failed"} == {
        "overlap": 1, "min-duration": 1, "reading-speed": 1, "reading-speed-hard": 1, "ellipsis": 1}
    assert {rule["result"] for rule in second["rules"]} == {"failed", "passed", "not checked", "off"}


def test_speech_makes_in_cues_checkable(command: Command) -> None:
    Path("turns.rttm").write_text("SPEAKER a 1 1.5 2.0 <NA> <NA> x <NA> <NA>\n")
    code, out, _ = command("check", "good.srt", "--speech", "turns.rttm")
    assert code == 1
    assert "  in-cue                 1 x  frames before the first sound: <= 3\n" in out
    assert " cue 1 at 0:00:01.000: 12 frames\n" in out
    assert "not checked, no shot changes known: give --film: shot-in-after, shot-in-before" in out


def test_speech_without_a_cue_is_told_by_its_time(command: Command) -> None:
    Path("turns.rttm").write_text("".join(
        f"SPEAKER a 1 {start} 2.0 <NA> <NA> x <NA> <NA>\n" for start in (1.0, 60.0, 70.0)))
    code, out, _ = command("check", "good.srt", "--speech", "turns.rttm")
    assert code == 1 and "2.000 s at 0:01:00.000; and 1 more" in out and "100.0% of the cues pass; 0 break" in out


@pytest.mark.real
def test_a_film_is_listened_to(command: Command, make_scene: Callable[[SceneSpec], Scene]) -> None:
    """The first lines of a made film: the truth is shown where it is spoken, a text of no use is not."""
    scene = make_scene(SceneSpec(length_s=16.0, width=320, height=180, music=False))
    Path("wrong.srt").write_text("1\n00:00:00,500 --> 00:00:02,000\nNobody speaks here.\n\n")
    wrong, truth = map(json.loads, command(
        "check", "wrong.srt", scene.truth_srt, "--film", scene.film, "--json")[1].splitlines())
    found = {rule["rule"]: rule for rule in wrong["rules"]}
    assert [finding["cue"] for finding in found["text-without-speech"]["findings"]] == [1]
    assert found["speech-without-cue"]["count"] >= 2 and {
        finding["cue"] for finding in found["speech-without-cue"]["findings"]} == {0}
    assert {rule["rule"]: rule["count"] for rule in truth["rules"] if rule["rule"] in (
        "in-cue", "text-without-speech", "speech-without-cue")} == {
            "in-cue": 0, "text-without-speech": 0, "speech-without-cue": 0}
    assert "not checked, not known where speech is" in command(
        "check", "wrong.srt", "--film", scene.film, "--no-listen")[1]


def test_a_film_that_cannot_be_listened_to_is_said(command: Command, make_scene: Callable[[SceneSpec], Scene],
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    scene = make_scene(SceneSpec(length_s=16.0, width=320, height=180, music=False))
    monkeypatch.setenv("CP_WHISPERX_MODELS", str(Path("nothing").resolve()))
    code, out, err = command("check", "good.srt", "--film", scene.film)
    assert code == 0 and "was not listened to" in err and "hint: " in err
    assert "not checked, not known where speech is" in out


def test_the_profile_follows_the_script(command: Command) -> None:
    Path("hi.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nमैं नहीं आऊँगा\n")
    assert json.loads(command("check", "hi.srt", "--json")[1])["profile"] == "netflix-hi"


@pytest.mark.parametrize(("arguments", "message"), [
    (("check", "good.srt", "--profile", "netflx-en"), "no subtitle profile netflx-en"),
    (("check", "good.srt", "--film", "none.mkv"), "none.mkv"),
    (("fix", "good.srt"), "either -o OUT or --in-place"),
    (("fix", "good.srt", "-o", "good.srt"), "is the file that is read"),
    (("fix", "good.srt", "-o", "none/out.srt"), "no folder none"),
    (("fix", "good.srt", "-o", "."), "is a folder"),
    (("check", "."), "no file that can be read"),
    (("fix", "good.srt", "-o", "out.doc"), "no suffix that names a format"),
    (("fix", "none.srt", "-o", "out.srt"), "cannot be read"),
    (("eval", "good.srt", "--reference", "none.stm"), "cannot be read"),
    (("eval", "none.srt", "--reference", "good.srt"), "cannot be read"),
])
def test_errors_are_a_sentence_and_leave_nothing(arguments: tuple[str, ...], message: str, command: Command) -> None:
    code, out, err = command(*arguments)
    assert code in (2, 3) and not out
    assert message in err and "hint: " in err and "Traceback" not in err
    assert {path.name for path in Path().iterdir()} == {"good.srt", "bad.srt"}
    assert Path("good.srt").read_text() == GOOD


def test_fix_writes_another_file_and_says_what_it_did(command: Command) -> None:
    code, out, _ = command("fix", "bad.srt", "-o", "out.vtt", "--profile", "netflix-en", "--fps", "24")
    assert code == 0
    assert Path("out.vtt").read_text() == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.416\nWhere were you?\n\n00:00:02.500 --> 00:00:03.333\nAt home…\n\n")
    assert "retimed: 2 (1 2)" in out and "50.0% before, 100.0% now" in out
    assert Path("bad.srt").read_text() == BAD
    assert command("check", "out.vtt", "--profile", "netflix-en", "--fps", "24")[0] == 0


def test_fix_in_place_and_encoding(command: Command) -> None:
    code, out, _ = command("fix", "bad.srt", "--in-place", "--encoding", "utf-16", "--newline", "crlf", "--json")
    assert code == 0 and json.loads(out)["output"] == "bad.srt"
    assert Path("bad.srt").read_bytes().startswith((b"\xff\xfe1\0\r\0\n\0", b"\xfe\xff\x001\0\r\0\n"))
    assert [path.name for path in Path().iterdir() if "partial" in path.name] == []


def test_fix_says_what_is_impossible(command: Command) -> None:
    fast = "Far more is said here than anybody reads."
    Path("fast.srt").write_text("".join(
        f"{number}\n00:00:0{number},000 --> 00:00:0{number + 1},000\n{fast}\n\n" for number in range(1, 5)))
    code, out, _ = command("fix", "fast.srt", "-o", "out.srt")
    assert code == 1 and "no room for reading-speed <= 20" in out


def test_eval_puts_systems_side_by_side(command: Command) -> None:
    Path("true.stm").write_text("a 1 Ben 1.0 3.0 where were you\na 1 Asha 3.5 4.0 at home\n")
    Path("found.rttm").write_text("SPEAKER a 1 1.0 2.0 <NA> <NA> x <NA> <NA>\n")
    code, out, _ = command("eval", "good.srt", "bad.srt", "found.rttm", "--reference", "true.stm", "--fps", "24")
    rows = {line[:30].strip(): line[30:].split() for line in out.splitlines()}
    assert code == 0
    assert rows["WER"] == ["40.00%", "0.00%", "-"]
    assert rows["DER"] == ["-", "-", "20.00%"]
    assert rows["speech without a cue, s"] == ["0.5", "0.5", "-"]
    assert rows["of the profile"] == ["netflix-en", "netflix-en", "-"]
    assert rows["breaks overlap"] == ["0", "1", "-"]
    found = json.loads(command("eval", "bad.srt", "--reference", "true.stm", "--json")[1])
    assert found["systems"][0]["in_cue"]["count"] == 2


def test_eval_of_words_alone(command: Command) -> None:
    Path("heard.txt").write_text("Where was you")
    (system,) = json.loads(command("eval", "heard.txt", "--reference", "good.srt", "--json")[1])["systems"]
    assert system["wer"] == pytest.approx(1 / 3) and system["in_cue"] is system["uncovered_s"] is None


@pytest.mark.parametrize("name", ["check", "fix", "eval"])
def test_help_has_an_example(name: str, command: Command) -> None:
    code, out, _ = command(name, "--help")
    assert code == 0 and f"cp-whisperx {name} " in out and "Example" in out


def test_eval_numbers_files_of_the_same_name(command: Command) -> None:
    for folder in ("ours", "theirs"):
        Path(folder).mkdir()
        Path(folder, "film.srt").write_text(GOOD)
    _, out, _ = command("eval", "ours/film.srt", "theirs/film.srt", "--reference", "good.srt")
    assert out.startswith("#1: ours/film.srt\n#2: theirs/film.srt\n")
    assert max(map(len, out.splitlines())) <= 60
