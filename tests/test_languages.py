"""One language, whatever a film calls it."""

from __future__ import annotations

import pytest

from cp_whisperx import languages


@pytest.mark.parametrize(("tag", "code"), [
    ("hi", "hi"), ("hin", "hi"), ("Hindi", "hi"), ("HIN", "hi"), (" hi ", "hi"), ("hi-IN", "hi"), ("hi_IN", "hi"),
    ("pt-BR", "pt"), ("por", "pt"), ("zh-Hans-CN", "zh"), ("chi", "zh"), ("zho", "zh"), ("cmn", "zh"),
    ("ger", "de"), ("deu", "de"), ("fre", "fr"), ("fra", "fr"), ("nb", "no"), ("nob", "no"), ("nn", "nn"),
    ("jv", "jw"), ("jav", "jw"), ("fil", "tl"), ("iw", "he"), ("scr", "hr"), ("Norwegian Nynorsk", "nn"),
    ("Haitian Creole", "ht"), ("yue", "yue")])
def test_every_way_to_write_a_language(tag: str, code: str) -> None:
    found = languages.find(tag)
    assert found is not None and found.code == code


@pytest.mark.parametrize("tag", [None, "", "und", "mul", "zxx", "mis", "xx", "qaa", "klingon", "-", "hind"])
def test_what_is_no_language(tag: str | None) -> None:
    assert languages.find(tag) is None


def test_the_table_is_whole() -> None:
    assert len(languages.LANGUAGES) == 100
    for language in languages.LANGUAGES.values():
        assert len(language.three) == len(language.bibliographic) == 3
        for code in (language.code, language.three, language.bibliographic, language.name):
            assert languages.find(code) is language, code


def test_codes_are_those_of_the_recogniser() -> None:
    tokenizer = pytest.importorskip("faster_whisper.tokenizer")
    assert set(tokenizer._LANGUAGE_CODES) == set(languages.LANGUAGES)
