from __future__ import annotations

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


def heard(engine: TextTranscriber, policy: Policy = "auto", language: str = "hi") -> Heard:
    return hear(engine, SOUND, language=language, task="transcribe", writing=writing(language, "transcribe", policy))


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
    "all of it": (PROMPT, ""),
    "a part": ("हिन्दी फ़िल्म की बातचीत", ""),
    "at the beginning": ("हिन्दी फ़िल्म की सिमरन घर चलो", "सिमरन घर चलो"),
    "two words are said by people": ("यह एक कुत्ता", "यह एक कुत्ता"),
    "another order": ("फ़िल्म हिन्दी यह", "फ़िल्म हिन्दी यह"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_prompts_own_words_are_left_out(name: str) -> None:
    said, expected = LEAKS[name]
    engine = TextTranscriber(said)
    assert text(heard(engine)) == expected
    assert engine.asked == [(HINDI, PROMPT)]


def test_roman_is_heard_in_devanagari_and_romanised() -> None:
    engine = TextTranscriber("सिमरन घर चलो")
    (segment,) = heard(engine, "roman").segments
    roman = romanised(segment)
    assert engine.asked == [(HINDI, PROMPT)]
    assert roman.text == "simran ghar chalo"
    assert [word.text for word in roman.words] == [" simran", " ghar", " chalo"]
    assert [word.start for word in roman.words] == [word.start for word in segment.words]
