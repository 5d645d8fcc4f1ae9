"""How a word sounds to an Indian ear, and how far two sounds are apart.

Why not a library: Double Metaphone keeps the first vowel alone and has no half-way between b and v; Soundex for
Indic scripts parts Lakshmi from Laxmi. Here a word in Latin or Devanagari letters becomes a string of sounds, one
character each, and two strings are compared by an edit distance whose costs are what speakers and recognisers
confuse: aspirated and plain, voiced and unvoiced, v and w and b, sh and s, j and z, any vowel and another.
"""

from __future__ import annotations

import functools
import re
import unicodedata

_LATIN = tuple((re.compile(pattern), to) for pattern, to in (
    (r"^kn", "n"), (r"^wr", "r"), (r"^ps", "s"), (r"gn$", "n"), (r"mb$", "m"), (r"ight", "ait"), (r"ought", "ot"),
    (r"tch|chh|ch", "C"), (r"sch|sh", "S"), (r"dge|[dt]j|jh|zh|g(?=[ei])", "J"), (r"[ts]ion", "San"), (r"j", "J"),
    (r"ph", "f"), (r"([bdgkt])h", r"\1"), (r"ck", "k"), (r"c(?=[eiy])", "s"), (r"qu", "kv"), (r"[cq]", "k"),
    (r"x", "ks"), (r"wh?(?=[aeiouy])", "v"), (r"(?<=[a-z])h$", ""), (r"^y(?=[aeiou])", "Y"),
    (r"ee|ea|ie|(?<=[^aeiou])y|i", "i"), (r"oo|ou|ew|u", "u"), (r"a[iy](?![aeiou])|e[iy]|e", "e"),
    (r"au|aw|ow(?![aeiou])|oa|o", "o"),
    (r"a+", "a"), (r"y", "Y"), (r"w", "v"), (r"[^a-zCSJY]", ""),
))
"""In this order, each over the whole word. Upper case: C as in church, S as in ship, J as in jungle, Y as in yes."""
_CONSONANTS = dict(zip("कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसहळ", "kkggnCCJJnttddnttddnpfbbmYrlvSSshl", strict=True))
_NUKTA = {"क": "k", "ख": "k", "ग": "g", "ज": "z", "ड": "r", "ढ": "r", "फ": "f"}
_VOWELS = dict(zip("अआइईउऊऋएऐओऔ", "aaiiuuieeoo", strict=True))
_SIGNS = {**dict(zip("ािीुूेैोौॅॉ", "aiiuueeooeo", strict=True)), "ृ": "ri"}
_NASAL, _HALANT, _DOT = "ंँ", "्", "़"

_WEAK = {"a": 0.5, "e": 0.5, "i": 0.5, "o": 0.5, "u": 0.5, "h": 0.25, "r": 0.7, "Y": 0.5, "v": 0.8}
"""What a sound weighs, where it is not 1: vowels and half-vowels are the first to be lost."""
_NEAR = {
    "td": 0.35, "pb": 0.4, "kg": 0.4, "fv": 0.35, "bv": 0.4, "pf": 0.35, "sz": 0.2, "Ss": 0.3, "SC": 0.4, "CJ": 0.3,
    "Jz": 0.3, "JS": 0.45, "Jg": 0.5, "JY": 0.5, "Jd": 0.5, "Ct": 0.55, "nm": 0.4, "lr": 0.6, "rd": 0.55, "zd": 0.6,
    "sC": 0.5, "Jt": 0.6, "zS": 0.4, "zC": 0.5,
}
_COST = {pair: cost for both, cost in _NEAR.items() for pair in (both, both[::-1])}
_VOWEL_COST = 0.2
_FIRST = 1.3
"""Who mishears a name seldom mishears its beginning: errors there cost more."""


@functools.lru_cache(maxsize=1 << 14)
def key(word: str) -> str:
    """The sounds of a word in Latin or Devanagari letters, without doubles; other scripts give nothing."""
    plain = unicodedata.normalize("NFD", word.casefold())
    if any("\u0900" <= character <= "\u097f" for character in plain):
        sounds = _devanagari(plain)
    else:
        sounds = "".join(character for character in plain if character.isascii() and character.isalpha())
        for pattern, to in _LATIN:
            sounds = pattern.sub(to, sounds)
    return re.sub(r"(.)\1+", r"\1", sounds)


def _devanagari(word: str) -> str:
    """A consonant carries an a, unless a sign, a halant or the end of the word takes it away."""
    sounds = ""
    carries, last = False, ""
    for character in word:
        if character in _CONSONANTS:
            sounds += ("a" if carries else "") + _CONSONANTS[character]
            carries, last = True, character
        elif character == _DOT and carries:
            sounds = sounds[:-1] + _NUKTA.get(last, sounds[-1])
        elif character in _SIGNS:
            sounds, carries = sounds + _SIGNS[character], False
        elif character == _HALANT:
            carries = False
        elif character in _VOWELS or character in _NASAL:
            sounds += ("a" if carries else "") + (_VOWELS.get(character) or "n")
            carries = False
    return sounds


@functools.lru_cache(maxsize=1 << 18)
def likeness(one: str, other: str) -> float:
    """1 for the same sounds, 0 for nothing in common; `one` and `other` are keys."""
    longer = max(_weight(one), _weight(other))
    return max(0.0, 1.0 - _distance(one, other) / longer) if longer else 0.0


def _weight(sounds: str) -> float:
    return sum(_WEAK.get(sound, 1.0) for sound in sounds)


def _distance(one: str, other: str) -> float:
    """Weighted edit distance (Wagner and Fischer 1974)."""
    before = [0.0]
    for sound in other:
        before.append(before[-1] + _WEAK.get(sound, 1.0))
    for row, a in enumerate(one):
        lost = _WEAK.get(a, 1.0)
        now = [before[0] + lost]
        for column, b in enumerate(other):
            first = _FIRST if row == column == 0 else 1.0
            now.append(min(before[column] + _swap(a, b) * first, before[column + 1] + lost,
                           now[-1] + _WEAK.get(b, 1.0)))
        before = now
    return before[-1]


def _swap(a: str, b: str) -> float:
    if a == b:
        return 0.0
    if a in "aeiou" and b in "aeiou":
        return _VOWEL_COST
    return _COST.get(a + b, max(_WEAK.get(a, 1.0), _WEAK.get(b, 1.0)))
