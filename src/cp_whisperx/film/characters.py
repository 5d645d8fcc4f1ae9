"""From what a catalogue says of a role to the names by which somebody is called on screen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cp_whisperx.film.facts import clean, unique

_NOTE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
"""(voice), (uncredited), (as Vijay Kumar), [archive footage]."""
_OPEN_NOTE = re.compile(r"[(\[].*$")
_BETWEEN = re.compile(r"\s*[/|;]\s*|\s+aka\s+|\s+a\.k\.a\.\s+", re.IGNORECASE)
_AGE = re.compile(r"^(?:young|younger|old|older|elder|elderly|teen|teenage|adult|child|kid)\s+(?=\S)", re.IGNORECASE)
_NO_NAME = frozenset((
    "self", "himself", "herself", "themselves", "themself", "narrator", "voice", "various", "additional voices",
    "uncredited", "host", "extra", "cameo", "special appearance", "guest appearance", "friendly appearance", "n/a",
    "unknown", "-"))
_SELF = re.compile(r"^(?:self|himself|herself|themselves)\b\s*(?:[-–—:,].*)?$", re.IGNORECASE)
_DESCRIBED = re.compile(r"\s(?:in|on|at|with|from|infront)\s|#\s*\d|\b(?:no|nr)\.\s*\d|\s\d+$")
"""`Man on bike`, `Guest in the song …`, `Guard #2`: descriptions, in which nobody is named."""
_OF_SOMEBODY = re.compile(r"^(?P<whose>.+?)(?:['’]s|(?<=s)['’])\s+[\w\s-]+$")
"""`Simran's Grandmother`: the name is Simran."""
_NICKNAME = re.compile(r"(?<!\S)[\"'“‘«](?P<nick>[^\"“”«»]+?)[\"'”’»](?!\S)")
_TITLES = frozenset(("mr", "mrs", "ms", "dr", "miss", "sir", "madam"))


def names(role: str) -> tuple[str, ...]:
    """`Vijay / Raju (voice)` gives Vijay and Raju; `Young Simran` gives Simran; `Self` and descriptions give none."""
    text = clean(role)
    while (without := _NOTE.sub(" ", text)) != text:
        text = without
    return unique(name for part in _BETWEEN.split(_OPEN_NOTE.sub("", text)) for name in _of(part))


def _of(part: str) -> Iterator[str]:
    nicknames = [found["nick"] for found in _NICKNAME.finditer(part)]
    for name in (_NICKNAME.sub(" ", part), *nicknames):
        name = " ".join(name.split()).strip(" ,.-–—:\"'“”‘’«»")
        if _SELF.match(name) or name.casefold() in _NO_NAME:
            continue
        if owner := _OF_SOMEBODY.match(name):
            name = owner["whose"]
        name = _AGE.sub("", name)
        if _is_name(name):
            yield name


def _is_name(name: str) -> bool:
    """Scripts with two cases write names with a capital; what has none of them is a description."""
    letters = [char for char in name if char.isalpha()]
    cased = [char for char in letters if char.islower() or char.isupper()]
    lower = bool(cased) and not any(char.isupper() for char in cased)
    return bool(letters) and not lower and not _DESCRIBED.search(name) and name.casefold() not in _TITLES
