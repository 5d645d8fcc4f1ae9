"""All that points to which film it is, gathered where the job is made.

A stage may run in a container or on another machine, where neither the folder of the film nor the user's files are.
So what they say goes into the request, and with that into the stage's key: an .nfo that changes has the stage redone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from cp_whisperx import languages
from cp_whisperx.artifacts import Frozen
from cp_whisperx.errors import MediaError
from cp_whisperx.film import cast, naming, nfo
from cp_whisperx.film.facts import FilmFacts

_FILM_SUFFIXES = frozenset((".mkv", ".mp4", ".m4v", ".avi", ".mov", ".webm", ".ts", ".m2ts", ".mpg", ".mpeg", ".vob",
                            ".ogm", ".wmv", ".flv"))
_ASIDES = ("trailer", "sample", "featurette", "extra")


class Clues(Frozen):
    nfo: FilmFacts | None = None
    nfo_file: str = ""
    path_ids: dict[str, str] = Field(default_factory=dict)
    title: str | None = None
    year: int | None = None
    cast: FilmFacts | None = None
    cast_file: str = ""
    duration_s: float | None = None
    languages: tuple[str, ...] = ()
    """Of the audio tracks, as far as they are marked: codes of `languages`."""
    may_ask: bool = False
    """True if there was a key for the catalogue: a key that comes later has the stage redone. Never the key itself."""
    problems: tuple[str, ...] = ()
    """What could not be used, each one sentence."""


def gather(film: Path, *, cast_file: Path | None, duration_s: float | None, tracks: Sequence[str | None],
           may_ask: bool) -> Clues:
    """Reads what is beside the film. Raises ConfigError only for a cast file that the user named."""
    problems: list[str] = []
    found, nfo_name = _nfo(film, problems)
    path_ids = naming.ids(film)
    named = naming.Named()
    if not (found and found.title):
        try:
            named = naming.guess(film)
        except ImportError:
            problems.append("the film's name was not taken apart: guessit is not installed")
        if named.episode:
            problems.append("the film's name is that of an episode of a series: no film was searched by it")
            named = naming.Named()
    spoken = {language.code for track in tracks if (language := languages.find(track))}
    return Clues(
        nfo=found, nfo_file=nfo_name, path_ids=path_ids, title=named.title, year=named.year,
        cast=cast.read(cast_file) if cast_file else None, cast_file=cast_file.name if cast_file else "",
        duration_s=duration_s, languages=tuple(sorted(spoken)), may_ask=may_ask, problems=tuple(problems))


def _nfo(film: Path, problems: list[str]) -> tuple[FilmFacts | None, str]:
    """`<name>.nfo`, else `movie.nfo` in a folder of this film's own; the first that is there decides."""
    try:
        beside = sorted(film.parent.iterdir())
    except OSError:
        return None, ""
    by_name = {path.name.casefold(): path for path in reversed(beside)}
    for name in (f"{film.stem}.nfo", "movie.nfo"):
        path = by_name.get(name.casefold())
        if path is None or not path.is_file():
            continue
        if name == "movie.nfo" and (others := _other_films(film, beside)):
            problems.append(f"{path.name} was not used: it may be about {others[0]}, which is in the same folder")
            return None, ""
        try:
            with path.open("rb") as file:
                return nfo.parse(file.read(nfo.MAX_BYTES + 1), path.name), path.name
        except OSError as error:
            problems.append(f"{path.name} cannot be read ({error.strerror})")
        except MediaError as error:
            problems.append(error.message)
        return None, ""
    return None, ""


def _other_films(film: Path, beside: Sequence[Path]) -> list[str]:
    return [path.name for path in beside if path.suffix.lower() in _FILM_SUFFIXES and path.name != film.name
            and not any(word in path.stem.lower() for word in _ASIDES)]
