"""How wide text is on the screen, in characters as a reader counts them."""

from __future__ import annotations

import unicodedata

_JOINS = frozenset(("Mn", "Mc", "Me", "Cf"))


def width(text: str) -> int:
    """Characters without the marks that sit on them: Devanagari vowel signs and accents take no place of their own.

    Close to the extended grapheme clusters of Unicode Annex 29; conjuncts count one more per joined consonant.
    """
    return sum(unicodedata.category(character) not in _JOINS for character in text)


def pieces(text: str, longest: int) -> list[str]:
    """`text` cut into pieces of at most `longest` characters, never between a character and its marks."""
    cut = [""]
    for character in text:
        if unicodedata.category(character) not in _JOINS and width(cut[-1]) >= longest:
            cut.append("")
        cut[-1] += character
    return cut
