from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cp_whisperx import log as logs
from cp_whisperx.artifacts import Glossary, Name, SpeakerActivity
from cp_whisperx.engines.fake import CountingTranscriber, SteadySound, TextTranscriber, WordTranslator
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


def speech(*starts: float) -> SpeakerActivity:
    spans = tuple(SpeechSpan(start, start + 20, start + 0.2, start + 19.8, 0.9, 1.0) for start in starts)
    return SpeakerActivity(spans=spans, speech_s=20.0 * len(starts), frames="frames.npy", windows="windows.npy",
                           window_s=5.0, step_s=0.5, first_frame_s=0.03, frame_s=0.017, shares=())


SURE = SteadySound()
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
    undisturbed = asr.recognise(CountingTranscriber(), samples, TALK, options, tools(tmp_path / "one"), SURE)
    work = tmp_path / "two"
    with pytest.raises(Killed):
        asr.recognise(DiesAfter(done_before), samples, TALK, options, tools(work), SURE)
    if torn:
        with (work / "windows.jsonl").open("ab") as journal:
            journal.write(b'{"segments": [{"sta')
    again = CountingTranscriber()
    facts = tools(work)
    transcript = asr.recognise(again, samples, TALK, options, facts, SURE)
    assert transcript.model_dump_json() == undisturbed.model_dump_json()
    assert again.calls == 6 - done_before
    assert facts.facts["windows"] == f"6 heard, {done_before} of them by an earlier run"
    assert not (work / "windows.jsonl").exists()


OFF = asr.Options(align="off")
UNALIGNED = asr.Options(align="off", second_hearing=False)
ALONE = asr.Options(second_hearing=False)
"""For engines that know one line and say it wherever they are asked."""


Line = tuple[str, Samples, SpeakerActivity]


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
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
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
    return text, Samples(path), speech(*(1.0, 3.0 + length_s)).model_copy(update={"spans": spans})


@pytest.mark.parametrize("threads", [1, 2])
def test_english_words_are_aligned_with_the_sound(tmp_path: Path, line: Line,
                                                  threads: int) -> None:
    text, samples, talk = line
    length_s = talk.spans[0].offset - talk.spans[0].onset
    words = len(text.split())
    engine = Rough(text, 0.2, length_s / words)
    facts = replace(tools(tmp_path / "w"), threads=threads)
    transcript = asr.recognise(engine, samples, talk, ALONE, facts, SURE)
    (segment,) = transcript.segments
    assert [word.timing for word in segment.words] == ["aligned"] * words
    assert facts.facts["word_times"] == f"{words} of {words} words aligned"
    assert segment.start == talk.spans[0].onset and abs(segment.end - talk.spans[0].offset) < 0.1
    rough = asr.recognise(engine, samples, talk, UNALIGNED, tools(tmp_path / "off"), SURE)
    assert [word.timing for word in rough.segments[0].words] == ["attention"] * words
    assert rough.segments[0].end < talk.spans[0].offset - 0.2


def test_a_run_killed_before_alignment_ends_with_the_same_times(tmp_path: Path,
                                                                line: Line) -> None:
    text, samples, talk = line
    engine = Rough(text, 0.2, (talk.spans[0].offset - talk.spans[0].onset) / len(text.split()))
    engine.window_s = 5.0
    undisturbed = asr.recognise(engine, samples, talk, ALONE, tools(tmp_path / "one"), SURE)

    class DiesAtTheSecond(Rough):
        window_s = 5.0

        def transcribe(self, wave: Any, *, language: str, task: Task, **manner: Any) -> Heard:
            if self.calls:
                raise Killed
            return super().transcribe(wave, language=language, task=task, **manner)

    with pytest.raises(Killed):
        asr.recognise(DiesAtTheSecond(text, engine.onset_s, engine.word_s), samples, talk, ALONE,
                      tools(tmp_path / "two"), SURE)
    again = asr.recognise(engine, samples, talk, ALONE, tools(tmp_path / "two"), SURE)
    assert again.model_dump_json() == undisturbed.model_dump_json()
    assert {word.timing for segment in again.segments for word in segment.words} == {"aligned"}


