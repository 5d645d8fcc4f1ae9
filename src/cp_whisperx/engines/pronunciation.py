"""How an English text sounds: written words to spoken ones, and words that no dictionary has to phones.

Phones are those of the CMU dictionary (ARPAbet without stress). The letters of a name from India follow its
romanisation, those of an English word follow English habit; an unknown word gets both readings, and an aligner
takes the one that the sound agrees with.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
          "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
             "twelve": "twelfth"}
_SIGNS = {"%": "percent", "&": "and", "+": "plus", "=": "equals", "@": "at"}
_MONEY = {"$": "dollars", "£": "pounds", "€": "euros", "₹": "rupees"}
_LARGEST = 10**12

_PART = re.compile(r"\d+(?:,\d{2,3})*(?:\.\d+)?(?:st|nd|rd|th|s)?(?![a-z])|[^\W\d_]+(?:'[^\W\d_]+)*'?|\d+|[%&+=@$£€₹]")

_BOTH = {
    "tch": "CH", "chh": "CH", "sch": "SH", "ch": "CH", "sh": "SH", "ph": "F", "kh": "K", "bh": "B", "jh": "JH",
    "ck": "K", "qu": "K W", "dg": "JH", "zh": "ZH", "ng": "NG", "aa": "AA", "ee": "IY", "ea": "IY", "oo": "UW",
    "ou": "UW", "oa": "OW", "oi": "OY", "oy": "OY", "ei": "EY", "er": "ER", "b": "B", "c": "K", "ce": "S EH",
    "ci": "S IH", "d": "D", "f": "F", "g": "G", "h": "HH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "p": "P",
    "q": "K", "r": "R", "s": "S", "t": "T", "v": "V", "w": "W", "x": "K S", "z": "Z", "e": "EH", "i": "IH", "i$": "IY",
    "a$": "AH", "ia$": "IY AH", "ya": "Y AH", "^y": "Y", "y": "IY", "o": "OW", "u$": "UW", "mc": "M AH K",
}
_INDIAN = _BOTH | {
    "th": "T", "dh": "D", "gh": "G", "ai": "EY", "ay": "AY", "au": "AW", "ow": "OW", "ie": "IY", "ey": "EY",
    "a": "AH", "ar": "AA R", "e$": "EY", "u": "UH", "sw": "S V",
}
_ENGLISH = _BOTH | {
    "th": "TH", "gh": "", "igh": "AY", "ai": "EY", "ay": "EY", "au": "AO", "aw": "AO", "ow": "AW", "ie": "IY",
    "ey": "IY", "a": "AE", "ar": "AA R", "or": "AO R", "ur": "ER", "ir": "ER", "u": "AH", "e$": "", "es$": "Z",
    "ed$": "D", "tion": "SH AH N", "sion": "ZH AH N", "ture": "CH ER", "ous$": "AH S", "le$": "AH L", "^kn": "N",
    "^wr": "R", "^wh": "W", "^x": "Z", "o": "AA", "o$": "OW", "ge$": "JH", "ll": "L",
}
_LETTERS = max(map(len, (key.strip("^$") for table in (_INDIAN, _ENGLISH) for key in table)))


def spoken(text: str, known: Callable[[str], bool]) -> tuple[str, ...]:
    """The words that are said for one written word, in lower case: "25th" is twenty-fifth, "$5" five dollars.

    `known` says whether the dictionary has a word. Empty for punctuation alone.
    """
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'").strip()
    if re.fullmatch(r"(?:[A-Za-z]\.){2,}[\"'”)]*", plain):
        plain = plain.replace(".", " ")
    said: list[str] = []
    money = ""
    for part in _PART.findall(plain.lower()):
        if part in _MONEY:
            money = _MONEY[part]
        elif part in _SIGNS:
            said.append(_SIGNS[part])
        elif part[0].isdigit():
            said += number(part)
            said += [money] if money else []
            money = ""
        else:
            said += _word(part, plain, known)
    return tuple(said)


def _word(part: str, plain: str, known: Callable[[str], bool]) -> tuple[str, ...]:
    folded = "".join(one for one in unicodedata.normalize("NFD", part) if not unicodedata.combining(one))
    for form in (folded, folded.rstrip("'")):
        if known(form):
            return (form,)
    if not re.search(r"[aeiouy']", folded) and folded.upper() in plain:
        return tuple(folded)
    return (folded.rstrip("'"),)


def number(digits: str) -> list[str]:
    """Words of a number as it is read: 1,250; 3.5; 21st; 1995 as a year; 007 and long ones digit by digit."""
    tail = re.search(r"(st|nd|rd|th|s)$", digits)
    plain = digits.removesuffix(tail[0] if tail else "")
    whole, _, fraction = plain.partition(".")
    value = int(whole.replace(",", ""))
    if (whole.startswith("0") and len(whole) > 1) or value >= _LARGEST:
        words = [_UNITS[int(digit)] for digit in whole if digit.isdigit()]
    elif re.fullmatch(r"(1[1-9]|20[1-9])\d+", whole) and len(whole) == 4 and not fraction:
        low = value % 100
        words = _count(value // 100) + (["hundred"] if not low else ["oh", _UNITS[low]] if low < 10 else _count(low))
    else:
        words = _count(value)
    if fraction:
        words += ["point", *(_UNITS[int(digit)] for digit in fraction)]
    if tail:
        words[-1] = _plural(words[-1]) if tail[0] == "s" else _ordinal(words[-1])
    return words


def _count(value: int) -> list[str]:
    if value < 20:
        return [_UNITS[value]]
    if value < 100:
        return [_TENS[value // 10], *([_UNITS[value % 10]] if value % 10 else [])]
    size, name = next(scale for scale in _SCALES if value >= scale[0])
    rest = value % size
    return [*_count(value // size), name, *(_count(rest) if rest else [])]


def _ordinal(word: str) -> str:
    return _ORDINALS.get(word) or (f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th")


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def phones(word: str) -> tuple[str, ...]:
    """Readings of a word of Latin letters, each phones with spaces between; none for another script.

    The longest letters that a table has are read at a time; "^" and "$" bind them to the word's two ends.
    """
    letters = re.sub(r"[^a-z]", "", word.lower())
    if not letters or any(character.isalpha() and not character.isascii() for character in word):
        return ()
    letters = re.sub(r"([bcdfgjklmnpqrstvz])\1", r"\1", letters)
    readings = dict.fromkeys(" ".join(_read(letters, table)) for table in (_INDIAN, _ENGLISH))
    return tuple(reading for reading in readings if reading)


def _read(letters: str, table: dict[str, str]) -> list[str]:
    read: list[str] = []
    position = 0
    while position < len(letters):
        for size in range(min(_LETTERS, len(letters) - position), 0, -1):
            piece = letters[position:position + size]
            last = position + size == len(letters)
            keys = ([f"^{piece}"] if not position else []) + ([f"{piece}$"] if last else []) + [piece]
            found = next((table[key] for key in keys if key in table), None)
            if found is not None:
                read += found.split()
                break
        position += size
    return read
