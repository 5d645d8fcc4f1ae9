"""Devanagari and Latin letters: which a word is in, and how a Devanagari name is written in Latin."""

from __future__ import annotations

import re

_CONSONANTS = {
    "क": "k", "ख": "kh", "ग": "g", "घ": "gh", "ङ": "n", "च": "ch", "छ": "chh", "ज": "j", "झ": "jh", "ञ": "n", "ट": "t",
    "ठ": "th", "ड": "d", "ढ": "dh", "ण": "n", "त": "t", "थ": "th", "द": "d", "ध": "dh", "न": "n", "प": "p", "फ": "ph",
    "ब": "b", "भ": "bh", "म": "m", "य": "y", "र": "r", "ल": "l", "व": "v", "श": "sh", "ष": "sh", "स": "s", "ह": "h",
    "ळ": "l",
}
_NUKTA = {"क": "q", "ख": "kh", "ग": "g", "ज": "z", "ड": "r", "ढ": "rh", "फ": "f"}
_VOWELS = {"अ": "a", "आ": "a", "इ": "i", "ई": "i", "उ": "u", "ऊ": "u", "ऋ": "ri", "ए": "e", "ऐ": "ai", "ओ": "o",
           "औ": "au"}
_SIGNS = {"ा": "a", "ि": "i", "ी": "i", "ु": "u", "ू": "u", "ृ": "ri", "े": "e", "ै": "ai", "ो": "o", "ौ": "au",
          "ॅ": "e", "ॉ": "o"}


def is_devanagari(text: str) -> bool:
    """True if most of its letters are."""
    letters = [character for character in text if character.isalpha()]
    return sum("\u0900" <= character <= "\u097f" for character in letters) * 2 > len(letters)


def romanised(text: str) -> str:
    """As names are written in Latin letters in India: सिमरन becomes Simran. A guess where spellings differ."""
    return " ".join(_word(word).capitalize() for word in text.split())


def _word(word: str) -> str:
    """Syllables first; then the silent a goes: at the end, and between two syllables that have vowels of their own."""
    parts: list[list[str]] = []
    for character in word:
        if character in _CONSONANTS:
            parts.append([_CONSONANTS[character], "a", character])
        elif character == "़" and parts:
            parts[-1][0] = _NUKTA.get(parts[-1][2], parts[-1][0])
        elif character == "्" and parts:
            parts[-1][1] = ""
        elif character in _SIGNS and parts:
            parts[-1][1] = _SIGNS[character]
        elif character in _VOWELS:
            parts.append(["", _VOWELS[character], ""])
        elif character in "ंँ" and parts:
            parts.append(["n", "", ""])
    inherent = [bool(part[2]) and part[1] == "a" and f"{part[2]}ा" not in word for part in parts]
    if len(parts) > 1 and inherent[-1]:
        parts[-1][1] = ""
    for at in range(len(parts) - 2, 0, -1):
        if inherent[at] and parts[at - 1][1] and parts[at + 1][1] and parts[at][1]:
            parts[at][1] = ""
    return re.sub(r"(.)\1\1+", r"\1\1", "".join(part[0] + part[1] for part in parts))
