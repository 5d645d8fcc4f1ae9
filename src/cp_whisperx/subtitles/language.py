"""Which language a text is in, where nobody says it: by its script, and by the small words of breaks.toml."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from importlib import resources
from typing import Any

UNKNOWN = "und"
_DEVANAGARI = ("\u0900", "\u097f")
_LATIN = {"en": "en", "hi-Latn": "hi"}
_SHARE = 0.3
"""Of the words must be in the lists of a language: English dialogue has a half, its cousins have a tenth."""
_AROUND = "\"'”’“‘«».!?…,;:—–-()[]"


def guess(lines: Iterable[str]) -> str:
    """ISO 639-1, or `und`. Hindi is known in either script; Devanagari is taken for Hindi."""
    words = [word.strip(_AROUND).casefold() for line in lines for word in line.split()]
    words = [word for word in words if any(map(str.isalpha, word))]
    if not words:
        return UNKNOWN
    if sum(_DEVANAGARI[0] <= word[0] <= _DEVANAGARI[1] for word in words) > len(words) / 2:
        return "hi"
    shares = {tag: sum(word in small_words(tag) for word in words) / len(words) for tag in _LATIN}
    best = max(shares, key=lambda tag: shares[tag])
    return _LATIN[best] if shares[best] >= _SHARE else UNKNOWN


@functools.cache
def small_words(tag: str) -> frozenset[str]:
    """All that hold to a neighbour."""
    entry = lists().get(tag, {})
    return frozenset(word for side in ("forward", "backward") for listed in entry.get(side, {}).values()
                     for word in listed.split())


@functools.cache
def lists() -> dict[str, dict[str, Any]]:
    """breaks.toml."""
    return tomllib.loads(resources.files(__package__).joinpath("breaks.toml").read_text(encoding="utf-8"))
