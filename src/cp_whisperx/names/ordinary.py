"""How ordinary a word is: whether it may be another word misheard, or is itself what was said.

English words by frequency are a model of the catalogue (`en-words`); names, and words as they are heard in film and
television, are lists that zxcvbn carries (MIT), which is not used for what it is for.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from importlib import resources
from pathlib import Path
from typing import Literal

from cp_whisperx.errors import EngineError

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


class Lexicon:
    """What the lists say of words in Latin letters; without a file of frequencies, what the small ones say."""

    def __init__(self, frequencies: Path | None = None) -> None:
        """`frequencies`: a word and how often it is met on each line.

        Raises EngineError for a file that is not of that form.
        """
        from zxcvbn.frequency_lists import FREQUENCY_LISTS

        self._sure = frozenset(FREQUENCY_LISTS["us_tv_and_film"]) | own("names_too") | own("hindi") | own("small")
        self._names = frozenset(name for kind in ("male_names", "female_names", "surnames")
                                for name in FREQUENCY_LISTS[kind])
        self._words = _frequent(frequencies) if frequencies else frozenset()
        self._kinds: dict[str, Kind] = {}

    def kind(self, word: str) -> Kind:
        """Of a word, whatever its case; `unknown` for all that no list holds."""
        if word not in self._kinds:
            self._kinds[word] = self._kind(word)
        return self._kinds[word]

    def _kind(self, word: str) -> Kind:
        plain = re.sub(r"['’]s$|[^a-z]", "", unicodedata.normalize("NFKD", word.casefold()))
        # Names are among the words of films too: what is in that list is a word first.
        if len(plain) < _SHORT or plain in self._sure:
            return "word"
        if plain in self._names:
            return "name"
        return "word" if any(form in self._words for form in (plain, *_stems(plain))) else "unknown"


def _frequent(path: Path) -> frozenset[str]:
    try:
        pairs = [(word, int(count)) for word, count in
                 (line.split() for line in path.read_text(encoding="utf-8-sig").splitlines())]
    except (OSError, ValueError) as error:
        raise EngineError(f"{path} is no list of words with their frequencies ({error})",
                          hint="run: cp-whisperx models verify") from error
    pairs.sort(key=lambda pair: (-pair[1], pair[0]))
    return frozenset(word for word, _ in pairs[:_WORDS])


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
