from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx import scripts
from cp_whisperx.romanise import romanise

WORDS = {
    "राम": "raam", "नमस्ते": "namaste", "सिमरन": "simran", "कमल": "kamal", "दिलवाले": "dilvaale", "लड़का": "larka",
    "मेरा": "mera", "पानी": "paani", "मित्र": "mitra", "सत्य": "satya", "धर्म": "dharm", "दोस्त": "dost", "न": "na",
    "हूँ": "hoon", "मैं": "main", "में": "men", "मुंबई": "mumbai", "ज्ञान": "gyaan", "फ़िल्म": "film", "क्या": "kya",
    "समझना": "samajhna", "ज़िंदगी": "zindagi", "डॉक्टर": "doktar", "ऋषि": "rishi", "दुःख": "duhkh", "भी": "bhi",
    "बाज़ार": "baazaar", "उसने": "usne", "चलती": "chalti", "आप": "aap", "अंग्रेज़ी": "angrezi", "हिन्दी": "hindi",
}


@pytest.mark.parametrize("word", WORDS)
def test_words_read_as_they_are_said(word: str) -> None:
    assert romanise(word) == WORDS[word]


def test_a_sentence_keeps_what_is_no_devanagari() -> None:
    assert romanise(" राम, 5 बजे OK? २५।") == " raam, 5 baje OK? 25."
    assert romanise("nothing to do") == "nothing to do"


@given(st.text(st.characters(min_codepoint=0x900, max_codepoint=0x97F), max_size=20))
def test_no_devanagari_is_left(text: str) -> None:
    assert not scripts.foreign(romanise(text), frozenset(("LATIN",)))
