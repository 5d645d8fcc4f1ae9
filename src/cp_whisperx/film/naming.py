"""Title and year from the name of a film's file and of its folder, and the ids that some write into them.

Names are taken apart by guessit: on its own list of release names it is right where the smaller
parse-torrent-title is not (bench/film_names.py). It takes 0.3 s to load and is needed only where a job is made, so it
is loaded when nothing better is known, and no image holds it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cp_whisperx.film.facts import clean

_ID = re.compile(r"[\[{(]\s*(?P<kind>tmdb|imdb)(?:[ _-]?id)?\s*[-=:_ ]\s*(?P<value>tt\d{7,10}|\d{1,9})\s*[\]})]",
                 re.IGNORECASE)
_IMDB_ID = re.compile(r"(?<![A-Za-z0-9])(tt\d{7,10})(?![A-Za-z0-9])")
_YEAR = re.compile(r"(?<!\d)(?:18[89]|19\d|20\d)\d(?!\d)")
_SHELF = re.compile(r"(?:movies?|films?|cinema|videos?|downloads?|complete|media|out|tmp|home|users?|desktop|share[ds]?"
                    r"|hindi|bollywood|english|new folder)?", re.IGNORECASE)
"""Folders that hold films rather than name one."""
_PARENTS = 2


@dataclass(frozen=True, slots=True)
class Named:
    """What a name says; `episode` if it is that of a series."""

    title: str | None = None
    year: int | None = None
    episode: bool = False


def ids(film: Path) -> dict[str, str]:
    """`[tmdbid-19404]`, `{tmdb-19404}`, `[imdbid-tt0112870]`, `tt0112870` in the name or a folder; the nearest wins."""
    found: dict[str, str] = {}
    for name in (film.stem, *(folder.name for folder in list(film.parents)[:_PARENTS])):
        for match in _ID.finditer(name):
            kind, value = match["kind"].lower(), match["value"].lower()
            if value.startswith("tt") == (kind == "imdb"):
                found.setdefault(kind, value)
        for match in _IMDB_ID.finditer(name):
            found.setdefault("imdb", match[1])
    return found


def guess(film: Path) -> Named:
    """Title and year, from the folder where the file's own name has none. Raises ImportError without guessit."""
    # guessit weighs the file's name against its folder's; folders that hold many films would only mislead it.
    folder = clean(film.parent.name)
    own, name = _parse(clean(film.name)), clean(film.name)
    if _SHELF.fullmatch(folder):
        return own
    both = _parse(f"{folder}/{name}")
    if own.title and own.year and not (both.title and both.year):
        return own
    return both


def _parse(name: str) -> Named:
    from guessit import guessit

    # What is an id in brackets for one program is a part of the title for another.
    found: dict[str, Any] = guessit(_ID.sub(" ", name), {"type": "movie"})
    title, year = clean(found.get("title")), found.get("year")
    if not title and (number := _YEAR.match(Path(name).stem)):
        # `1917.mkv`: a year and nothing else is a title.
        title, year = number[0], None
    part = found.get("part")
    if title and isinstance(part, int):
        title = f"{title} Part {part}"
    return Named(title or None, year if isinstance(year, int) else None,
                 episode="season" in found and "episode" in found)