def test_without_the_aligner_the_times_are_the_models_own(tmp_path: Path, samples: Samples,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asr.pocketsphinx, "available", lambda: False)
    told = tools(tmp_path / "w")
    transcript = asr.recognise(CountingTranscriber(), samples, TALK, asr.Options(), told, SURE)
    assert {word.timing for segment in transcript.segments for word in segment.words} == {"attention"}
    assert "not installed" in told.warnings[0]


def test_words_are_in_the_spans_and_in_order(tmp_path: Path, samples: Samples) -> None:
    transcript = asr.recognise(CountingTranscriber(), samples, TALK, OFF, tools(tmp_path / "w"), SURE)
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
    transcript = asr.recognise(Babel(first, rest), samples, TALK, options, tools(tmp_path / "w"), SURE)
    assert (transcript.spoken.language, transcript.spoken.how) == (language, how)


def test_an_english_model_is_not_asked(tmp_path: Path, samples: Samples) -> None:
    engine = CountingTranscriber()
    engine.multilingual = False
    transcript = asr.recognise(engine, samples, TALK, OFF, tools(tmp_path / "w"), SURE)
    assert (transcript.language, transcript.spoken.how) == ("en", "model")


def test_translation_is_english_text_of_another_language(tmp_path: Path, samples: Samples) -> None:
    transcript = asr.recognise(CountingTranscriber(language="hi"), samples, TALK, asr.Options(task="translate"),
                               tools(tmp_path / "w"), SURE)
    assert (transcript.language, transcript.spoken.language) == ("en", "hi")


def test_a_translator_reads_what_was_heard_and_its_words_have_the_times_of_the_spoken_ones(tmp_path: Path,
                                                                                          samples: Samples) -> None:
    engine = TextTranscriber("मैं घर जाता हूँ", language="hi")
    options = asr.Options(source="hi", task="translate", second_hearing=False)
    translator = WordTranslator({"मैं": "Ich", "घर": "gehe", "जाता": "nach", "हूँ": "Hause"}, target="de")
    transcript = asr.recognise(engine, samples, TALK, options, tools(tmp_path / "w"), SURE, translator=translator)
    spoken = asr.recognise(engine, samples, TALK, asr.Options(source="hi", second_hearing=False),
                           tools(tmp_path / "spoken"), SURE)
    assert (transcript.language, transcript.spoken.language, transcript.script) == ("de", "hi", "Latn")
    first, meant = transcript.segments[0], spoken.segments[0]
    assert [word.text for word in first.words] == [" Ich", " gehe", " nach", " Hause"]
    assert {word.timing for word in first.words} == {"carried"}
    assert (first.start, first.end) == (meant.start, meant.end)


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


def test_a_translation_has_the_times_of_the_words_spoken(tmp_path: Path, line: Line) -> None:
    """The first line is spoken and the second is not, as far as the transcription knows: no word lies in it."""
    _, samples, talk = line
    length_s = talk.spans[0].offset - talk.spans[0].onset
    text = "गुरप्रीत कहाँ है"
    engine = Interpreter(text, 0.45, length_s / 3)
    options = asr.Options(source="hi", task="translate", second_hearing=False)
    transcript = asr.recognise(engine, samples, talk, options, tools(tmp_path / "w"), SURE)
    words = [word for segment in transcript.segments for word in segment.words]
    assert [word.text for word in words] == [" Where", " is", " Gurpreet?"]
    assert {word.timing for word in words} == {"carried"}
    assert words[0].start == talk.spans[0].onset and words[-1].end <= talk.spans[0].offset + 0.01
    assert (transcript.language, transcript.script, engine.calls) == ("en", "Latn", 2)
    off = asr.Options(source="hi", task="translate", align="off", second_hearing=False)
    rough = asr.recognise(engine, samples, talk, off,
                          tools(tmp_path / "off"), SURE)
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
    transcript = asr.recognise(TextTranscriber(*texts), samples, TALK, options, tools(tmp_path / "w"), SURE)
    assert {segment.text for segment in transcript.segments} == {expected}
    assert transcript.script == script
    assert len(transcript.decisions) == heard_again
    for decision in transcript.decisions:
        assert (decision.before, decision.after, decision.reason) == (texts[0], texts[1], "another script")


