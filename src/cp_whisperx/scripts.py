"""Which script a text is in, which scripts a language is written in, and which pieces of UTF-8 belong to them.

A script is named by the first word of its characters' Unicode names: DEVANAGARI, LATIN, ARABIC, CJK…
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

LATIN = "LATIN"
DEVANAGARI = "DEVANAGARI"

# Languages that Whisper knows and that are not written in Latin letters alone.
_BY_SCRIPT = {
    "DEVANAGARI": "hi mr ne sa", "ARABIC": "ar fa ps sd ur", "BENGALI": "as bn", "GUJARATI": "gu", "GURMUKHI": "pa",
    "KANNADA": "kn", "MALAYALAM": "ml", "TAMIL": "ta", "TELUGU": "te", "SINHALA": "si", "MYANMAR": "my",
    "KHMER": "km", "LAO": "lo", "THAI": "th", "TIBETAN": "bo", "CYRILLIC": "ba be bg kk mk mn ru tg tt uk",
    "GREEK": "el", "HEBREW": "he yi", "ARMENIAN": "hy", "GEORGIAN": "ka", "ETHIOPIC": "am", "HANGUL": "ko",
    "CJK": "yue zh",
}
_SCRIPTS = {code: frozenset((script,)) for script, codes in _BY_SCRIPT.items() for code in codes.split()} | {
    "ja": frozenset(("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")),
    "sr": frozenset(("CYRILLIC", LATIN)), "ko": frozenset(("HANGUL", "CJK")),
}

_SHARED = frozenset("।॥")
"""Named after Devanagari, and the full stop of most scripts of India."""
_NO_SCRIPT = frozenset(("COMBINING", "MODIFIER", "ZERO"))
_TOP = 0x110000


def of_language(code: str) -> frozenset[str]:
    """The scripts that a language is written in; Latin for those that nothing else is said of."""
    return _SCRIPTS.get(code, frozenset((LATIN,)))


@lru_cache(maxsize=65536)
def script(character: str) -> str | None:
    """The script of a letter, of a mark on one, or of punctuation of its own (the Arabic comma).

    None for digits, other punctuation and what scripts share.
    """
    kind = unicodedata.category(character)[0]
    if kind not in "LMP" or character in _SHARED:
        return None
    plain = unicodedata.normalize("NFKC", character)[:1]
    name = unicodedata.name(plain, "").split(" ")[0]
    return None if not name or name in _NO_SCRIPT or (kind == "P" and name not in _BY_SCRIPT) else name


def counted(text: str) -> Counter[str]:
    """Letters and marks of each script in the text."""
    return Counter(found for character in text if (found := script(character)))


def foreign(text: str, allowed: frozenset[str]) -> str:
    """The letters of the text that are of none of the scripts, in order; pieces of characters (U+FFFD) are of none."""
    return "".join(one for one in text if one == "\ufffd" or ((found := script(one)) and found not in allowed))


def writes_only(piece: bytes, allowed: frozenset[str]) -> bool:
    """Whether a piece of UTF-8, cut anywhere, can be part of a text in these scripts.

    Bytes at its beginning that go on with a character are passed: alone they say nothing. Bytes at its end that begin
    one are judged by the characters that they can become.
    """
    position = 0
    while position < len(piece) and piece[position] & 0xC0 == 0x80:
        position += 1
    while position < len(piece):
        size = _length(piece[position])
        part = piece[position:position + size]
        if len(part) < size:
            return _can_become(part, allowed)
        try:
            if foreign(part.decode(), allowed):
                return False
        except UnicodeDecodeError:
            return False
        position += size
    return True


def _length(lead: int) -> int:
    return 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


@lru_cache(maxsize=4096)
def _can_become(part: bytes, allowed: frozenset[str]) -> bool:
    """True if some character that begins with these bytes is of an allowed script, or if none is of any other.

    Punctuation and signs that all scripts share begin with C2 and E2 80 to E2 BF; their letters are not worth refusing.
    """
    if part[0] in (0xC2, 0xE2):
        return True
    if part[0] > 0xF4:
        return False
    size = _length(part[0])
    missing = size - len(part)
    value = part[0] & (0xFF >> (size + 1))
    for byte in part[1:]:
        value = value << 6 | byte & 0x3F
    first, last = value << 6 * missing, (value + 1 << 6 * missing) - 1
    if last - first > 0xFFFF:
        return True
    found = {script(chr(point)) for point in range(first, min(last + 1, _TOP))} - {None}
    return bool(found & allowed) or not found
