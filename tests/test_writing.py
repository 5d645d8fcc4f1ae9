from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cp_whisperx.engines.fake import TextTranscriber
from cp_whisperx.engines.protocols import Heard, Task
from cp_whisperx.scripts import DEVANAGARI, LATIN
from cp_whisperx.writing import Policy, Writing, hear, romanised, writing

HINDI, ROMAN, ANY = frozenset((DEVANAGARI,)), frozenset((LATIN,)), frozenset[str]()
BOTH = HINDI | ROMAN
PROMPT = "यह एक हिन्दी फ़िल्म की बातचीत है।"
SOUND = np.zeros(16_000, np.float32)

POLICIES: dict[tuple[str, Task, Policy], tuple[Writing, str]] = {
    ("hi", "transcribe", "auto"): (Writing(HINDI, HINDI, HINDI, prompt=PROMPT), "Deva"),
    ("hi", "transcribe", "devanagari"): (Writing(HINDI, HINDI, HINDI, prompt=PROMPT), "Deva"),
    ("hi", "transcribe", "roman"): (Writing(HINDI, HINDI, HINDI, roman=True, prompt=PROMPT), "Latn"),
    ("hi", "transcribe", "mixed"): (Writing(BOTH, BOTH, HINDI), ""),
    ("mr", "transcribe", "auto"): (Writing(HINDI, HINDI, HINDI), "Deva"),
    ("hi", "translate", "devanagari"): (Writing(ANY, ROMAN, ROMAN), "Latn"),
    ("en", "transcribe", "auto"): (Writing(ANY, ROMAN, ROMAN), "Latn"),
    ("en", "transcribe", "roman"): (Writing(ANY, ROMAN, ROMAN), "Latn"),
    ("ta", "transcribe", "auto"): (Writing(ANY, frozenset(("TAMIL", LATIN)), frozenset(("TAMIL", LATIN))), ""),
}


@pytest.mark.parametrize("case", POLICIES, ids=" ".join)
def test_a_policy_says_what_may_be_written(case: tuple[str, Task, Policy]) -> None:
    expected, script = POLICIES[case]
    assert writing(*case) == expected
    assert writing(*case).script == script


def heard(engine: TextTranscriber, policy: Policy = "auto", language: str = "hi", hints: str = "") -> Heard:
    return hear(engine, SOUND, language=language, task="transcribe", writing=writing(language, "transcribe", policy),
                hints=hints)


def text(found: Heard) -> str:
    return " ".join(segment.text for segment in found.segments)


def test_the_decoder_is_locked_from_the_start() -> None:
    engine = TextTranscriber("یہ کیا ہے", "यह क्या है")
    found = heard(engine)
    assert (text(found), found.refused, engine.asked) == ("यह क्या है", (), [(HINDI, PROMPT)])


def test_a_window_in_another_script_is_heard_again() -> None:
    engine = TextTranscriber("Спасибо за просмотр", "thank you all", language="en")
    found = heard(engine, language="en")
    assert text(found) == "thank you all"
    assert [segment.text for segment in found.refused] == ["Спасибо за просмотр"]
    assert engine.asked == [(ANY, ""), (ROMAN, "")]


def test_mixed_keeps_english_words_and_nothing_else() -> None:
    assert text(heard(TextTranscriber("मैं theek हूँ"), "mixed")) == "मैं theek हूँ"
    engine = TextTranscriber("میں ٹھیک", "मैं ठीक")
    assert (text(heard(engine, "mixed")), engine.asked) == ("मैं ठीक", [(BOTH, "")])


def test_words_that_pass_a_lock_in_pieces_are_left_out() -> None:
    """The last piece of a character can be that of another script, which no lock can know."""
    found = heard(TextTranscriber("मैं আছি ठीक"))
    assert text(found) == "मैं ठीक"
    assert [word.start for word in found.segments[0].words] == [0.0, 1.0]
    assert [segment.text for segment in found.refused] == ["मैं আছি ठीक"]
    assert heard(TextTranscriber("আছি")).segments == ()
    assert text(heard(TextTranscriber("मैं \ufffd ठीक"))) == "मैं ठीक", "a piece of a character is no word"


LEAKS = {
    "all of it": (PROMPT, "", ""),
    "a part": ("हिन्दी फ़िल्म की बातचीत", "", ""),
    "at the beginning": ("हिन्दी फ़िल्म की सिमरन घर चलो", "", "सिमरन घर चलो"),
    "two words are said by people": ("यह एक कुत्ता", "", "यह एक कुत्ता"),
    "another order": ("फ़िल्म हिन्दी यह", "", "फ़िल्म हिन्दी यह"),
    "a name is said by people": ("सिमरन", "सिमरन, बलदेव, कुलजीत", "सिमरन"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_prompts_own_words_are_left_out(name: str) -> None:
    said, hints, expected = LEAKS[name]
    engine = TextTranscriber(said)
    assert text(heard(engine, hints=hints)) == expected
    assert engine.asked == [(HINDI, f"{PROMPT} {hints}".strip())]


NAMES = "Simran, Baldev, Kuljeet, Lajjo."
READ_OUT = {
    "names on noise": (NAMES, True), "over and over": ("Lajjo, Lajjo, Baldev, Lajjo, Simran", True),
    "names in sentences": ("Simran, go and look whether Baldev is at home", False)}


class ReadsOut(TextTranscriber):
    """Says one thing with names to expect and the other without them."""

    def transcribe(self, wave: Any, *, names: str = "", **manner: Any) -> Heard:
        self.texts = (self.said if names else "word",)
        return super().transcribe(wave, names=names, **manner)


@pytest.mark.parametrize("name", READ_OUT)
def test_where_the_names_are_read_out_the_sound_is_heard_without_them(name: str) -> None:
    said, again = READ_OUT[name]
    engine = ReadsOut()
    engine.said = said
    assert text(heard(engine, language="en", hints=NAMES)) == ("word" if again else said)
    assert [names for _, names in engine.asked] == [NAMES, ""][:1 + again]


@pytest.mark.parametrize(("said", "no_speech", "logprob", "kept"), [
    ("Kuljeet, Kuljeet,", 0.92, -0.80, False), ("Kuljeet.", 0.88, -0.95, False), ("Kuljeet!", 0.10, -0.80, True),
    ("Kuljeet!", 0.88, -0.30, True), ("Kuljeet is here.", 0.88, -0.95, True)])
def test_names_alone_where_nobody_seems_to_speak_are_left_out(said: str, no_speech: float, logprob: float,
                                                              kept: bool) -> None:
    class Doubting(TextTranscriber):
        def transcribe(self, wave: Any, **manner: Any) -> Heard:
            (segment,) = super().transcribe(wave, **manner).segments
            return Heard((replace(segment, no_speech_prob=no_speech, avg_logprob=logprob),), "fake")

    assert text(heard(Doubting(said), language="en", hints=NAMES)) == (said if kept else "")


def test_roman_is_heard_in_devanagari_and_romanised() -> None:
    engine = TextTranscriber("सिमरन घर चलो")
    (segment,) = heard(engine, "roman").segments
    roman = romanised(segment)
    assert engine.asked == [(HINDI, PROMPT)]
    assert roman.text == "simran ghar chalo"
    assert [word.text for word in roman.words] == [" simran", " ghar", " chalo"]
    assert [word.start for word in roman.words] == [word.start for word in segment.words]
