from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx import settings
from cp_whisperx.errors import ConfigError
from cp_whisperx.models.store import default_root
from cp_whisperx.settings import Settings, load
from cp_whisperx.stages import STAGES

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file and no variable of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("CP_WHISPERX_MODELS", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


def config(text: str, path: str = "cp-whisperx.toml") -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return Path(path)


def beam(**given: Any) -> int:
    found: int = load(given.get("flags"), environment=given.get("environment", {})).stage_options["asr"]["beam_size"]
    return found


# What wins

def test_flags_over_environment_over_file_over_defaults() -> None:
    assert beam() == 5
    config("[stages.asr]\nbeam_size = 2")
    assert beam() == 2
    environment = {"CP_WHISPERX__STAGES__ASR__BEAM_SIZE": "3"}
    assert beam(environment=environment) == 3
    assert beam(environment=environment, flags={"stages.asr.beam_size": 4}) == 4
    assert beam(environment=environment, flags={"stages.asr.beam_size": None}) == 3


@pytest.mark.parametrize("table", ["silero-vad", "silero_vad"])
@pytest.mark.parametrize("name", ["CP_WHISPERX__STAGES__SILERO_VAD__MIN_SPEECH_S",
                                  "cp_whisperx__stages__silero_vad__min_speech_s",
                                  "Cp_Whisperx__Stages__Silero-Vad__Min_Speech_S"])
@pytest.mark.parametrize("flag", ["stages.silero-vad.pad_s", "stages.silero_vad.pad_s"])
def test_hyphens_underscores_and_case_are_one(table: str, name: str, flag: str) -> None:
    config(f"[stages.{table}]\nthreshold = 0.6\nmin-speech-s = 9\npad_s = 9")
    options = load({flag: 0.1}, environment={name: "0.2"}).stage_options["silero-vad"]
    assert (options["threshold"], options["min_speech_s"], options["pad_s"]) == (0.6, 0.2, 0.1)


def test_layers_meet_in_one_table() -> None:
    config("[stages.asr]\nmodel = 'small'\nsource = 'hi'")
    chosen = load({"stages.asr.task": "translate"}, environment={"CP_WHISPERX__STAGES__ASR__BEAM_SIZE": "1"})
    asked = {"model": "small", "source": "hi", "task": "translate", "beam_size": 1}
    assert asked.items() <= chosen.stage_options["asr"].items()


def test_an_empty_variable_is_none() -> None:
    assert load(environment={"CP_WHISPERX__THREADS": "", "CP_WHISPERX__STAGES__ASR__SOURCE": ""}) == Settings()


def test_the_file_is_looked_for_in_two_places(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    config("threads = 2", str(tmp_path / "config/cp-whisperx/cp-whisperx.toml"))
    assert load(environment=environment).threads == 2
    config("threads = 3")
    assert load(environment=environment).threads == 3
    assert load(environment=environment, file=config("threads = 4", "other.toml")).threads == 4


def test_the_model_store_follows_the_same_order(tmp_path: Path) -> None:
    assert load(environment={}).model_store.root == default_root()
    config("[model_store]\npath = '~/file'")
    assert load(environment={}).model_store.root == Path.home() / "file"
    environment = {"CP_WHISPERX_MODELS": "~/short"}
    assert load(environment=environment).model_store.root == Path.home() / "short"
    environment["CP_WHISPERX__MODEL_STORE__PATH"] = "/long"
    assert load(environment=environment).model_store.root == Path("/long")


def test_no_folder_is_called_tilde() -> None:
    config("jobs = '~/jobs'")
    assert load(environment={}).jobs == Path.home() / "jobs"


@pytest.mark.parametrize("value", ["srt,vtt", "srt, vtt", ("srt", "vtt"), ["srt", "vtt"], "srt,vtt,srt"])
def test_lists_are_given_with_commas(value: object) -> None:
    chosen = load({"stages.subtitle-gen.formats": value}, environment={"CP_WHISPERX__MODEL_STORE__SOURCES": "package"})
    assert chosen.stage_options["subtitle-gen"]["formats"] == ["srt", "vtt"]
    assert chosen.model_store.sources == ("package",)


# What is refused

REFUSED: dict[str, tuple[str, dict[str, str], dict[str, Any], str]] = {
    "an unknown key in the file":
        ("[stages.asr]\nbeamsize = 2", {}, {}, "setting stages.asr.beamsize: there is no such setting (set in {file})"),
    "an unknown table": ("[stage.asr]\nmodel = 'x'", {}, {}, "setting stage: there is no such setting (set in {file})"),
    "an empty unknown table": ("[stages.as]", {}, {}, "setting stages.as: there is no such setting (set in {file})"),
    "an unknown stage with a hyphen":
        ("[stages.silero-va]\npeak = 1", {}, {}, "setting stages.silero_va: there is no such setting (set in {file})"),
    "an unknown variable":
        ("", {"CP_WHISPERX__STAGES__ASR__MODELL": "x"}, {},
         "setting stages.asr.modell: there is no such setting (set by $CP_WHISPERX__STAGES__ASR__MODELL)"),
    "a wrong type in the file":
        ("threads = 'many'", {}, {}, "setting threads: Input should be a valid integer, unable to parse string as an "
                                     "integer (set in {file})"),
    "a wrong type in a variable over a right one in the file":
        ("[stages.silero-vad]\nthreshold = 0.5", {"CP_WHISPERX__STAGES__SILERO_VAD__THRESHOLD": "high"}, {},
         "setting stages.silero-vad.threshold: Input should be a valid number, unable to parse string as a number "
         "(set by $CP_WHISPERX__STAGES__SILERO_VAD__THRESHOLD)"),
    "a wrong type in a variable below an empty table":
        ("[stages.asr]", {"CP_WHISPERX__STAGES__ASR__BEAM_SIZE": "wide"}, {},
         "setting stages.asr.beam_size: Input should be a valid integer, unable to parse string as an integer "
         "(set by $CP_WHISPERX__STAGES__ASR__BEAM_SIZE)"),
    "out of range on the command line":
        ("[stages.asr]\nbeam_size = 2", {}, {"stages.asr.beam_size": 99},
         "setting stages.asr.beam_size: Input should be less than or equal to 10 (set on the command line)"),
    "no choice": ("device = 'tpu'", {}, {}, "setting device: Input should be 'auto', 'cpu' or 'cuda' (set in {file})"),
    "an unknown format":
        ("", {}, {"stages.subtitle_gen.formats": "srt,doc"},
         "setting stages.subtitle-gen.formats: doc is no format of ours: srt, vtt, ass, ttml, txt, json "
         "(set on the command line)"),
    "an unknown source":
        ("[model_store]\nsources = ['hub', 'ftp']", {}, {},
         "setting model_store.sources: there is no source ftp, only hub and package (set in {file})"),
    "a list with a wrong member":
        ("[model_store]\nsources = [1]", {}, {}, "setting model_store.sources: Input should be a valid string "
                                                 "(set in {file})"),
    "a value for a table": ("stages = 3", {}, {}, "setting stages: Input should be a valid dictionary or instance of "
                                                  "StageSettings (set in {file})"),
    "a table below a value":
        ("", {"CP_WHISPERX__THREADS": "1", "CP_WHISPERX__THREADS__MAX": "1"}, {},
         "setting threads.max: threads is a value, not a table (set by $CP_WHISPERX__THREADS__MAX)"),
    "a table for a value":
        ("[threads]\nmax = 3", {}, {}, "setting threads: Input should be a valid integer (set in {file})"),
}


@pytest.mark.parametrize(("text", "environment", "flags", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_named_with_its_place(text: str, environment: dict[str, str], flags: dict[str, Any],
                                               says: str) -> None:
    file = config(text)
    with pytest.raises(ConfigError) as caught:
        load(flags, environment=environment)
    assert caught.value.message == says.format(file=file)
    assert caught.value.hint


@pytest.mark.parametrize(("text", "hint"), [
    ("[stages.asr]\nbeamsize = 2", "did you mean stages.asr.beam_size?"),
    ("thread = 1", "did you mean threads?"),
    ("[stages.silero-vad]\ntreshold = 1", "did you mean stages.silero-vad.threshold?"),
    ("colour = 'red'", "`cp-whisperx config` shows every setting with its meaning"),
])
def test_the_nearest_key_is_the_hint(text: str, hint: str) -> None:
    config(text)
    with pytest.raises(ConfigError) as caught:
        load(environment={})
    assert caught.value.hint == hint


@pytest.mark.parametrize("data", [b"threads = ", b"threads = 1\nthreads = 2", b"\xff\xfe"],
                         ids=["cut", "twice", "no text"])
def test_a_broken_file_is_said(data: bytes) -> None:
    Path("cp-whisperx.toml").write_bytes(data)
    with pytest.raises(ConfigError, match=r"cp-whisperx\.toml cannot be read as settings"):
        load(environment={})


def test_a_byte_order_mark_is_no_breakage() -> None:
    config("\ufeffthreads = 2")
    assert load(environment={}).threads == 2


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    for path in (Path("none.toml"), tmp_path):
        with pytest.raises(ConfigError, match="there is no settings file") as caught:
            load(file=path)
        assert caught.value.hint == "check --config"


# The example

def test_the_example_is_the_defaults() -> None:
    path = config(settings.example())
    assert load(environment={}) == Settings()
    commented = {line.split()[1] for line in path.read_text().splitlines() if line.startswith("# ") and line[-1] == "="}
    written = {key.rsplit(".", 1)[-1] for key in settings.all_keys()}
    parsed = tomllib.loads(settings.example())
    leaves = [key for key in settings.all_keys() if _has(parsed, key)]
    assert written - {key.rsplit(".", 1)[-1] for key in leaves} <= commented, "every key is in it"


def _has(tree: dict[str, Any], key: str) -> bool:
    node: Any = tree
    for part in key.split("."):
        if not isinstance(node, dict) or part not in node:
            return False
        node = node[part]
    return True


def test_every_stage_and_every_key_is_explained() -> None:
    text = settings.example().splitlines()
    for key in settings.all_keys():
        name = key.rsplit(".", 1)[-1]
        places = [number for number, line in enumerate(text) if line.startswith((f"{name} = ", f"# {name} ="))]
        assert places, key
        assert all(text[place - 1].startswith("# ") and len(text[place - 1]) > 10 for place in places), key
    assert {key.split(".")[1] for key in settings.all_keys() if key.startswith("stages.")} == {
        stage.name for stage in STAGES if stage.options.model_fields}


def test_the_documented_example_is_fresh() -> None:
    shipped = (ROOT / "docs" / "cp-whisperx.toml").read_text(encoding="utf-8")
    assert shipped == settings.example(), "run: cp-whisperx config > docs/cp-whisperx.toml"
