"""From what is known of a film to the names to expect in it."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from cp_whisperx.artifacts import Film, Name
from cp_whisperx.engines.protocols import Entity
from cp_whisperx.names import ordinary, script
from cp_whisperx.names.sound import key

Kind = Literal["person", "place", "organisation", "title", "other"]

UNKNOWN = "UNKNOWN"
"""Label of `proper_nouns`."""
_LABELS: dict[str, tuple[Kind, float]] = {
    "PERSON": ("person", 0.7), "GPE": ("place", 0.6), "LOC": ("place", 0.5), "FAC": ("place", 0.5),
    "ORG": ("organisation", 0.4), UNKNOWN: ("other", 0.6), "NORP": ("other", 0.3),
    "PRODUCT": ("other", 0.3), "EVENT": ("other", 0.3),
}
"""What an entity's label means, and how probable it is that a film's people speak of it."""
_NAMES = frozenset(("PERSON", "GPE", "LOC", "FAC", "ORG"))
_WEIGHTS = {"added": 1.0, "lead": 0.95, "character": 0.85, "place": 0.7, "title": 0.3, "actor": 0.15, "crew": 0.1}
_LEADS = 6
_PART = 0.95
"""A given name or a surname alone, against the whole name that it is part of."""
_ORDINARY = 0.6
"""A name that is an ordinary word as well (Will, Asha)."""


def build(film: Film, entities: Iterable[Entity], added: Sequence[str] = ()) -> tuple[Name, ...]:
    """The glossary, the weightiest first; of one name from several sources the strongest is kept.

    `added` are names that a person gave for this job.
    """
    best: dict[str, Name] = {}
    for name in _all(film, entities, added):
        known = best.get(name.canonical.casefold())
        if known is None or name.weight > known.weight:
            best[name.canonical.casefold()] = name
    return tuple(sorted(_linked(best.values()), key=lambda name: (-name.weight, name.canonical)))


def proper_nouns(text: str, found: Sequence[Entity]) -> Iterator[Entity]:
    """Words with a capital inside a sentence that no list knows: an English model misses half of India's places.

    `found` are the entities that it has: a people, a language or a date is none.
    """
    others = {word for entity in found if entity.label not in _NAMES for word in entity.text.split()}
    for before, word in itertools.pairwise(text.split()):
        noun = re.fullmatch(r"([\"'“‘(]?)([A-Z]\w+)(?:['’]s)?[^\w\s]*", word)
        if (noun and not before.endswith((".", "!", "?", ":", "”", '"')) and noun[2] not in others
                and _lexicon().kind(noun[2]) == "unknown"):
            yield Entity(noun[2], UNKNOWN)


def _all(film: Film, entities: Iterable[Entity], added: Sequence[str]) -> Iterator[Name]:
    for name in added:
        yield from _whole_and_parts(name, "person", "added by hand", _WEIGHTS["added"])
    for name in film.extra_names:
        yield from _whole_and_parts(name, "other", "cast file", _WEIGHTS["added"])
    for number, credit in enumerate(sorted(film.credits, key=lambda credit: (
            credit.order is None, credit.order or 0))):
        for character in credit.characters:
            lead = (credit.order if credit.order is not None else number) < _LEADS
            yield from _whole_and_parts(character, "person", f"character ({credit.person})",
                                        _WEIGHTS["lead" if lead else "character"])
        kind = "actor" if credit.job == "actor" else "crew"
        yield from _whole_and_parts(credit.person, "person", kind if kind == "actor" else credit.job, _WEIGHTS[kind])
    for place in film.places:
        yield from _whole_and_parts(place, "place", "place of the film", _WEIGHTS["place"], parts=False)
    for title in filter(None, (film.title, film.original_title, *film.alternative_titles)):
        yield Name(canonical=_tidy(title), kind="title", source="title", weight=_WEIGHTS["title"])
    for entity in entities:
        if entity.label in _LABELS:
            kind_, weight = _LABELS[entity.label]
            yield from _whole_and_parts(re.sub(r"['’]s$", "", entity.text), kind_, "named in the plot", weight,
                                        parts=kind_ == "person")


def _whole_and_parts(text: str, kind: Kind, source: str, weight: float, *, parts: bool = True) -> Iterator[Name]:
    whole = _tidy(text)
    words = [word for word in whole.split() if is_part(word)]
    if not words:
        return
    yield Name(canonical=whole, kind=kind, source=source, weight=_weighed(whole, weight))
    if parts and len(whole.split()) > 1:
        for word in words:
            yield Name(canonical=word, kind=kind, source=source, weight=_weighed(word, weight * _PART))


def _weighed(name: str, weight: float) -> float:
    is_word = " " not in name and _lexicon().kind(name) == "word"
    return round(weight * _ORDINARY if is_word else weight, 3)


@functools.cache
def _lexicon() -> ordinary.Lexicon:
    """The small lists: whether a name is a word too is a matter of words that everybody knows."""
    return ordinary.Lexicon()


def is_part(word: str) -> bool:
    """Initials, titles and descriptions are no names."""
    plain = word.casefold().strip(".")
    return (len(key(word)) >= 2 and plain not in ordinary.own("titles") and not word.endswith(".")
            and (not word[0].isascii() or word[0].isupper()))


def _tidy(text: str) -> str:
    return " ".join(text.replace("_", " ").split()).strip(" ,;:!?\"“”'‘’()[]")


def _linked(names: Iterable[Name]) -> Iterator[Name]:
    """Names of one sound in two scripts are one: the Latin spelling leads, the other is a variant of it.

    A name that comes in Devanagari alone gets its Latin spelling as a variant.
    """
    listed = list(names)
    latin = {_sounds(name.canonical): name for name in listed if not script.is_devanagari(name.canonical)}
    variants: dict[str, list[str]] = {}
    for name in listed:
        if script.is_devanagari(name.canonical):
            twin = latin.get(_sounds(name.canonical))
            if twin:
                variants.setdefault(twin.canonical, []).append(name.canonical)
            else:
                yield name.model_copy(update={"variants": (script.romanised(name.canonical),)})
    for name in latin.values():
        yield name.model_copy(update={"variants": tuple(sorted(variants.get(name.canonical, ())))})
    same_sound = {name.canonical for name in latin.values()}
    for name in listed:
        if not script.is_devanagari(name.canonical) and name.canonical not in same_sound:
            yield name


def _sounds(name: str) -> str:
    """The consonants decide: vowels are spelt at will between the scripts."""
    return " ".join(re.sub(r"(?<!^)[aeiou]", "", key(word)) for word in name.split())
