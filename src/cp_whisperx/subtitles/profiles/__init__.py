"""Finds, reads and checks profiles: those of the package by name, a user's own from a file.

A profile is TOML: `title`, perhaps `name`, perhaps `extends` with the name of another profile, and a table per rule
with `value`, `unit`, `source` and `mark` (a rule without a value is off). In a user's own file a bare value will do,
and what it does not say it has from `netflix-en`.
"""

from __future__ import annotations

import difflib
import functools
import json
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cp_whisperx.errors import ConfigError
from cp_whisperx.subtitles import breaks
from cp_whisperx.subtitles.profiles.rules import Mark, Origin, Profile, RuleChanges, Rules, unit_of

__all__ = ("AUTO", "Mark", "Origin", "Profile", "RuleChanges", "Rules", "changed", "default_name", "load", "named",
           "names", "parse", "portable", "read", "unit_of")

AUTO = "auto"
_SUFFIX = ".toml"
_DEFAULTS = {"en": "netflix-en", "und": "netflix-en", "hi": "netflix-hi", "hi-Latn": "netflix-hi-latn"}
_DEFAULT = "netflix"
_OWN_EXTENDS = "netflix-en"
_KEYS = ("value", "unit", "source", "mark")


@functools.cache
def names() -> tuple[str, ...]:
    """The profiles of the package, sorted."""
    return tuple(sorted(entry.name.removesuffix(_SUFFIX) for entry in resources.files(__name__).iterdir()
                        if entry.name.endswith(_SUFFIX)))


@functools.cache
def named(name: str) -> Profile:
    """A profile of the package. Raises ConfigError, with the nearest name as the hint, if there is none."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names())}; a TOML file works as well"
        raise ConfigError(f"there is no subtitle profile {name}", hint=hint)
    text = resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    return _made(*_gathered(name, text, where=f"profile {name}", own=False))


def parse(text: str, where: str = "the profile", name: str = "own") -> Profile:
    """A user's own profile from the text of its file. Raises ConfigError that names the rule."""
    return _made(*_gathered(name, text, where=where, own=True))


def portable(path: Path) -> str:
    """The text of a user's file, checked, with its name in it: as good as the file where that cannot be seen.

    Raises ConfigError if it cannot be read or is no profile.
    """
    text = read(path)
    parse(text, str(path))
    own_name = "" if "name" in tomllib.loads(text) else f"name = {json.dumps(path.stem, ensure_ascii=False)}\n"
    return own_name + text.rstrip("\n") + "\n"


def load(name_or_file: str) -> Profile:
    """By name, or from a file of the user's."""
    if is_file_name(name_or_file):
        path = Path(name_or_file).expanduser()
        return parse(read(path), str(path), path.stem)
    return named(name_or_file)


def is_file_name(asked: str) -> bool:
    return asked.endswith(_SUFFIX) or "/" in asked or "\\" in asked


def read(path: Path) -> str:
    """The text of a user's file. Raises ConfigError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"there is no profile {path}", hint=f"give a file, or one of {', '.join(names())}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the profile {path} cannot be read ({error})",
                          hint="it is to be a text file in UTF-8") from None


def default_name(language: str, text: str) -> str:
    """The profile for `text` in `language` (ISO 639-1 or `und`) where nobody asked for one."""
    return _DEFAULTS.get(breaks.language_tag(language, text), _DEFAULT)


def changed(profile: Profile, rules: Mapping[str, Any]) -> Profile:
    """`profile` with some rules of the user's in the place of its own. Raises ConfigError if they do not fit."""
    if not rules:
        return profile
    origin = Origin(source="setting of the user", mark="own", profile="settings")
    values = {rule: getattr(profile, rule) for rule in Rules.model_fields} | dict(rules)
    return _made(profile.name, profile.title, values, profile.origins | dict.fromkeys(rules, origin), "the rules given")


def _gathered(name: str, text: str, *, where: str,
              own: bool) -> tuple[str, str, dict[str, Any], dict[str, Origin], str]:
    """Name, title, values and origins of a file and of all that it extends."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is no TOML ({error})", hint="a rule is a line such as max_cpl = 37") from None
    name = str(tree.pop("name", name))
    title = str(tree.pop("title", name))
    extends = tree.pop("extends", _OWN_EXTENDS if own else None)
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    if extends is not None:
        base = named(str(extends))
        values = {rule: getattr(base, rule) for rule in Rules.model_fields}
        origins = dict(base.origins)
    for rule, entry in tree.items():
        values[rule], origins[rule] = _entry(rule, entry, name, where)
    return name, title, values, origins, where


def _entry(rule: str, entry: Any, name: str, where: str) -> tuple[Any, Origin]:
    if rule not in Rules.model_fields:
        near = difflib.get_close_matches(rule, Rules.model_fields, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(Rules.model_fields)}"
        raise ConfigError(f"{where}: there is no rule {rule}", hint=hint)
    if not isinstance(entry, dict):
        return entry, Origin(source="the user's own file", mark="own", profile=name)
    if unknown := set(entry) - set(_KEYS):
        raise ConfigError(f"{where}: {rule} has no key {min(unknown)}", hint=f"a rule has {', '.join(_KEYS)}")
    if (unit := entry.get("unit", unit_of(rule))) != unit_of(rule):
        raise ConfigError(f"{where}: {rule} is in {unit_of(rule)}, not in {unit}", hint="convert it")
    try:
        origin = Origin(source=entry.get("source", ""), mark=entry.get("mark", "own"), profile=name)
    except ValidationError as error:
        raise _refused(error, f"{where}: {rule}") from None
    return entry.get("value"), origin


def _made(name: str, title: str, values: Mapping[str, Any], origins: Mapping[str, Origin], where: str) -> Profile:
    try:
        made = Profile(name=name, title=title, origins=dict(origins), **values)
    except ValidationError as error:
        raise _refused(error, where) from None
    for kind in set(made.no_split) - breaks.kinds():
        near = difflib.get_close_matches(kind, breaks.kinds(), n=1)
        raise ConfigError(f"{where}: no_split: there is no kind of pair called {kind}",
                          hint=f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(breaks.kinds()))}")
    return made


def _refused(error: ValidationError, where: str) -> ConfigError:
    first = error.errors()[0]
    rule = ".".join(str(part) for part in first["loc"])
    unit = unit_of(rule) if rule in Rules.model_fields else ""
    return ConfigError(f"{where}: {rule}: {first['msg']}", hint=f"it is a number of {unit}" if len(unit) > 1 else "")