class Forgetful(CountingTranscriber):
    """Hears nothing in whole windows that are quiet, and what it gives for loud ones is a loop; alone it hears all."""

    def transcribe(self, wave: Any, *, language: str, task: Task, **manner: Any) -> Heard:
        heard = super().transcribe(wave, language=language, task=task)
        first_pass = self.calls <= 6
        if first_pass and self.calls == 2:
            return Heard((), "fake")
        if first_pass and self.calls == 4:
            words = tuple(Word(number * 0.5, number * 0.5 + 0.4, "ha", 0.9) for number in range(30))
            return Heard((Segment(0.0, 14.9, "ha " * 30, words, -0.2, 0.1, 4.0),), "fake")
        return heard


@pytest.mark.parametrize("done_before", [None, 3, 6, 7])
def test_lost_speech_is_heard_again_alone(tmp_path: Path, samples: Samples, done_before: int | None) -> None:
    """Also by a run that was killed in the middle of the second hearing."""
    undisturbed = asr.recognise(Forgetful(), samples, TALK, OFF, tools(tmp_path / "one"), SURE)
    assert [(drop.guard, drop.hearing, drop.start) for drop in undisturbed.dropped] == [("loop", 1, 160.2)]
    covered = {int(segment.start // 50) for segment in undisturbed.segments}
    assert covered == {0, 1, 2, 3, 4, 5}
    assert undisturbed.unheard == ()
    if done_before is None:
        return

    class Dying(Forgetful):
        def transcribe(self, wave: Any, *, language: str, task: Task, **manner: Any) -> Heard:
            if self.calls == done_before:
                raise Killed
            return super().transcribe(wave, language=language, task=task)

    work = tmp_path / "two"
    with pytest.raises(Killed):
        asr.recognise(Dying(), samples, TALK, asr.Options(), tools(work), SURE)
    rest = Forgetful()
    rest.calls = done_before
    again = asr.recognise(rest, samples, TALK, asr.Options(), tools(work), SURE)
    assert again.model_dump_json() == undisturbed.model_dump_json()
    assert rest.calls == 8


def test_what_stays_unheard_is_told(tmp_path: Path, samples: Samples) -> None:
    class Deaf(CountingTranscriber):
        def transcribe(self, wave: Any, *, language: str, task: Task, **manner: Any) -> Heard:
            self.calls += 1
            return super().transcribe(wave, language=language, task=task) if self.calls == 1 else Heard((), "fake")

    facts = tools(tmp_path / "w")
    transcript = asr.recognise(Deaf(), samples, TALK, asr.Options(), facts, SURE)
    assert [(span.start, span.end) for span in transcript.unheard] == [
        (start + 0.2, start + 19.8) for start in (60, 110, 160, 210, 260)]
    assert facts.warnings == ["98 s of 120 s of speech got no words, in 5 places: a larger model may hear them"]


def test_the_second_hearing_can_be_left_out(tmp_path: Path, samples: Samples) -> None:
    engine = Forgetful()
    transcript = asr.recognise(engine, samples, TALK, asr.Options(second_hearing=False), tools(tmp_path / "w"), SURE)
    assert engine.calls == 6
    assert [span.start for span in transcript.unheard] == [60.2, 160.2]


def test_faint_speech_needs_more_credit(tmp_path: Path, samples: Samples) -> None:
    """What a lower threshold finds beside the spans is tried; the fake is sure of it, so it counts."""
    faint = SteadySound(faint=(*TALK.spans, SpeechSpan(90, 94, 90.2, 93.8, 0.3, 0.4)))
    transcript = asr.recognise(CountingTranscriber(), samples, TALK, OFF, tools(tmp_path / "a"), faint)
    assert any(90 <= segment.start < 94 for segment in transcript.segments)

    class Unsure(CountingTranscriber):
        def transcribe(self, wave: Any, *, language: str, task: Task, **manner: Any) -> Heard:
            heard = super().transcribe(wave, language=language, task=task)
            if self.calls <= 6:
                return heard
            return Heard(tuple(replace(segment, avg_logprob=-0.9) for segment in heard.segments), heard.attempt)

    transcript = asr.recognise(Unsure(), samples, TALK, OFF, tools(tmp_path / "b"), faint)
    assert [(drop.guard, drop.hearing) for drop in transcript.dropped] == [("faintness", 2)]
    assert not any(90 <= segment.start < 94 for segment in transcript.segments)


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
        asr.recognise(DiesAfter(2), samples, TALK, OFF, tools(tmp_path / "w"), SURE)
    lines = (tmp_path / "w" / "windows.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["language"] == "en"
    assert len(lines) == 3


CAST = Glossary(names=(Name(canonical="Simran", kind="person", source="", weight=0.9),))
ASKED = {
    "a name is known": (CAST, asr.Options(), True),
    "no name is known": (Glossary(names=()), asr.Options(), False),
    "switched off": (CAST, asr.Options(names=False), False),
    "in another script": (CAST, asr.Options(source="hi"), False),
}


class Unsure(TextTranscriber):
    def expecting(self, _wave: Any, names: str, **_: Any) -> tuple[str, ...]:
        self.expected = names
        return ()

    expected = ""

    def score(self, *_: Any, **manner: Any) -> tuple[float, ...]:
        self.asked_for = manner["names"]
        return super().score(*_, **manner)

    asked_for = ""


@pytest.mark.parametrize("name", ASKED)
def test_a_name_is_asked_for_and_nothing_else_is_heard_for_it(tmp_path: Path, samples: Samples, name: str) -> None:
    glossary, options, asked = ASKED[name]
    text = "सिमरन घर" if options.source else "come here sign run please"
    engines = [Unsure(text, language=options.source or "en") for _ in "ab"]
    talk = speech(10)
    options = options.model_copy(update={"align": "off", "second_hearing": False})
    made, without = (
        asr.recognise(engine, samples, talk, options, tools(tmp_path / str(number)), SURE, known)
        for number, (engine, known) in enumerate(zip(engines, (glossary, None), strict=True)))
    assert (engines[0].asked_for, engines[1].asked_for) == ("Simran." if asked else "", "")
    assert (engines[0].expected, engines[1].expected) == (engines[0].asked_for, "")
    found = [(one.first, one.count, one.name) for segment in made.segments for one in segment.alternatives]
    assert found == ([(2, 2, "Simran")] if asked else [])
    assert [replace(segment, alternatives=()) for segment in made.segments] == list(without.segments)


def test_of_a_large_cast_those_spoken_of_lately_are_expected(tmp_path: Path, samples: Samples) -> None:
    class Asked(TextTranscriber):
        def score(self, *_: Any, **manner: Any) -> tuple[float, ...]:
            told.append(manner["names"])
            return super().score(*_, **manner)

    told: list[str] = []
    cast = [Name(canonical=f"Person{number}", kind="person", source="", weight=0.9) for number in range(200)]
    known = Glossary(names=(*cast, Name(canonical="Zubeida", kind="person", source="", weight=0.5)))
    asr.recognise(Asked("Zubeida, come here", language="en"), samples, TALK, OFF, tools(tmp_path), SURE, known)
    assert "Zubeida" not in told[0] and "Zubeida" in told[-1]
    assert all(len(one.split()) <= 100 for one in told)
