from __future__ import annotations

import pytest

from cp_whisperx import languages, scripts
from cp_whisperx.scripts import DEVANAGARI, LATIN

HINDI = frozenset((DEVANAGARI,))
MIXED = frozenset((DEVANAGARI, LATIN))

LETTERS = {
    "a": LATIN, "é": LATIN, "Ａ": LATIN, "क": DEVANAGARI, "ि": DEVANAGARI, "़": DEVANAGARI, "ک": "ARABIC",
    "ж": "CYRILLIC", "한": "HANGUL", "漢": "CJK", "த": "TAMIL", "ਸ": "GURMUKHI", "ひ": "HIRAGANA",
    "5": None, "५": None, "।": None, "،": "ARABIC", "。": None, ",": None, " ": None, "…": None,
    "\u0301": None, "\u200d": None, "♪": None,
}


@pytest.mark.parametrize("character", LETTERS)
def test_a_letter_has_its_script(character: str) -> None:
    assert scripts.script(character) == LETTERS[character]


def test_every_language_has_scripts() -> None:
    assert scripts.of_language("hi") == HINDI and scripts.of_language("en") == {LATIN}
    for code in languages.LANGUAGES:
        assert scripts.of_language(code)
    native = {"ur": "اردو", "pa": "ਪੰਜਾਬੀ", "ta": "தமிழ்", "ru": "русский", "ja": "日本語ひらがなカタカナー",
              "ko": "한국어", "bn": "বাংলা", "te": "తెలుగు", "th": "ไทย",
              "el": "ελληνικά", "am": "አማርኛ", "he": "עברית", "mr": "मराठी"}
    for code, name in native.items():
        assert not scripts.foreign(name, scripts.of_language(code)), code


TEXTS = {
    "मैं ठीक हूँ, 5 बजे।": "", "मैं theek हूँ": "theek", "میں ठीक": "میں", "OK ж": "OKж", "": "",
}


@pytest.mark.parametrize("text", TEXTS)
def test_letters_of_other_scripts_are_found(text: str) -> None:
    assert scripts.foreign(text, HINDI) == TEXTS[text]


PIECES: dict[bytes, tuple[bool, bool]] = {
    " क".encode(): (True, True), b" the": (False, True), "ک".encode(): (False, False), b" 42": (True, True),
    b"\xe0\xa4": (True, True), b"\xe0\xa5": (True, True), b"\xe0": (True, True), b"\xe0\xa6": (False, False),
    b"\xe0\xae": (False, False), b"\xa4\x95": (True, True), b"\x95": (True, True), b"\xd8": (False, False),
    b"\xd0": (False, False), b" \xd9": (False, False), b"\xc3": (False, True), b"\xc2": (True, True),
    b"\xe2\x80": (True, True), b"\xed": (False, False), b"\xe4": (False, False), b"\xf0\x9f": (True, True),
    "।".encode(): (True, True), b"\x95 a": (False, True), b"\xff": (False, False), b"": (True, True),
    "“".encode(): (True, True), b"...": (True, True), "ÃÂ".encode(): (False, True),
}


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_pieces_of_characters_are_judged_by_what_they_can_become(piece: bytes) -> None:
    assert (scripts.writes_only(piece, HINDI), scripts.writes_only(piece, MIXED)) == PIECES[piece]


def test_all_text_of_a_script_can_be_written_in_pieces_of_any_size() -> None:
    """No piece that a text of the script could be cut into is refused: the decoder is never painted into a corner."""
    text = "".join(chr(point) for point in range(0x900, 0x980) if scripts.script(chr(point)) == DEVANAGARI)
    data = f"{text} 12, … “।” — ₹५".encode()
    for size in range(1, 9):
        for start in range(len(data) - size + 1):
            assert scripts.writes_only(data[start:start + size], HINDI), data[start:start + size]
