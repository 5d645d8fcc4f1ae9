"""Where a break is good between two words, and where it is not: by punctuation, and by the words of breaks.toml."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from cp_whisperx.subtitles.language import lists

_SENTENCE_END = (".", "!", "?", "…", "।", "॥", "。", "！", "？", "؟")
_CLAUSE_END = (",", ";", ":", "—", "–", "--", " -", "،", "、", "，")
_CLOSING = "\"'”’)]»"
_AROUND = _CLOSING + "“‘([«¿¡-–—"
_KINDS = ("forward", "backward")


class Break(IntEnum):
    """What lies between two words: the lower, the better it can be broken."""

    SENTENCE = 0
    CLAUSE = 1
    CONJUNCTION = 2
    """Before a word that begins a new part of the sentence."""
    PLAIN = 3
    BOUND = 4
    """Two words that a reader takes together."""


@dataclass(frozen=True)
class Language:
    """The words of breaks.toml that hold to a neighbour, without the kinds that a profile does not name."""

    forward: frozenset[str]
    backward: frozenset[str]
    before: frozenset[str]
    abbreviations: frozenset[str]
    capitals: bool


@functools.cache
def language(tag: str, kinds: tuple[str, ...]) -> Language:
    """`tag` as `language_tag` gives it; a language that is not in the table has no words."""
    entry = lists().get(tag, {})
    held = [frozenset(word for kind, words in entry.get(direction, {}).items() if kind in kinds
                      for word in words.split()) for direction in _KINDS]
    return Language(held[0], held[1], frozenset(entry.get("before", "").split()),
                    frozenset(entry.get("abbreviations", "").split()), bool(entry.get("capitals")))


def kinds() -> frozenset[str]:
    """Every kind of pair that some language of the table has, and `name`."""
    return frozenset(kind for entry in lists().values() for direction in _KINDS
                     for kind in entry.get(direction, {})) | {"name"}


def language_tag(code: str, text: str) -> str:
    """The name of a table in breaks.toml: Hindi in Roman letters has one of its own."""
    latin = sum(character.isascii() and character.isalpha() for character in text)
    return "hi-Latn" if code == "hi" and 2 * latin > len(text.replace(" ", "")) else code


def between(texts: Sequence[str], words: Language, names: Collection[str] = ()) -> list[Break]:
    """For each text what lies between it and the next one; SENTENCE behind the last.

    `names` are known names as they are written, of one or several words.
    """
    plain = [_bare(text) for text in texts]
    ends = [ends_sentence(text, words) for text in texts]
    pairs = _pairs(names)
    found: list[Break] = []
    for position in range(len(texts) - 1):
        text, following = texts[position], plain[position + 1]
        if not following:
            found.append(Break.BOUND)
        elif ends[position]:
            found.append(Break.SENTENCE)
        elif _ends(text, _CLAUSE_END):
            found.append(Break.CLAUSE)
        elif (plain[position].casefold() in words.forward or text.strip().casefold() in words.forward
              or following.casefold() in words.backward
              or (plain[position].casefold(), following.casefold()) in pairs
              or (words.capitals and position > 0 and not ends[position - 1] and _is_name(plain[position])
                  and _is_name(following))):
            found.append(Break.BOUND)
        else:
            found.append(Break.CONJUNCTION if following.casefold() in words.before else Break.PLAIN)
    return [*found, Break.SENTENCE] if texts else []


def ends_sentence(text: str, words: Language) -> bool:
    return _ends(text, _SENTENCE_END) and text.strip().casefold() not in words.abbreviations


def _ends(text: str, marks: tuple[str, ...]) -> bool:
    return f" {text.strip()}".rstrip(_CLOSING).endswith(marks)


def _bare(text: str) -> str:
    """Without the punctuation around it; nothing is left of a word that is punctuation alone."""
    bare = text.strip().strip(_AROUND + "".join(_SENTENCE_END) + "".join(_CLAUSE_END))
    return bare if any(unicodedata.category(character)[0] in "LN" for character in bare) else ""


def _is_name(text: str) -> bool:
    return len(text) > 1 and text[0].isupper() and not text.isupper()


def _pairs(names: Collection[str]) -> frozenset[tuple[str, str]]:
    parts = [name.casefold().split() for name in names]
    return frozenset(pair for words in parts for pair in pairwise(words))
