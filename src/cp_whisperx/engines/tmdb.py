"""The Movie Database (TMDB), API version 3, as a catalogue of films.

Fields as documented at developer.themoviedb.org: movie details with `append_to_response`, search, find by id.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cp_whisperx.artifacts import Credit
from cp_whisperx.engines.answers import FRESH_S, Answers
from cp_whisperx.engines.web import Limits, Web
from cp_whisperx.errors import EngineError
from cp_whisperx.film import characters
from cp_whisperx.film.facts import FilmFacts, clean, unique

BASE_URL = "https://api.themoviedb.org/3"
SECRETS = ("TMDB_TOKEN", "TMDB_API_KEY")
"""Variables that may hold the key. The token (API read access token) travels in a header; the older key of 32
characters can only travel in the address, where proxies may log it."""

_OLD_KEY = re.compile(r"[0-9a-fA-F]{32}")
_PARTS = "credits,keywords,alternative_titles,translations,external_ids"
_OVERVIEW_CHARS = 4000
_JOBS = frozenset(("director", "writer", "screenplay", "story", "dialogue", "novel", "producer", "executive producer",
                   "original music composer", "music", "music director", "songs", "lyricist", "playback singer",
                   "choreographer", "director of photography", "editor"))
"""Of the crew, those whom titles and songs name; films list hundreds of others."""
_SCRIPTS = ("LATIN", "DEVANAGARI")
_TITLE_LANGUAGES = frozenset(("en", "hi"))
_PLACE = re.compile(r"[^\d,()]{2,40},\s*[^\d,()]{2,30}")
"""TMDB writes places among its keywords as `london, england`."""

_SMALL_WORDS = frozenset(("of", "the", "and", "de", "la", "upon", "on"))


class _Model(BaseModel):
    """The documented fields that are used; what else comes is left aside."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class _Cast(_Model):
    name: str | None = ""
    character: str | None = ""
    order: int | None = None


class _Crew(_Model):
    name: str | None = ""
    job: str | None = ""


class _Credits(_Model):
    cast: tuple[_Cast, ...] = ()
    crew: tuple[_Crew, ...] = ()


class _Keyword(_Model):
    name: str | None = ""


class _Keywords(_Model):
    keywords: tuple[_Keyword, ...] = ()


class _Title(_Model):
    title: str | None = ""


class _Titles(_Model):
    titles: tuple[_Title, ...] = ()


class _Translation(_Model):
    iso_639_1: str | None = ""
    data: _Title = _Title()


class _Translations(_Model):
    translations: tuple[_Translation, ...] = ()


class _Movie(_Model):
    id: int
    title: str | None = ""
    original_title: str | None = ""
    original_language: str | None = ""
    release_date: str | None = ""
    runtime: float | None = None
    overview: str | None = ""
    imdb_id: str | None = ""
    credits: _Credits = _Credits()
    keywords: _Keywords = _Keywords()
    alternative_titles: _Titles = _Titles()
    translations: _Translations = _Translations()


class _Search(_Model):
    results: tuple[_Movie, ...]


class _Find(_Model):
    movie_results: tuple[_Movie, ...]


M = TypeVar("M", bound=_Model)


