from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.subtitles.evaluating.normalise import words_of

CASES = [
    # text, words; a nukta letter is written in two ways, and NFC has one of them
    ("Hello, WORLD!", "hello world"), ("It’s — it's 'fine'", "it's it's fine"), ("well-known", "well known"),
    ("[door slams] -Who? -[ASHA] Me.", "who me"), ("♪ La la ♪", "la la"), ("1,234 of 5.5", "1234 of 5 5"),
    ("मैं नहीं आऊँगा।", "मैं नहीं आऊँगा"), ("भगवान्‌ ने", "भगवान् ने"), ("\u0958लम", "\u0915\u093cलम"),
    ("१२ लोग", "12 लोग"), ("ＡＢＣ", "abc"), ("cafe\u0301", "caf\u00e9"), ("", ""), ("[music]", ""),
]


@pytest.mark.parametrize(("text", "words"), CASES)
def test_words(text: str, words: str) -> None:
    assert words_of(text) == words.split()


@pytest.mark.parametrize(("text", "words"), [
    ("0", "zero"), ("21", "twenty one"), ("40", "forty"), ("100", "one hundred"), ("1,999", "one thousand nine hundred "
     "ninety nine"), ("2005", "two thousand five"), ("12345", "12345"), ("7th", "7th"), ("१२", "twelve")])
def test_numbers_are_spelt_if_asked(text: str, words: str) -> None:
    assert words_of(text, spell_numbers=True) == words.split()


@given(st.text(max_size=60))
def test_what_is_normal_stays(text: str) -> None:
    words = words_of(text)
    assert words_of(" ".join(words)) == words
