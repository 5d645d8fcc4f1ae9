from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cp_whisperx import log as logs
from cp_whisperx.artifacts import Speech
from cp_whisperx.engines.fake import CountingTranscriber, TextTranscriber
from cp_whisperx.engines.protocols import Heard, Task
from cp_whisperx.errors import ConfigError
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Tools
from cp_whisperx.stages import asr
from cp_whisperx.timeline import SAMPLE_RATE, Segment, SpeechSpan, Word
from scenes.voices import spoken


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    """Five minutes whose loudness rises, so that the fake hears other words everywhere."""
    import wave

    rise = np.linspace(1000, 30000, 300 * SAMPLE_RATE).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(rise.tobytes())
    return Samples(tmp_path / "a.wav")


def speech(*starts: float) -> Speech:
    spans = tuple(SpeechSpan(start, start + 20, start + 0.2, start + 19.8, 0.9, 1.0) for start in starts)
    return Speech(spans=spans, frames="frames.npy", frame_samples=512, speech_s=20.0 * len(starts))


TALK = speech(10, 60, 110, 160, 210, 260)


def tools(work: Path) -> Tools:
    log = logs.get("asr")
    work.mkdir(exist_ok=True)
    return Tools(work, work / "film.mkv", "film", None, ModelStore(work), "cpu", 1, log,
                 Progress("asr", log, terminal=False))


class Killed(Exception):
    pass


class DiesAfter(CountingTranscriber):
    """Stands for the process that is killed while it hears window number `windows` + 1."""

    def __init__(self, windows: int) -> None:
        super().__init__()
        self.windows = windows

    def transcribe(self, wave: Any, *, language: str, task: Task, **manner: Any) -> Heard:
        if self.calls == self.windows:
            raise Killed
        return super().transcribe(wave, language=language, task=task, **manner)


@pytest.mark.parametrize("done_before", [0, 1, 3, 5])
@pytest.mark.parametrize("torn", [False, True])
def test_a_killed_run_goes_on_behind_the_last_window(tmp_path: Path, samples: Samples, done_before: int,
                                                     torn: bool) -> None:
    options = asr.Options(align="off")
    undisturbed = asr.recognise(CountingTranscriber(), samples, TALK, options, tools(tmp_path / "one"))
    work = tmp_path / "two"
    with pytest.raises(Killed):
        asr.recognise(DiesAfter(done_before), samples, TALK, options, tools(work))
    if torn:
        with (work / "windows.jsonl").open("ab") as journal:
            journal.write(b'{"segments": [{"sta')
    again = CountingTranscriber()
    facts = tools(work)
    transcript = asr.recognise(again, samples, TALK, options, facts)
    assert transcript.model_dump_json() == undisturbed.model_dump_json()
    assert again.calls == 6 - done_before
    assert facts.facts["windows"] == f"6 heard, {done_before} of them by an earlier run"
    assert not (work / "windows.jsonl").exists()


class Rough(CountingTranscriber):
    """Knows the line that is spoken, and its words as attention does: all a quarter of a second early."""

    def __init__(self, text: str, onset_s: float, word_s: float) -> None:
        super().__init__()
        self.text, self.onset_s, self.word_s = text, onset_s, word_s

    def transcribe(self, wave: Any, *, language: str, task: Task, **manner: Any) -> Heard:
        self.calls += 1
        words = tuple(Word(max(0.0, self.onset_s + number * self.word_s - 0.25),
                           self.onset_s + (number + 1) * self.word_s - 0.25, f" {word}", 0.9)
                      for number, word in enumerate(self.text.split()))
        return Heard((Segment(words[0].start, words[-1].end, self.text, words, -0.2, 0.0, 1.2),), "rough")


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Samples, Speech]:
    """One line of the scenes' dialogue from 1.0 s on, four seconds later the same again."""
    import wave

    text, clip = next((line.text, clip) for line, clip in spoken(SAMPLE_RATE).items() if "Dahisar" in line.text)
    pause = np.zeros(SAMPLE_RATE, np.float32)
    voice = clip.samples[clip.onset:clip.end] * np.float32(0.1)
    length_s = voice.size / SAMPLE_RATE
    path = tmp_path_factory.mktemp("line") / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.concatenate([pause, voice, pause, pause, voice, pause]) * 32767).astype("<i2").tobytes())
    spans = tuple(SpeechSpan(onset - 0.2, onset + length_s + 0.2, onset, onset + length_s, 0.9, 1.0)
                  for onset in (1.0, 3.0 + length_s))
    return text, Samples(path), Speech(spans=spans, frames="f.npy", frame_samples=512, speech_s=2 * length_s)


