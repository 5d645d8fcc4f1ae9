"""Facts of one film, from whichever source; those of several sources become one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from pydantic import Field

from cp_whisperx.artifacts import Credit, Frozen

_JOINERS = "\u200c\u200d"
"""They shape Devanagari letters; every other invisible character is dropped."""
_NAME_CHARS = 200


class FilmFacts(Frozen):
    """Everything is empty where the source does not say it. `runtime_s` in seconds; languages in ISO 639-1."""

    title: str | None = None
    original_title: str | None = None
    year: int | None = None
    original_language: str | None = None
    runtime_s: float | None = None
    ids: dict[str, str] = Field(default_factory=dict)
    """By who gives them: tmdb (digits), imdb (tt…)."""
    alternative_titles: tuple[str, ...] = ()
    credits: tuple[Credit, ...] = ()
    keywords: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    overview: str = ""
    extra_names: tuple[str, ...] = ()

    def titles(self) -> tuple[str, ...]:
        return unique(title for title in (self.title, self.original_title, *self.alternative_titles) if title)


def merged(strong: FilmFacts, weak: FilmFacts) -> FilmFacts:
    """`strong`, and what `weak` adds to it. A person is one by name: characters and billing come from whoever knows."""
    other = (weak.title, weak.original_title, *weak.alternative_titles)
    title = strong.title or weak.title
    original = strong.original_title or weak.original_title
    known = {_key(name) for name in (title, original) if name}
    return FilmFacts(
        title=title,
        original_title=original,
        year=strong.year or weak.year,
        original_language=strong.original_language or weak.original_language,
        runtime_s=strong.runtime_s or weak.runtime_s,
        ids=weak.ids | strong.ids,
        alternative_titles=unique(name for name in (*strong.alternative_titles, *other)
                                  if name and _key(name) not in known),
        credits=_credits(strong.credits, weak.credits),
        keywords=unique((*strong.keywords, *weak.keywords)),
        places=unique((*strong.places, *weak.places)),
        overview=strong.overview or weak.overview,
        extra_names=unique((*strong.extra_names, *weak.extra_names)),
    )


def _credits(strong: tuple[Credit, ...], weak: tuple[Credit, ...]) -> tuple[Credit, ...]:
    found: dict[tuple[str, str], Credit] = {}
    for credit in (*_of_one_source(strong), *_of_one_source(weak)):
        key = (_key(credit.person), credit.job)
        if known := found.get(key):
            found[key] = known.model_copy(update={
                "characters": known.characters or credit.characters,
                "order": known.order if known.order is not None else credit.order})
        else:
            found[key] = credit
    return tuple(found.values())


def _of_one_source(credits: tuple[Credit, ...]) -> Iterable[Credit]:
    """A source may list a person once for each role: all of them are played."""
    found: dict[tuple[str, str], Credit] = {}
    for credit in credits:
        key = (_key(credit.person), credit.job)
        known = found.get(key)
        found[key] = known.model_copy(update={
            "characters": unique((*known.characters, *credit.characters))}) if known else credit
    return found.values()


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """In order, without empty ones and repetitions; letter case makes no difference."""
    found: dict[str, str] = {}
    for name in names:
        if name:
            found.setdefault(_key(name), name)
    return tuple(found.values())


def clean(text: object, limit: int = _NAME_CHARS) -> str:
    """One line of composed Unicode (NFC) without control characters, at most `limit` characters; "" for no text."""
    if not isinstance(text, str):
        return ""
    kept = (char if char in _JOINERS or unicodedata.category(char)[0] != "C" else " " for char in text[:limit * 4])
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))[:limit].strip()


def _key(name: str) -> str:
    return " ".join(name.casefold().split())
