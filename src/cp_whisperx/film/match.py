"""Which of the films that a search gives is this one, if any: by title, year, running time and language."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cp_whisperx.film.facts import FilmFacts
from cp_whisperx.progress import clock_text

RUNTIME_TOLERANCE = 0.05
"""Share of the running time: PAL's speed-up is 4 %, and catalogues round to minutes."""
_ROUNDING_S = 60.0
_SIMILAR = 0.8
_SAME = 0.95
_LOOKED_AT = 5
_YEAR_BONUS = 0.1
_LANGUAGE_BONUS = 0.05
_CLEAR_LEAD = 0.05


@dataclass(frozen=True, slots=True)
class Wanted:
    title: str
    year: int | None
    duration_s: float | None
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The film, or None; `reason` says in words why this one or why none."""

    film: FilmFacts | None
    reason: str


def choose(hits: Sequence[FilmFacts], wanted: Wanted, details: Callable[[FilmFacts], FilmFacts | None]) -> Match:
    """Asks for the `details` of the likeliest few, since only those have running times and further titles."""
    likely = sorted((hit for hit in hits if _year_fits(hit, wanted)), key=lambda hit: -_score(hit, wanted))
    films = [film for hit in likely[:_LOOKED_AT] if (film := details(hit))]
    similar = sorted((film for film in films if similarity(film, wanted.title) >= _SIMILAR),
                     key=lambda film: -_score(film, wanted))
    if not similar:
        return Match(None, f"no film called {_called(wanted)} is known there")
    confirmed = [film for film in similar if runtime_fits(film.runtime_s, wanted.duration_s)]
    if confirmed:
        return _clear(confirmed, wanted, "title, year and running time agree" if wanted.year
                      else "title and running time agree")
    unknown = [film for film in similar if not film.runtime_s or not wanted.duration_s]
    sure = [film for film in unknown if film.year == wanted.year and similarity(film, wanted.title) >= _SAME]
    if sure:
        return _clear(sure, wanted, "title and year agree; the running time could not be compared")
    other = similar[0]
    if other.runtime_s and wanted.duration_s:
        return Match(None, f"{_called(wanted)} runs {clock_text(wanted.duration_s)}, and {_label(other)} "
                     f"{clock_text(other.runtime_s)}: another film, or a part of it")
    return Match(None, f"{_called(wanted)} is not clearly {_label(other)}: there is no running time to confirm it")


def runtime_fits(runtime_s: float | None, duration_s: float | None) -> bool:
    """False if one of them is not known."""
    return bool(runtime_s and duration_s
                and abs(runtime_s - duration_s) <= RUNTIME_TOLERANCE * runtime_s + _ROUNDING_S / 2)


def similarity(film: FilmFacts, title: str) -> float:
    """0..1 of the title that comes closest."""
    wanted = _plain(title)
    return max((difflib.SequenceMatcher(None, wanted, _plain(name), autojunk=False).ratio()
                for name in film.titles()), default=0.0)


def _clear(films: Sequence[FilmFacts], wanted: Wanted, reason: str) -> Match:
    if len(films) > 1 and _score(films[0], wanted) - _score(films[1], wanted) < _CLEAR_LEAD:
        return Match(None, f"{_called(wanted)} may be {_label(films[0])} or {_label(films[1])}: neither was used")
    return Match(films[0], reason)


def _score(film: FilmFacts, wanted: Wanted) -> float:
    year = _YEAR_BONUS if wanted.year and film.year == wanted.year else 0.0
    language = _LANGUAGE_BONUS if film.original_language in wanted.languages else 0.0
    return similarity(film, wanted.title) + year + language


def _year_fits(film: FilmFacts, wanted: Wanted) -> bool:
    """A film comes out in another year elsewhere."""
    return not (film.year and wanted.year) or abs(film.year - wanted.year) <= 1


def _plain(title: str) -> str:
    """Letters and digits in lower case; Latin without accents, other scripts with all their signs."""
    text = unicodedata.normalize("NFKD", title.casefold().replace("&", " and "))
    latin = "".join(char for char in text if not 0x300 <= ord(char) <= 0x36F)
    kept = "".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in latin)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", kept)).strip()


def _called(wanted: Wanted) -> str:
    return f"“{wanted.title}” ({wanted.year})" if wanted.year else f"“{wanted.title}”"


def _label(film: FilmFacts) -> str:
    number = f", tmdb:{film.ids['tmdb']}" if "tmdb" in film.ids else ""
    return f"“{film.title or film.original_title}” ({film.year or 'no year'}{number})"
