"""The .nfo file that Kodi, Jellyfin and others keep beside a film.

Three kinds (Kodi wiki, NFO files/Movies): XML with the root `movie`; nothing but the address of a catalogue's
page; both, one behind the other. Written by many hands: parsed leniently, but no document type, no entity of its
own, no more than a megabyte.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from cp_whisperx.artifacts import Credit
from cp_whisperx.errors import MediaError
from cp_whisperx.film import characters
from cp_whisperx.film.facts import FilmFacts, clean, unique

MAX_BYTES = 1 << 20
_MAX_DEPTH = 32
_MAX_ELEMENTS = 50_000
_OVERVIEW_CHARS = 4000

_TMDB_PAGE = re.compile(r"themoviedb\.org/movie/(\d{1,9})")
_IMDB_ID = re.compile(r"(?<![A-Za-z0-9])(tt\d{7,10})(?!\d)")
_FIGURE = re.compile(r"\d{1,9}")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)([A-Za-z][A-Za-z0-9]*;)?")
_ACTORS = frozenset(("", "actor", "guest star", "gueststar"))
_HINT = "correct or remove it"


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    children: list[_Element] = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> Iterator[_Element]:
        return (child for child in self.children if child.name == name)

    def value(self, *names: str, limit: int = 200) -> str:
        """Text of the first child of one of the names that has any."""
        return next((text for name in names for child in self.all(name) if (text := clean(child.text, limit))), "")


class _Refused(Exception):
    """What no film's .nfo needs; the message ends the sentence `FILE …`."""


def parse(data: bytes, name: str) -> FilmFacts:
    """What the file says of the film; `name` is the file's, for sentences.

    Raises MediaError with one sentence for what is neither XML about a film nor the address of one.
    """
    if len(data) > MAX_BYTES:
        raise MediaError(f"{name} is larger than {MAX_BYTES >> 20} MB, which no .nfo of a film is", hint=_HINT)
    try:
        root = _read(data)
    except _Refused as why:
        raise MediaError(f"{name} {why}", hint=_HINT) from None
    addresses = _text(data) if root is None else ""
    if root is not None and root.name != "movie":
        raise MediaError(f"{name} is about something else than a film (<{root.name:.40}>)", hint=_HINT)
    facts = _facts(root) if root is not None else FilmFacts(ids=_ids_in(addresses))
    if facts == FilmFacts():
        raise MediaError(f"{name} says nothing of a film: no title, no id, nobody who plays in it", hint=_HINT)
    return facts


def _facts(movie: _Element) -> FilmFacts:
    title = movie.value("title") or None
    return FilmFacts(
        title=title,
        original_title=movie.value("originaltitle") or None,
        year=_year(movie.value("premiered"), movie.value("releasedate"), movie.value("year")),
        runtime_s=_minutes(movie.value("runtime")),
        ids=_ids(movie),
        alternative_titles=unique(clean(child.text) for child in movie.all("alternativetitle")),
        credits=(*_actors(movie), *_crew(movie)),
        keywords=unique(clean(tag.text) for tag in movie.all("tag")),
        overview=movie.value("plot", "outline", limit=_OVERVIEW_CHARS),
    )


def _actors(movie: _Element) -> Iterator[Credit]:
    for place, actor in enumerate(movie.all("actor")):
        if not (person := actor.value("name").strip(" ,")):
            continue
        kind = actor.value("type").casefold()
        order = _FIGURE.fullmatch(actor.value("order"))
        yield Credit(person=person, characters=characters.names(actor.value("role")),
                     job="actor" if kind in _ACTORS else kind, order=int(order[0]) if order else place)


def _crew(movie: _Element) -> Iterator[Credit]:
    for element, job in (("director", "director"), ("credits", "writer")):
        for person in unique(clean(child.text).strip(" ,") for child in movie.all(element)):
            yield Credit(person=person, job=job)


