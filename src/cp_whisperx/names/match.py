"""Which name of the glossary a heard stretch of words may stand for, and how well it must fit to be taken for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cp_whisperx.artifacts import Name
from cp_whisperx.names import glossary, script
from cp_whisperx.names.ordinary import Lexicon
from cp_whisperx.names.sound import key, likeness

_SOUND, _SPELLING = 0.75, 0.25
_MIN_WEIGHT = 0.3
"""Names less likely to be spoken (actors, crew) are known when heard, and never put in another word's place."""
_MIN_SOUNDS = 3
_RIVAL = 0.04
"""A second name that fits nearly as well makes it a guess: nothing is changed."""

_THRESHOLDS = {
    ("unknown", "capital"): 0.66, ("unknown", "start"): 0.70, ("unknown", "lower"): 0.72,
    ("name", "capital"): 0.74, ("name", "start"): 0.80, ("word", "capital"): 0.90,
}
"""By what the lists say of the heard word and how it is written: inside a sentence with a capital, at its start, in
lower case. What is not here is never changed."""
_JOINED, _JOINED_WITH_WORD = 0.76, 0.80
"""For several words in the place of one name: without and with ordinary ones. Nothing but ordinary words ("sign run")
is what was said."""
_FOREIGN = 0.16
"""More than usual where most words are in no list: then it says nothing about one of them."""
_UNSURE, _SURE, _BY_PROBABILITY = 0.4, 0.95, 0.03
_LIGHT = 0.06
_SHORT = {3: 0.12, 4: 0.06}
"""More for a name of so few sounds: it is like many words."""
_DEVANAGARI = 0.9


@dataclass(frozen=True, slots=True)
class Heard:
    """One to three words as heard, without the punctuation around them. `place`: capital, start or lower."""

    text: str
    places: tuple[str, ...]
    probability: float
    devanagari: bool
    foreign: bool


@dataclass(frozen=True, slots=True)
class Match:
    target: Name
    written: str
    score: float
    threshold: float

    @property
    def accepted(self) -> bool:
        return self.score >= self.threshold


@dataclass(frozen=True, slots=True)
class _Form:
    """One spelling of a name that may be put in the place of what was heard."""

    name: Name
    written: str
    sounds: str
    devanagari: bool


class Matcher:
    def __init__(self, names: Sequence[Name], lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        spelt = [(name, spelling) for name in names for spelling in (name.canonical, *name.variants)]
        self._forms = [_Form(name, spelling, key(spelling), script.is_devanagari(spelling))
                       for name, spelling in spelt
                       if name.kind != "title" and name.weight >= _MIN_WEIGHT and " " not in spelling
                       and len(key(spelling)) >= _MIN_SOUNDS]
        self._pairs = [_Form(name, name.canonical, key(name.canonical.replace(" ", "")), False)
                       for name in names if name.kind == "person" and name.weight >= _MIN_WEIGHT
                       and len(name.canonical.split()) == 2 and not script.is_devanagari(name.canonical)]
        self._entries = {spelling.casefold(): name for name, spelling in reversed(spelt)}
        self._known: dict[str, str] = {}
        for _, spelling in spelt:
            for word in filter(glossary.is_part, spelling.split()):
                self._known.setdefault(word.casefold(), word)
        self._twins = {one.casefold(): (name, other) for name in names
                       for one in (name.canonical, *name.variants) for other in (name.canonical, *name.variants)
                       if script.is_devanagari(one) != script.is_devanagari(other)
                       and (script.is_devanagari(one) or lexicon.kind(one) == "unknown")}
        self._cache: dict[tuple[Heard, bool], Match | None] = {}

    def known(self, word: str) -> str | None:
        """The glossary's spelling of a word that it holds, whatever its case."""
        return self._known.get(word.casefold())

    def entry(self, spelling: str) -> Name | None:
        """The name of the glossary that is spelt so."""
        return self._entries.get(spelling.casefold())

    def best(self, heard: Heard, *, devanagari_wanted: bool) -> Match | None:
        """The name that fits best, accepted or not; None if there is none, or if two fit alike."""
        asked = (heard, devanagari_wanted)
        if asked not in self._cache:
            self._cache[asked] = self._best(heard, devanagari_wanted)
        return self._cache[asked]

    def _best(self, heard: Heard, devanagari_wanted: bool) -> Match | None:
        if heard.devanagari != devanagari_wanted and heard.text.casefold() in self._twins:
            name, written = self._twins[heard.text.casefold()]
            return Match(name, written, 1.0, 0.0)
        threshold = _threshold(heard, self.lexicon)
        sounds = key(heard.text.replace(" ", ""))
        if threshold is None or len(sounds) < _MIN_SOUNDS:
            return None
        forms: Iterable[_Form] = self._forms if " " in heard.text else (*self._forms, *self._pairs)
        scored = sorted(((self._score(heard, sounds, form), form.written, form) for form in forms
                         if form.devanagari == devanagari_wanted), key=lambda item: (-item[0], item[1]))
        if not scored:
            return None
        score, written, form = scored[0]
        rivals = [other for other, _, rival in scored[1:] if not _one_person(rival.name, form.name)]
        if rivals and rivals[0] > score - _RIVAL:
            return None
        threshold += _LIGHT * (1 - form.name.weight)
        threshold += _SHORT.get(len(form.sounds), 0.0)
        if form in self._pairs:
            threshold = max(threshold, _JOINED_WITH_WORD)
        return Match(form.name, written, round(score, 3), round(threshold, 3))

    @staticmethod
    def _score(heard: Heard, sounds: str, form: _Form) -> float:
        from rapidfuzz.distance import JaroWinkler

        alike = likeness(sounds, form.sounds)
        if heard.devanagari or form.devanagari:
            return alike
        spelt = JaroWinkler.normalized_similarity(heard.text.replace(" ", "").casefold(),
                                                  form.written.replace(" ", "").casefold())
        return _SOUND * alike + _SPELLING * spelt


def _one_person(one: Name, other: Name) -> bool:
    return one.canonical in other.canonical or other.canonical in one.canonical


def _threshold(heard: Heard, lexicon: Lexicon) -> float | None:
    """What a name must reach; None where no name may be put in the place of these words."""
    words = heard.text.split()
    if heard.devanagari:
        return None if lexicon.kind(script.romanised(heard.text)) == "word" else _DEVANAGARI
    kinds = [lexicon.kind(word) for word in words]
    if len(words) == 1:
        found = _THRESHOLDS.get((kinds[0], heard.places[0]))
        if found is None:
            return None
    else:
        plain = [kind != "unknown" and place != "capital" for kind, place in zip(kinds, heard.places, strict=True)]
        if all(plain):
            return None
        found = _JOINED_WITH_WORD if any(plain) else _JOINED
    if heard.foreign:
        found += _FOREIGN
    if heard.probability < _UNSURE:
        found -= _BY_PROBABILITY
    elif heard.probability > _SURE:
        found += _BY_PROBABILITY
    return found
