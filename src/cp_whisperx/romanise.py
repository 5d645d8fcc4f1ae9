"""Devanagari in Roman letters as Hindi is written in messages and film titles: "राम" is raam, "दिलवाले" dilvaale.

Written signs map to letters by a table. Devanagari does not show where the vowel that each consonant carries (schwa) is
silent; the rule is Ohala's (Aspects of Hindi Phonology, 1983): it is at the end of a word, and, from the end to the
beginning, between a vowel with one consonant and a consonant with a vowel. Word-internal morpheme boundaries are not
known, so that some compounds keep or lose one too many.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_CONSONANTS = {
    "क": "k", "ख": "kh", "ग": "g", "घ": "gh", "ङ": "n", "च": "ch", "छ": "chh", "ज": "j", "झ": "jh", "ञ": "n",
    "ट": "t", "ठ": "th", "ड": "d", "ढ": "dh", "ण": "n", "त": "t", "थ": "th", "द": "d", "ध": "dh", "न": "n",
    "प": "p", "फ": "ph", "ब": "b", "भ": "bh", "म": "m", "य": "y", "र": "r", "ल": "l", "व": "v", "श": "sh",
    "ष": "sh", "स": "s", "ह": "h", "ळ": "l", "ऩ": "n", "ऱ": "r", "ऴ": "l",
    "क़": "q", "ख़": "kh", "ग़": "g", "ज़": "z", "ड़": "r", "ढ़": "rh", "फ़": "f", "य़": "y",
}
_VOWELS = {
    "अ": "a", "आ": "aa", "इ": "i", "ई": "ee", "उ": "u", "ऊ": "oo", "ऋ": "ri", "ए": "e", "ऐ": "ai", "ओ": "o",
    "औ": "au", "ऑ": "o", "ऍ": "e", "ऎ": "e", "ऒ": "o",
}
_SIGNS = {
    "ा": "aa", "ि": "i", "ी": "ee", "ु": "u", "ू": "oo", "ृ": "ri", "े": "e", "ै": "ai", "ो": "o", "ौ": "au",
    "ॉ": "o", "ॅ": "e", "ॆ": "e", "ॊ": "o",
}
_AT_END = {"aa": "a", "ee": "i", "oo": "u"}
_LABIALS = frozenset("पफबभम")
_SONORANTS = frozenset("yrlvmn")
_VIRAMA, _NUKTA, _ANUSVARA, _CANDRABINDU, _VISARGA = "्", "़", "ं", "ँ", "ः"
_OTHERS = {"।": ".", "॥": ".", "ॐ": "om", "ऽ": "", "\u200c": "", "\u200d": "", "॰": "."}
_WORD = re.compile(r"[\u0900-\u0963\u0971-\u097F\u200c\u200d]+")
_SPECIAL = ((re.compile("ज्ञ"), "ग्य"), (re.compile("क्ष"), "क्श"))


@dataclass
class _Sound:
    """One consonant or none, and its vowel: "" is silent, "a" may be the schwa that is not written."""

    consonant: str
    vowel: str
    schwa: bool = False
    nasal: str = ""

    @property
    def text(self) -> str:
        return self.consonant + self.vowel + self.nasal


def romanise(text: str) -> str:
    """The text with all Devanagari in Roman letters, lower case; digits become 0 to 9, a danda a full stop."""
    composed = unicodedata.normalize("NFC", text)
    words = _WORD.sub(lambda found: _word(found[0]), composed)
    return "".join(_OTHERS.get(one, str(unicodedata.decimal(one)) if "०" <= one <= "९" else one) for one in words)


def _word(word: str) -> str:
    sounds = _sounds(word)
    _silence(sounds)
    if sounds and not sounds[-1].nasal:
        sounds[-1].vowel = _AT_END.get(sounds[-1].vowel, sounds[-1].vowel)
    return "".join(sound.text for sound in sounds)


def _sounds(word: str) -> list[_Sound]:
    for pattern, plain in _SPECIAL:
        word = pattern.sub(plain, word)
    # NFC keeps nukta apart from most consonants (composition exclusions).
    letters = re.findall(rf".{_NUKTA}?", word)
    sounds: list[_Sound] = []
    for position, letter in enumerate(letters):
        following = letters[position + 1][0] if position + 1 < len(letters) else ""
        if (consonant := _CONSONANTS.get(letter) or _CONSONANTS.get(letter[0])) is not None:
            sounds.append(_Sound(consonant, "a", schwa=True))
        elif letter in _VOWELS:
            sounds.append(_Sound("", _VOWELS[letter]))
        elif sounds and letter in _SIGNS:
            sounds[-1].vowel, sounds[-1].schwa = _SIGNS[letter], False
        elif sounds and letter == _VIRAMA:
            sounds[-1].vowel, sounds[-1].schwa = "", False
        elif sounds and letter in (_ANUSVARA, _CANDRABINDU):
            sounds[-1].nasal, sounds[-1].schwa = "m" if following and following in _LABIALS else "n", False
        elif sounds and letter == _VISARGA:
            sounds[-1].nasal, sounds[-1].schwa = "h", False
        elif letter in _OTHERS:
            sounds.append(_Sound(_OTHERS[letter], ""))
    return sounds


def _silence(sounds: list[_Sound]) -> None:
    """Takes away the schwas that nobody says."""
    last = len(sounds) - 1
    if last > 0 and sounds[last].schwa:
        before = sounds[last - 1]
        cluster = not before.vowel and not before.nasal
        # After a cluster like tr or ty the schwa helps to say it: mitra, satya; but dharm, dost.
        helps = cluster and sounds[last].consonant in _SONORANTS and before.consonant not in _SONORANTS
        if not helps:
            sounds[last].vowel = ""
    for position in range(last - 1, 0, -1):
        sound, before, after = sounds[position], sounds[position - 1], sounds[position + 1]
        if sound.schwa and before.vowel and not before.nasal and after.consonant and after.vowel:
            sound.vowel = ""
