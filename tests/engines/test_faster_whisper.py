from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cp_whisperx.engines import device as devices
from cp_whisperx.engines import faster_whisper
from cp_whisperx.engines.device import Device
from cp_whisperx.engines.faster_whisper import WhisperTranscriber
from cp_whisperx.errors import EngineError
from cp_whisperx.models.store import ModelStore
from cp_whisperx.timeline import SAMPLE_RATE
from scenes.voices import spoken

pytestmark = pytest.mark.real
LOG = logging.getLogger("test")


def load(models: ModelStore, name: str, device: str = "cpu") -> WhisperTranscriber:
    return WhisperTranscriber(models.path(name), device=device, threads=2, beam_size=5, log=LOG)


def test_words_have_times_and_repeat_exactly(models: ModelStore, shared_media: Path, tmp_path: Path) -> None:
    from cp_whisperx.media import decode
    from cp_whisperx.media.samples import Samples

    engine = load(models, "tiny.en")
    assert not engine.multilingual
    decode.extract(shared_media / "speech" / "speechbrain" / "spk1_snt1.wav", 0, tmp_path / "audio.wav")
    samples = Samples(tmp_path / "audio.wav")
    sound = samples.slice(0, len(samples))
    heard = engine.transcribe(sound, language="en", task="transcribe")
    words = [word for segment in heard.segments for word in segment.words]
    assert len(words) >= 3
    assert all(0 <= word.start <= word.end <= sound.size / 16_000 + 0.1 for word in words)
    assert all(0 < word.probability <= 1 for word in words)
    assert engine.transcribe(sound, language="en", task="transcribe") == heard


@pytest.mark.parametrize("name", ["tiny.en", "base"])
def test_the_words_that_were_said_are_the_probable_ones(models: ModelStore, name: str) -> None:
    """And a name more so where it is expected. That a sound just heard is not encoded again makes no difference."""
    clip = next(clip for line, clip in spoken(SAMPLE_RATE).items() if line.text.startswith("Uncle, did you ask"))
    sound = clip.samples * np.float32(0.1)
    said = (" Uncle,", " did", " you", " ask", " her", " about", " the", " letter?")
    named = (" Kuljeet,", *said[1:])
    engine = load(models, name)
    manner: dict[str, Any] = {"language": "en", "task": "transcribe"}
    fresh = engine.score(sound, said, **manner)
    engine.transcribe(sound, **manner)
    assert engine.score(sound, said, **manner) == fresh
    assert len(fresh) == len(said) and all(score <= 0 for score in fresh)
    for number in (0, 3, 7):
        other = (*said[:number], " elephants", *said[number + 1:])
        assert sum(engine.score(sound, other, **manner)) < sum(fresh) - 4
    assert engine.score(sound, named, names="Kuljeet, Baldev.", **manner)[0] > engine.score(sound, named, **manner)[0]
    assert engine.score(sound, (), **manner) == ()


@pytest.mark.parametrize("name", ["tiny.en", "base"])
def test_what_is_heard_again_is_about_what_was_heard(models: ModelStore, name: str) -> None:
    clip = next(clip for line, clip in spoken(SAMPLE_RATE).items() if line.text.startswith("Uncle, did you ask"))
    sound = clip.samples * np.float32(0.1)
    engine = load(models, name)
    manner: dict[str, Any] = {"language": "en", "task": "transcribe"}
    fresh = engine.expecting(sound, "Kuljeet, Baldev.", **manner)
    assert "".join(fresh).strip().endswith("did you ask her about the letter?")
    engine.transcribe(sound, **manner)
    assert engine.expecting(sound, "Kuljeet, Baldev.", **manner) == fresh


@pytest.mark.media
def test_a_lock_keeps_the_decoder_in_a_script(models: ModelStore, shared_media: Path, tmp_path: Path) -> None:
    from cp_whisperx import scripts
    from cp_whisperx.media import decode
    from cp_whisperx.media.samples import Samples

    engine = WhisperTranscriber(models.path("base"), device="cpu", threads=2, beam_size=1, log=LOG)
    decode.extract(shared_media / "hindi" / "stories" / "1102_098.wav", 0, tmp_path / "audio.wav")
    samples = Samples(tmp_path / "audio.wav")
    sound = samples.slice(0, len(samples))
    locked, latin = (
        " ".join(segment.text for segment in engine.transcribe(
            sound, language="hi", task="transcribe", scripts=allowed).segments)
        for allowed in (frozenset((scripts.DEVANAGARI,)), frozenset((scripts.LATIN,))))
    assert scripts.counted(locked)[scripts.DEVANAGARI] > 10
    assert not scripts.foreign(locked, frozenset((scripts.DEVANAGARI,)))
    assert scripts.counted(latin)[scripts.LATIN] > 10
    assert not scripts.foreign(latin, frozenset((scripts.LATIN,)))