def _ids(movie: _Element) -> dict[str, str]:
    """Unique ids win over the legacy elements, in which Kodi, Jellyfin and Emby differ by letter case alone."""
    claims = [(child.attributes.get("type", "").casefold(), clean(child.text)) for child in movie.all("uniqueid")]
    claims += [("tmdb", movie.value("tmdbid", "tmdb_id")), ("imdb", movie.value("imdbid", "imdb_id", "imdb"))]
    for child in movie.all("id"):
        claims += [("tmdb", child.attributes.get("tmdb", "")), ("imdb", child.attributes.get("imdb", "")),
                   ("imdb", clean(child.text))]
    found: dict[str, str] = {}
    for kind, value in claims:
        if (kind == "tmdb" and _FIGURE.fullmatch(value)) or (kind == "imdb" and _IMDB_ID.fullmatch(value)):
            found.setdefault(kind, value)
    return found


def _ids_in(text: str) -> dict[str, str]:
    found = {"tmdb": _TMDB_PAGE.search(text), "imdb": _IMDB_ID.search(text)}
    return {kind: match[1] for kind, match in found.items() if match}


def _year(*dates: str) -> int | None:
    years = (re.match(r"(?:18|19|20)\d\d(?!\d)", date) for date in dates)
    return next((int(year[0]) for year in years if year), None)


def _minutes(text: str) -> float | None:
    found = re.match(r"(\d{1,4})(?!\d)", text)
    return int(found[1]) * 60.0 or None if found else None


def _read(data: bytes) -> _Element | None:
    """The first element with all in it; None for a file without XML. Raises _Refused."""
    start = max(data.find(b"<"), 0)
    begins = data.find(b"<movie")
    if b"<\0" in data[:4] or b"\0<" in data[:4]:
        start = 0
    elif not data[start:start + 5].startswith((b"<?xml", b"<!", b"<movie")) and begins >= 0:
        # A line of text, an address or a stray bracket in front.
        start = begins
    elif b"<" not in data:
        return None
    try:
        return _Reader().read(data[start:], None)
    except expat.ExpatError:
        pass
    # A bare `&`, an entity of HTML, or an encoding that is not the one declared.
    text = _ENTITY.sub(lambda found: html.escape(html.unescape(found[0]), quote=False), _text(data))
    if "<movie" not in text:
        if _ids_in(text):
            return None
        raise _Refused("is neither XML nor the address of a film")
    try:
        return _Reader().read(text[text.index("<movie"):].encode("utf-8", "replace"), "utf-8")
    except expat.ExpatError as error:
        raise _Refused(f"is not well-formed XML ({expat.errors.messages.get(error.code, 'damaged')}, "
                       f"line {error.lineno})") from None


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Windows programs wrote for decades without saying so.
        return data.decode("cp1252", "replace")


class _Reader:
    """A small tree out of expat's events. What follows the first element is not looked at."""

    def __init__(self) -> None:
        self._open: list[_Element] = []
        self._root: _Element | None = None
        self._count = 0
        self._complete = False

    def read(self, data: bytes, encoding: str | None) -> _Element | None:
        """Raises expat.ExpatError if the first element does not come to its end, _Refused for what is not allowed."""
        parser = expat.ParserCreate(encoding)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(data, True)
        except expat.ExpatError:
            if not self._complete:
                raise
        except (LookupError, ValueError):
            raise _Refused("is in an encoding that is not known") from None
        return self._root

    def _doctype(self, *_: object) -> None:
        if not self._complete:
            raise _Refused("declares a document type, in which entities may hide: it is not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._complete:
            return
        self._count += 1
        if len(self._open) >= _MAX_DEPTH or self._count > _MAX_ELEMENTS:
            raise _Refused("has more elements than the .nfo of a film")
        element = _Element(name.casefold(), {key.casefold(): clean(value) for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        if not self._complete:
            self._open.pop()
            self._complete = not self._open

    def _characters(self, text: str) -> None:
        if self._open and not self._complete:
            self._open[-1].text += text
