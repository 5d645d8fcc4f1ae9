"""Text as it is compared: words without case, punctuation and width; single characters in scripts without spaces."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_SPACELESS = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x0E00, 0x0EFF))
"""Kana, Han, Thai and Lao."""


def tokens(text: str) -> tuple[str, ...]:
    """Words of letters, marks and digits, in order."""
    found: list[str] = []
    joined = False
    for character in unicodedata.normalize("NFKC", text).casefold():
        kind = unicodedata.category(character)[0]
        if kind not in "LMN":
            # An apostrophe is inside a word: "don't" is one.
            joined = joined and character in "'’"
            continue
        alone = any(first <= ord(character) <= last for first, last in _SPACELESS) and kind != "M"
        if joined and not alone:
            found[-1] += character
        else:
            found.append(character)
        joined = not alone
    return tuple(found)


def same(one: str, other: str) -> bool:
    """True if both say the same words, and any."""
    words = tokens(one)
    return bool(words) and words == tokens(other)


def longest_run(words: Sequence[str], period: int) -> int:
    """How often, at most, `period` words are said again and again without anything between them."""
    longest, run = 1, 0
    for position in range(period, len(words)):
        run = run + 1 if words[position] == words[position - period] else 0
        longest = max(longest, 1 + run // period)
    return longest if words else 0


def contains(words: Sequence[str], part: Sequence[str]) -> bool:
    """True if `part`, which is not empty, stands in `words` as it is."""
    size = len(part)
    return any(tuple(words[start:start + size]) == tuple(part) for start in range(len(words) - size + 1))