def test_a_gpu_that_fails_is_given_up_for_the_cpu(models: ModelStore, monkeypatch: pytest.MonkeyPatch,
                                                  caplog: pytest.LogCaptureFixture) -> None:
    """No GPU is needed for this: CTranslate2 without one refuses CUDA just as a missing library makes it do."""
    real = devices.choose
    monkeypatch.setattr(devices, "choose", lambda wanted: real("cpu") if wanted == "cpu"
                        else Device("cuda", "float16", "pretended"))
    with caplog.at_level(logging.WARNING):
        engine = load(models, "tiny.en", device="auto")
    assert (engine.device.name, engine.device.reason) == ("cpu", "the GPU failed")
    assert "going on with the CPU" in caplog.text


@pytest.mark.parametrize("name", ["tiny.en", "base"])
def test_the_first_computation_on_a_gpu_suits_every_model(models: ModelStore, monkeypatch: pytest.MonkeyPatch,
                                                          name: str) -> None:
    """What is tried on a GPU at loading runs here on the CPU: an English model knows no language detection."""
    import faster_whisper as library

    class OnCpu(library.WhisperModel):  # type: ignore[misc]
        def __init__(self, path: str, **options: Any) -> None:
            super().__init__(path, **(options | {"device": "cpu", "compute_type": "int8"}))

    monkeypatch.setattr(library, "WhisperModel", OnCpu)
    WhisperTranscriber._load(models.path(name), Device("cuda", "float16", "pretended"), 2)


def test_a_broken_model_is_one_sentence(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(EngineError, match="cannot be loaded"):
        WhisperTranscriber(tmp_path, device="cpu", threads=1, beam_size=1, log=LOG)


def test_a_loop_is_decoded_again_without_repeats(models: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from cp_whisperx.timeline import Segment, Word

    engine = load(models, "tiny.en")
    asked: list[dict[str, Any]] = []

    def decode(wave: object, language: str, task: str, options: dict[str, Any]) -> tuple[Segment, ...]:
        asked.append(options)
        ratio = 1.2 if "no_repeat_ngram_size" in options else 5.0
        return (Segment(0.0, 1.0, "word", (Word(0.0, 1.0, " word", 0.9),), -0.3, 0.0, ratio),)

    monkeypatch.setattr(engine, "_decode", decode)
    heard = engine.transcribe(np.zeros(16_000, np.float32), language="en", task="transcribe")
    assert heard.attempt == "no-repeat"
    both = {"suppress_tokens": [-1], "initial_prompt": None}
    assert asked == [both | options for _, options in faster_whisper._ATTEMPTS]


def test_a_locked_decoder_may_not_repeat_itself(models: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load(models, "tiny.en")
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(engine, "_decode", lambda wave, language, task, options: asked.append(options) or ())
    for allowed in (frozenset[str](), frozenset(("LATIN",))):
        engine.transcribe(np.zeros(16_000, np.float32), language="en", task="transcribe", scripts=allowed)
    free, locked = asked
    assert free["suppress_tokens"] == [-1] and "no_repeat_ngram_size" not in free
    assert len(locked["suppress_tokens"]) > 100 and locked["no_repeat_ngram_size"] == 4


RATIOS = {
    "मैं आज शाम को घर जा रहा हूँ और फिर बाज़ार से कुछ सामान लाऊँगा": False,
    "फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली फ़िली": True,
    "I came back last week, because a stranger called me from a shop in Chandni Chowk.": False,
    "Go to the bus safe. Go to the bus safe. Go to the bus safe. Go to the bus safe. Go to the bus safe.": True,
    "": False,
}


@pytest.mark.parametrize("text", RATIOS)
def test_loops_are_told_from_text_in_any_script(text: str) -> None:
    assert (faster_whisper.compression_ratio(text) > faster_whisper.LOOP_RATIO) == RATIOS[text]


def test_device_is_chosen_with_a_reason() -> None:
    chosen = devices.choose("cpu")
    assert (chosen.name, chosen.compute_type, chosen.reason) == ("cpu", "int8", "asked for")
    asked = devices.choose("cuda")
    assert asked.name == "cuda" or "although cuda was asked for" in asked.reason
