from __future__ import annotations

import pytest

from cp_whisperx.names.script import is_devanagari, romanised

NAMES = {
    "सिमरन": "Simran", "राज": "Raj", "लक्ष्मी": "Lakshmi", "बलदेव": "Baldev", "मल्होत्रा": "Malhotra", "ज़ोया": "Zoya",
    "फ़रीदा": "Farida", "": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_in_latin_letters(name: str) -> None:
    assert romanised(name) == NAMES[name]


@pytest.mark.parametrize(("text", "found"), [("राज", True), ("Raj", False), ("राज Raj राज", True), ("", False),
                                             ("123", False)])
def test_the_script_of_most_letters(text: str, found: bool) -> None:
    assert is_devanagari(text) is found
