"""The user's own list of names for a film: the strongest source, since somebody who knows wrote it.

Text, one entry a line; empty lines and what follows a `#` at the start of a line are skipped:

    Simran Singh = Kajol        a character and who plays it
    Vijay / Raju = A. Bachchan  two characters of one actor
    Lajjo                       a name alone: a place, a nickname, whoever is spoken of

TOML (`.toml`) and JSON (`.json`): a table `cast` of character to actor, and a list `names`; all else is refused.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cp_whisperx.artifacts import Credit
from cp_whisperx.errors import ConfigError
from cp_whisperx.film.facts import FilmFacts, clean, unique

MAX_BYTES = 1 << 18
_HINT = "one entry a line: `Character = Actor`, or a name alone; or the same as TOML or JSON"


def read(path: Path) -> FilmFacts:
    """Raises ConfigError with one sentence if the file is not there or not of that form."""
    try:
        if not path.is_file():
            raise ConfigError(f"there is no cast file {path}", hint="check --cast")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the cast file {path} cannot be read ({error})", hint="check --cast") from None
    return parse(data, str(path))


def parse(data: bytes, name: str) -> FilmFacts:
    """`name` tells the form by its suffix, and is the file's in sentences. Raises ConfigError."""
    if len(data) > MAX_BYTES:
        raise ConfigError(f"the cast file {name} is larger than {MAX_BYTES >> 10} KB", hint=_HINT)
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"the cast file {name} is not in UTF-8", hint="save it as UTF-8") from None
    if "\0" in text:
        raise ConfigError(f"the cast file {name} is not text", hint=_HINT)
    entries = list(_table(text, name) if Path(name).suffix.lower() in (".toml", ".json") else _lines(text, name))
    facts = FilmFacts(
        credits=tuple(Credit(person=actor, characters=unique(map(clean, role.split("/"))), order=order)
                      for order, (role, actor) in enumerate(entry for entry in entries if entry[1])),
        extra_names=unique(role for role, actor in entries if not actor))
    if facts == FilmFacts():
        raise ConfigError(f"the cast file {name} has no names in it", hint=_HINT)
    return facts


def _lines(text: str, name: str) -> Iterator[tuple[str, str]]:
    """(character, actor) or (name, ""), cleaned."""
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        role, equals, actor = entry.partition("=")
        role, actor = clean(role), clean(actor)
        if not role or (equals and not actor):
            raise ConfigError(f"line {number} of the cast file {name} has one side of its `=` empty", hint=_HINT)
        yield role, actor


def _table(text: str, name: str) -> Iterator[tuple[str, str]]:
    try:
        tree: Any = tomllib.loads(text) if name.lower().endswith(".toml") else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the cast file {name} cannot be read ({error})", hint=_HINT) from None
    if not isinstance(tree, Mapping) or set(tree) - {"cast", "names"}:
        raise ConfigError(f"the cast file {name} has something else in it than `cast` and `names`", hint=_HINT)
    cast, alone = tree.get("cast", {}), tree.get("names", [])
    if not isinstance(cast, Mapping) or not isinstance(alone, list) \
            or not all(isinstance(value, str) for value in (*cast.values(), *alone)):
        raise ConfigError(f"the cast file {name} needs `cast` as a table of texts and `names` as a list of texts",
                          hint=_HINT)
    for role, actor in cast.items():
        if not clean(role) or not clean(actor):
            raise ConfigError(f"the cast file {name} has an empty name", hint=_HINT)
        yield clean(role), clean(actor)
    yield from ((clean(one), "") for one in alone if clean(one))