@pytest.mark.parametrize("threads", [1, 2])
def test_english_words_are_aligned_with_the_sound(tmp_path: Path, line: tuple[str, Samples, Speech],
                                                  threads: int) -> None:
    text, samples, talk = line
    length_s = talk.spans[0].offset - talk.spans[0].onset
    words = len(text.split())
    engine = Rough(text, 0.2, length_s / words)
    facts = replace(tools(tmp_path / "w"), threads=threads)
    transcript = asr.recognise(engine, samples, talk, asr.Options(), facts)
    (segment,) = transcript.segments
    assert [word.timing for word in segment.words] == ["aligned"] * words
    assert facts.facts["word_times"] == f"{words} of {words} words aligned"
    assert segment.start == talk.spans[0].onset and abs(segment.end - talk.spans[0].offset) < 0.1
    rough = asr.recognise(engine, samples, talk, asr.Options(align="off"), tools(tmp_path / "off"))
    assert [word.timing for word in rough.segments[0].words] == ["attention"] * words
    assert rough.segments[0].end < talk.spans[0].offset - 0.2


def test_a_run_killed_before_alignment_ends_with_the_same_times(tmp_path: Path,
                                                                line: tuple[str, Samples, Speech]) -> None:
    text, samples, talk = line
    engine = Rough(text, 0.2, (talk.spans[0].offset - talk.spans[0].onset) / len(text.split()))
    engine.window_s = 5.0
    undisturbed = asr.recognise(engine, samples, talk, asr.Options(), tools(tmp_path / "one"))

    class DiesAtTheSecond(Rough):
        window_s = 5.0

        def transcribe(self, wave: Any, *, language: str, task: Task, **manner: Any) -> Heard:
            if self.calls:
                raise Killed
            return super().transcribe(wave, language=language, task=task, **manner)

    with pytest.raises(Killed):
        asr.recognise(DiesAtTheSecond(text, engine.onset_s, engine.word_s), samples, talk, asr.Options(),
                      tools(tmp_path / "two"))
    again = asr.recognise(engine, samples, talk, asr.Options(), tools(tmp_path / "two"))
    assert again.model_dump_json() == undisturbed.model_dump_json()
    assert {word.timing for segment in again.segments for word in segment.words} == {"aligned"}


def test_without_the_aligner_the_times_are_the_models_own(tmp_path: Path, samples: Samples,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asr.pocketsphinx, "available", lambda: False)
    told = tools(tmp_path / "w")
    transcript = asr.recognise(CountingTranscriber(), samples, TALK, asr.Options(), told)
    assert {word.timing for segment in transcript.segments for word in segment.words} == {"attention"}
    assert "not installed" in told.warnings[0]


def test_words_are_in_the_spans_and_in_order(tmp_path: Path, samples: Samples) -> None:
    transcript = asr.recognise(CountingTranscriber(), samples, TALK, asr.Options(align="off"), tools(tmp_path / "w"))
    words = [word for segment in transcript.segments for word in segment.words]
    clock = 0.0
    for word in words:
        assert clock <= word.start <= word.end
        assert any(span.onset <= word.start and word.end <= span.offset for span in TALK.spans)
        clock = word.end


class Babel(CountingTranscriber):
    """Hears another language at the beginning of the film than in the rest of it."""

    def __init__(self, first: dict[str, float], rest: dict[str, float]) -> None:
        super().__init__()
        self.first, self.rest = first, rest

    def languages(self, wave: Any) -> dict[str, float]:
        return self.first if float(abs(wave).max()) < 0.2 else self.rest


VOTES: dict[str, tuple[asr.Options, tuple[dict[str, float], dict[str, float]], str, str]] = {
    "the whole film outvotes its beginning": (
        asr.Options(align="off"), ({"en": 0.9}, {"hi": 0.8, "en": 0.1}), "hi", "voted"),
    "Urdu counts for Hindi": (
        asr.Options(align="off"), ({"ur": 0.5, "pa": 0.3}, {"hi": 0.2, "ur": 0.25, "pa": 0.3}), "hi", "voted"),
    "asked for": (asr.Options(source="Tamil", align="off"), ({"en": 0.9}, {"en": 0.9}), "ta", "pinned"),
}


@pytest.mark.parametrize("name", VOTES)
def test_language(tmp_path: Path, samples: Samples, name: str) -> None:
    options, (first, rest), language, how = VOTES[name]
    transcript = asr.recognise(Babel(first, rest), samples, TALK, options, tools(tmp_path / "w"))
    assert (transcript.spoken.language, transcript.spoken.how) == (language, how)


def test_an_english_model_is_not_asked(tmp_path: Path, samples: Samples) -> None:
    engine = CountingTranscriber()
    engine.multilingual = False
    transcript = asr.recognise(engine, samples, TALK, asr.Options(align="off"), tools(tmp_path / "w"))
    assert (transcript.language, transcript.spoken.how) == ("en", "model")


def test_translation_is_english_text_of_another_language(tmp_path: Path, samples: Samples) -> None:
    transcript = asr.recognise(CountingTranscriber(language="hi"), samples, TALK, asr.Options(task="translate"),
                               tools(tmp_path / "w"))
    assert (transcript.language, transcript.spoken.language) == ("en", "hi")


