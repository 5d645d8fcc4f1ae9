"""How ordinary a word is: whether it may be another word misheard, or is itself what was said.

English words by frequency are those of symspellpy (MIT; SCOWL crossed with Google's n-grams); names, and words as they
are heard in film and television, those of zxcvbn (MIT). Neither library is used for what it is for.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from importlib import resources
from typing import Literal

Kind = Literal["word", "name", "unknown"]

_WORDS = 50_000
"""Of 82,765 by frequency. Behind this rank nearly none is met in a film, and misheard names look like them."""
_SHORT = 3
"""Letters. What is shorter is no name that could be told from a word."""


@functools.cache
def own(name: str) -> frozenset[str]:
    """A list of our own, words/<name>.txt: words parted by white space, lines of explanation behind a #."""
    text = resources.files(__package__).joinpath("words", f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@functools.cache
def _sure_words() -> frozenset[str]:
    """Words whatever else they are: names among them too."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["us_tv_and_film"]) | own("names_too") | own("hindi") | own("small")


@functools.cache
def _names() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(name for kind in ("male_names", "female_names", "surnames") for name in FREQUENCY_LISTS[kind])


@functools.cache
def _words() -> frozenset[str]:
    file = resources.files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt")
    pairs = [line.split() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    pairs.sort(key=lambda pair: (-int(pair[1]), pair[0]))
    return frozenset(word for word, _ in pairs[:_WORDS])


@functools.lru_cache(maxsize=1 << 14)
def kind(word: str) -> Kind:
    """What the lists say of a word in Latin letters, whatever its case; `unknown` for all that they do not hold."""
    plain = re.sub(r"['’]s$|[^a-z]", "", unicodedata.normalize("NFKD", word.casefold()))
    if len(plain) < _SHORT or plain in _sure_words():
        return "word"
    if plain in _names():
        return "name"
    return "word" if any(form in _words() for form in (plain, *_stems(plain))) else "unknown"


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
