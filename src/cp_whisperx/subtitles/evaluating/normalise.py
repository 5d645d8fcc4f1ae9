"""The fixed normaliser of English and Hindi text before words are counted as right or wrong.

In this order: what stands in square brackets goes (sounds and speakers); NFKC, so that full-width letters and the two
ways to write a Devanagari nukta are one; lower case; curly apostrophes become straight ones; Devanagari digits become
ASCII ones; joiners and zero width characters go, and commas between thousands; letters, marks, digits and apostrophes
inside a word stay, all else (danda and hyphens too) parts words. Numbers are spelt out only where that was asked for,
in English, up to 9999: "21" is "twenty one".
"""

from __future__ import annotations

import re
import unicodedata

_BRACKETS = re.compile(r"\[[^\[\]\n]*\]")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
         "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def words_of(text: str, *, spell_numbers: bool = False) -> list[str]:
    """The words that are compared."""
    plain = unicodedata.normalize("NFKC", _BRACKETS.sub(" ", text)).lower()
    plain = _INVISIBLE.sub("", plain).replace("\u2019", "'").replace("\u02bc", "'")
    plain = "".join(str(unicodedata.digit(character)) if "\u0966" <= character <= "\u096f" else character
                    for character in plain)
    plain = _THOUSANDS.sub("", plain)
    kept = "".join(character if _in_word(character) else " " for character in plain)
    found = [word for part in kept.split() if (word := part.strip("'"))]
    return [one for word in found for one in _spelt(word)] if spell_numbers else found


def _in_word(character: str) -> bool:
    return character == "'" or unicodedata.category(character)[0] in "LMN"


def _spelt(word: str) -> list[str]:
    if not (word.isascii() and word.isdigit()) or len(word) > 4:
        return [word]
    number = int(word)
    if number >= 1000:
        return [_ONES[number // 1000], "thousand", *(_hundreds(number % 1000) if number % 1000 else [])]
    return _hundreds(number)


def _hundreds(number: int) -> list[str]:
    if number >= 100:
        return [_ONES[number // 100], "hundred", *(_hundreds(number % 100) if number % 100 else [])]
    if number < 20:
        return [_ONES[number]]
    return [_TENS[number // 10], *([_ONES[number % 10]] if number % 10 else [])]