class Interpreter(Rough):
    """Hears the line as `Rough` does, and a translation of three words that is spread over all of the window."""

    def transcribe(self, wave: Any, *, language: str, task: Task, **manner: Any) -> Heard:
        if task == "transcribe":
            return super().transcribe(wave, language=language, task=task, **manner)
        self.calls += 1
        end = wave.size / SAMPLE_RATE
        words = tuple(Word(end * number / 3, end * (number + 1) / 3, text, 0.9)
                      for number, text in enumerate((" Where", " is", " Gurpreet?")))
        return Heard((Segment(0.0, end, "Where is Gurpreet?", words, -0.2, 0.0, 1.2),), "fake")


def test_a_translation_has_the_times_of_the_words_spoken(tmp_path: Path, line: tuple[str, Samples, Speech]) -> None:
    """The first line is spoken and the second is not, as far as the transcription knows: no word lies in it."""
    _, samples, talk = line
    length_s = talk.spans[0].offset - talk.spans[0].onset
    text = "गुरप्रीत कहाँ है"
    engine = Interpreter(text, 0.45, length_s / 3)
    options = asr.Options(source="hi", task="translate")
    transcript = asr.recognise(engine, samples, talk, options, tools(tmp_path / "w"))
    words = [word for segment in transcript.segments for word in segment.words]
    assert [word.text for word in words] == [" Where", " is", " Gurpreet?"]
    assert {word.timing for word in words} == {"carried"}
    assert words[0].start == talk.spans[0].onset and words[-1].end <= talk.spans[0].offset + 0.01
    assert (transcript.language, transcript.script, engine.calls) == ("en", "Latn", 2)
    rough = asr.recognise(engine, samples, talk, asr.Options(source="hi", task="translate", align="off"),
                          tools(tmp_path / "off"))
    assert rough.segments[0].end > talk.spans[1].onset
    assert engine.calls == 3


SCRIPTS: dict[str, tuple[asr.Options, tuple[str, ...], str, str, int]] = {
    "Hindi": (asr.Options(source="hi"), ("یہ ٹھیک", "यह ठीक"), "यह ठीक", "Deva", 0),
    "Hindi in Roman letters": (asr.Options(source="hi", script="roman"), ("यह ठीक",), "yah theek", "Latn", 0),
    "a noisy window of an English film": (
        asr.Options(source="en", align="off"), ("Спасибо", "thank you"), "thank you", "Latn", 6),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_text_is_in_the_script_of_the_film(tmp_path: Path, samples: Samples, name: str) -> None:
    options, texts, expected, script, heard_again = SCRIPTS[name]
    transcript = asr.recognise(TextTranscriber(*texts), samples, TALK, options, tools(tmp_path / "w"))
    assert {segment.text for segment in transcript.segments} == {expected}
    assert transcript.script == script
    assert len(transcript.decisions) == heard_again
    for decision in transcript.decisions:
        assert (decision.before, decision.after, decision.reason) == (texts[0], texts[1], "another script")


DOUBTS = {
    "fine": (("Hello.", -0.3, 0.1, 1.2), None),
    "unsure but spoken": (("Hello.", -2.1, 0.1, 1.2), None),
    "no speech, and unsure": (("Thank you.", -1.3, 0.7, 1.2), "no speech"),
    "no speech, but sure": (("Hello.", -0.3, 0.9, 1.2), None),
    "a loop": (("ha ha ha ha", -0.3, 0.1, 4.0), "a loop"),
    "punctuation": ((" ... ", -0.1, 0.0, 0.8), "punctuation only"),
    "Devanagari is text": (("नमस्ते", -0.5, 0.1, 1.0), None),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_is_not_believed(name: str) -> None:
    (text, logprob, no_speech, ratio), reason = DOUBTS[name]
    found = asr.doubt(Segment(0.0, 1.0, text, (Word(0.0, 1.0, text, 0.5),), logprob, no_speech, ratio))
    assert (found or "").startswith(reason or "") and bool(found) == bool(reason)


REFUSED = {
    "no such language": (asr.Options(source="klingon"), "no language that Whisper knows"),
    "English model, Hindi film": (asr.Options(model="tiny.en", source="hi"), "knows English alone"),
    "a model that cannot translate": (asr.Options(model="large-v3-turbo", task="translate"), "cannot translate"),
    "a model of another kind": (asr.Options(model="silero-vad"), "no speech recogniser"),
    "no such model": (asr.Options(model="bass"), "no model called bass"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_model_cannot_do_is_said_at_once(name: str) -> None:
    options, text = REFUSED[name]
    with pytest.raises(ConfigError, match=text):
        asr._check(options)


def test_the_journal_holds_what_was_heard(tmp_path: Path, samples: Samples) -> None:
    with pytest.raises(Killed):
        asr.recognise(DiesAfter(2), samples, TALK, asr.Options(align="off"), tools(tmp_path / "w"))
    lines = (tmp_path / "w" / "windows.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["language"] == "en"
    assert len(lines) == 3
