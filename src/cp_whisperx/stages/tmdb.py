"""tmdb: which film this is, and who is in it, before anybody listens.

Sources, the first that answers decides which film it is: an id on the command line, the .nfo beside the film, an id
in its path, its name (searched, and confirmed by the running time). What the .nfo and the user's cast file say is
known without a network; what could not be had is told, and is no failure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from cp_whisperx.artifacts import Film
from cp_whisperx.engines import secret
from cp_whisperx.engines.answers import Answers, default_folder
from cp_whisperx.engines.protocols import FilmCatalogue
from cp_whisperx.engines.tmdb import BASE_URL, SECRETS, Tmdb
from cp_whisperx.engines.web import Limits
from cp_whisperx.errors import ConfigError, EngineError
from cp_whisperx.film.clues import Clues, gather
from cp_whisperx.film.facts import FilmFacts, merged
from cp_whisperx.film.match import Wanted, choose, runtime_fits
from cp_whisperx.progress import clock_text
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools

if TYPE_CHECKING:
    from cp_whisperx.media.probe import Media

_FILM_ID = re.compile(r"(?:\S*/title/|imdb:)?(?P<imdb>tt\d{7,10})/?|(?:\S*/movie/|tmdb:)?(?P<tmdb>\d{1,9})(?:[-/]\S*)?")


class Options(StageOptions):
    film_id: str | None = Field(None, description="Which film it is: tt0112870 or tmdb:19404; empty: found by its "
                                ".nfo, an id in its path, or its name")
    cast: str | None = Field(None, description="File with names to expect, the user's own: `Character = Actor` or a "
                             "name on each line, or TOML or JSON; empty: none")
    base_url: str = Field(BASE_URL, pattern=r"^https?://[^\s?#@]+$", description="Address of the TMDB API, or of a "
                          "proxy of it, without a key")
    connect_s: float = Field(3.0, gt=0, description="TMDB is given up if no connection stands by then, seconds")
    answer_s: float = Field(20.0, gt=0, description="An answer of TMDB is given up if it is not whole by then, seconds")

    @field_validator("film_id")
    @classmethod
    def _known_form(cls, value: str | None) -> str | None:
        if value is not None and not _FILM_ID.fullmatch(value):
            raise ValueError(f"{value!r:.60} is no id of a film: give tt0112870 or tmdb:19404")
        return value


def clues(options: Options, media: Media) -> Mapping[str, Any]:
    """Where the job is made: raises ConfigError for a cast file that cannot be used."""
    found = gather(media.path.absolute(), cast_file=Path(options.cast).expanduser() if options.cast else None,
                   duration_s=media.duration_s, tracks=[stream.language for stream in media.audio],
                   may_ask=secret.configured(SECRETS))
    return found.model_dump(mode="json", exclude_defaults=True)


def run(inputs: Inputs, options: Options, tools: Tools) -> Film:
    try:
        key, problem = secret.read(SECRETS), ""
    except ConfigError as error:
        key, problem = "", error.message
    catalogue = Tmdb(key, Answers(default_folder()), base_url=options.base_url,
                     limits=Limits(options.connect_s, options.answer_s))
    film = identify(catalogue, Clues.model_validate(tools.gathered), options, tools, problem)
    people = sum(bool(credit.characters) for credit in film.credits)
    tools.log.info(f"{film.title or 'a film of which no title is known'} ({film.year or 'no year'}): "
                   f"{people} roles by name, from " + (", ".join(film.sources) or "nothing"))
    if film.attribution:
        tools.log.info(film.attribution)
    return film


def identify(catalogue: FilmCatalogue, clues: Clues, options: Options, tools: Tools, problem: str = "") -> Film:
    """The stage with its catalogue given."""
    lacked = [*clues.problems, *([problem] if problem else [])]
    asked = _Asked(catalogue, clues, lacked)
    given = _FILM_ID.fullmatch(options.film_id) if options.film_id else None
    found = asked.by_ids({kind: value for kind, value in given.groupdict().items() if value}, "the command line") \
        if given else asked.by_clues()
    nfo = clues.nfo
    if found and nfo and _contradict(found, nfo):
        tools.warn(f"{clues.nfo_file} is about another film than {asked.source}: it was not used")
        nfo = None
    if found and clues.duration_s and found.runtime_s and not runtime_fits(found.runtime_s, clues.duration_s):
        tools.warn(f"{catalogue.name} gives {clock_text(found.runtime_s)} for {found.title}, and this film runs "
                   f"{clock_text(clues.duration_s)}: check that it is the same (--film-id)")
    local = FilmFacts(title=clues.title, year=clues.year) if not (found or nfo) else None
    sources = ((clues.cast, f"the cast file {clues.cast_file}"), (found, f"{catalogue.name} ({asked.source})"),
               (nfo, clues.nfo_file), (local if local != FilmFacts() else None, "the film's name"))
    facts = FilmFacts()
    for source, _ in sources:
        facts = merged(facts, source) if source else facts
    for sentence in lacked:
        tools.log.info(f"lacked: {sentence}")
    tools.progress(1.0, 1.0)
    return Film(**{name: getattr(facts, name) for name in FilmFacts.model_fields},
                sources=tuple(name for source, name in sources if source), lacked=tuple(lacked),
                attribution=catalogue.notice if found else "")


class _Asked:
    """What the catalogue was asked, and by what it found the film; what it could not answer goes to `lacked`."""

    def __init__(self, catalogue: FilmCatalogue, clues: Clues, lacked: list[str]) -> None:
        self._catalogue = catalogue
        self._clues = clues
        self._lacked = lacked
        self._failed = False
        self.source = ""

    def by_clues(self) -> FilmFacts | None:
        clues = self._clues
        for ids, where in ((clues.nfo.ids if clues.nfo else {}, clues.nfo_file), (clues.path_ids, "the path")):
            if found := self.by_ids(ids, where):
                return found
        title = clues.nfo.title if clues.nfo and clues.nfo.title else clues.title
        year = clues.nfo.year if clues.nfo and clues.nfo.title else clues.year
        return None if self._failed or not title else self._by_name(title, year)

    def by_ids(self, ids: Mapping[str, str], where: str) -> FilmFacts | None:
        for kind in ("tmdb", "imdb"):
            if self._failed or kind not in ids:
                continue
            try:
                number = ids[kind] if kind == "tmdb" else self._catalogue.by_imdb(ids[kind])
                if number and (found := self._catalogue.film(number)):
                    self.source = f"{kind}:{ids[kind]} of {where}" if kind == "tmdb" else f"{ids[kind]} of {where}"
                    return found
                self._lacked.append(f"{self._catalogue.name} knows no film {ids[kind]}, the id of {where}")
            except EngineError as error:
                self._give_up(error)
        return None

    def _by_name(self, title: str, year: int | None) -> FilmFacts | None:
        wanted = Wanted(title, year, self._clues.duration_s, self._clues.languages)
        try:
            hits = self._catalogue.search(title, year)
            if not hits and year:
                # A film comes out in another year elsewhere.
                hits = self._catalogue.search(title, None)
            match = choose(hits, wanted, lambda hit: self._catalogue.film(hit.ids["tmdb"]))
        except EngineError as error:
            self._give_up(error)
            return None
        if match.film is None:
            self._lacked.append(f"{self._catalogue.name}: {match.reason}")
        else:
            self.source = match.reason
        return match.film

    def _give_up(self, error: EngineError) -> None:
        """One failure is enough: what comes after it would wait as long."""
        self._failed = True
        self._lacked.append(error.message + (f" ({error.hint})" if error.hint else ""))


def _contradict(found: FilmFacts, nfo: FilmFacts) -> bool:
    return any(nfo.ids[kind] != found.ids[kind] for kind in nfo.ids.keys() & found.ids.keys())


STAGE = Stage(
    name="tmdb",
    version=1,
    needs=(),
    makes=Film,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base", "web"), network=True, secrets=SECRETS),
    gather=clues,
)