class Tmdb:
    """Implements FilmCatalogue. Without a key it knows what is in `answers` and no more."""

    name = "TMDB"
    notice = "This product uses TMDB and the TMDB APIs but is not endorsed, certified, or otherwise approved by TMDB."

    def __init__(self, key: str, answers: Answers, *, base_url: str = BASE_URL, limits: Limits | None = None) -> None:
        self._has_key = bool(key)
        self._answers = answers
        self._base_url = base_url.rstrip("/")
        old = bool(_OLD_KEY.fullmatch(key))
        self._web = Web(self.name, base_url, limits=limits, query={"api_key": key} if old else {}, headers={
            "Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key and not old else {})})

    def film(self, number: str) -> FilmFacts | None:
        movie = self._get(f"/movie/{int(number)}", {"append_to_response": _PARTS}, _Movie)
        return _facts(movie) if movie else None

    def search(self, title: str, year: int | None) -> tuple[FilmFacts, ...]:
        query = {"query": title, "include_adult": "false", **({"year": str(year)} if year else {})}
        found = self._get("/search/movie", query, _Search)
        return tuple(map(_facts, found.results)) if found else ()

    def by_imdb(self, imdb_id: str) -> str | None:
        found = self._get(f"/find/{imdb_id}", {"external_source": "imdb_id"}, _Find)
        return str(found.movie_results[0].id) if found and found.movie_results else None

    def _get(self, path: str, query: Mapping[str, str], model: type[M]) -> M | None:
        """From the disk while fresh, else from the web; from the disk again, up to its end, where the web fails."""
        question = json.dumps([self._base_url, path, sorted(query.items())], ensure_ascii=False)
        if (kept := _valid(self._answers.get(question, max_age_s=FRESH_S), model)) is not None:
            return kept
        try:
            if not self._has_key:
                raise EngineError(f"{self.name} was not asked, since there is no key",
                                  hint=f"set {SECRETS[0]} or {SECRETS[0]}_FILE")
            answer = self._web.json(path, query)
        except EngineError:
            if (kept := _valid(self._answers.get(question), model)) is not None:
                return kept
            raise
        if answer is None:
            return None
        found = _valid(answer, model)
        if found is None:
            raise EngineError(f"{self.name} sent an answer that is not what it documents", hint="run again later")
        self._answers.put(question, answer)
        return found


def _valid(answer: Any, model: type[M]) -> M | None:
    try:
        return model.model_validate(answer) if answer is not None else None
    except ValidationError:
        return None


def _facts(movie: _Movie) -> FilmFacts:
    title, original = clean(movie.title), clean(movie.original_title)
    words = unique(clean(keyword.name) for keyword in movie.keywords.keywords)
    places = tuple(word for word in words if _PLACE.fullmatch(word))
    year = re.match(r"\d{4}", movie.release_date or "")
    imdb = re.fullmatch(r"tt\d{7,10}", movie.imdb_id or "")
    return FilmFacts(
        title=title or None,
        original_title=original or None,
        year=int(year[0]) if year else None,
        original_language=clean(movie.original_language) or None,
        runtime_s=movie.runtime * 60.0 if movie.runtime and 0 < movie.runtime < 10_000 else None,
        ids={"tmdb": str(movie.id), **({"imdb": imdb[0]} if imdb else {})},
        alternative_titles=unique(name for name in _titles(movie) if name not in (title, original)),
        credits=(*_cast(movie.credits), *_crew(movie.credits)),
        keywords=tuple(word for word in words if word not in places),
        places=unique(_capitals(part) for place in places for part in place.split(",")),
        overview=clean(movie.overview, _OVERVIEW_CHARS),
    )


def _titles(movie: _Movie) -> Iterator[str]:
    """Those a viewer of the original or of the English version may hear or read: in Latin, Devanagari, or the
    original's own script."""
    scripts = {*_SCRIPTS, *_scripts(clean(movie.original_title))}
    wanted = _TITLE_LANGUAGES | {movie.original_language}
    translated = (one.data.title for one in movie.translations.translations if one.iso_639_1 in wanted)
    for name in map(clean, (*(one.title for one in movie.alternative_titles.titles), *translated)):
        if name and _scripts(name) <= scripts:
            yield name


def _scripts(text: str) -> set[str]:
    return {unicodedata.name(char, "?").split()[0] for char in text if char.isalpha()}


def _capitals(place: str) -> str:
    """Keywords are in lower case: `isle of man` becomes `Isle of Man`."""
    words = place.split()
    return " ".join(word if word in _SMALL_WORDS and number else word[:1].upper() + word[1:]
                    for number, word in enumerate(words))


def _cast(credits: _Credits) -> Iterator[Credit]:
    for actor in credits.cast:
        if person := clean(actor.name):
            yield Credit(person=person, characters=characters.names(actor.character or ""), order=actor.order)


def _crew(credits: _Credits) -> Iterator[Credit]:
    seen = set()
    for member in credits.crew:
        person, job = clean(member.name), clean(member.job).casefold()
        if person and job in _JOBS and (person, job) not in seen:
            seen.add((person, job))
            yield Credit(person=person, job=job)
