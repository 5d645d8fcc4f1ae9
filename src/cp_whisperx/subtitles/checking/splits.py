"""The rule that some pairs of words stay together: an article and its noun, first and last name, verb and auxiliary.

The words are those of breaks.toml, the kinds of pairs those of the profile; whether a break divides one is judged
anew here, from lines of text alone. A break behind punctuation, before another speaker, or before a word that opens
a clause divides nothing. From one cue to the next only what can end no sentence is looked at, and only where the
next cue comes at once: another person may go on without a full stop.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from cp_whisperx.subtitles.checking.report import Finding
from cp_whisperx.subtitles.checking.subject import Subject, us
from cp_whisperx.subtitles.language import UNKNOWN, guess, lists

_AT_ONCE_S = 0.5
_NEVER_LAST = frozenset(("article", "title", "preposition", "postposition"))
_QUOTES = "\"'”’“‘«»"
_ENDS = tuple(".!?…,;:—–-।॥")


@dataclass(frozen=True)
class _Words:
    """Kind by word, of those that hold to the word behind them and of those that hold to the one before."""

    forward: dict[str, str]
    backward: dict[str, str]
    openers: frozenset[str]
    capitals: bool


def unknown_language(subject: Subject) -> str | None:
    """Why the rule cannot be checked, if it cannot."""
    return None if _tag(subject) else "no lists of words for this language: give --language"


def no_split(subject: Subject) -> Iterator[Finding]:
    words = _words(_tag(subject), subject.profile.no_split)
    for number, cue in subject.numbered():
        for upper, lower in pairwise(cue.lines):
            if divided := _divided(upper, lower, words):
                yield Finding(number, divided[0])
    for (number, cue), (_, following) in pairwise(subject.in_order):
        if cue.lines and following.lines and us(following.start) - us(cue.end) < us(_AT_ONCE_S):
            divided = _divided(cue.lines[-1], following.lines[0], words)
            if divided and divided[1] in _NEVER_LAST and not _another(cue.speakers, following.speakers):
                yield Finding(number, f"{divided[0]}, in the next cue")


def _another(speakers: tuple[str, ...], following: tuple[str, ...]) -> bool:
    return bool(speakers and following and speakers[-1] != following[0])


def _divided(upper: str, lower: str, words: _Words) -> tuple[str, str] | None:
    """The pair as it is to be shown and its kind, if the break between two lines divides one."""
    before, after = upper.split(), lower.split()
    # A dash is another speaker, a bracket a sound.
    if not before or not after or not (after[0][0].isalnum() or after[0][0] in _QUOTES):
        return None
    last, first = before[-1].rstrip(_QUOTES).lstrip(_QUOTES + "-([¿¡"), after[0]
    told = f"{last} | {first}"
    plain = first.strip(_QUOTES + "".join(_ENDS)).casefold()
    kind = words.forward.get(last.casefold())
    # "Mr." holds to the name with its full stop; any other mark ends what came before it.
    if last.endswith(_ENDS) and kind != "title":
        return None
    # "I know that | she came": what a clause begins behind is no article or determiner.
    if kind and (kind == "conjunction" or plain not in words.openers):
        return told, kind
    if held := words.backward.get(plain):
        return told, held
    if words.capitals and _name(last) and _name(first) and len(before) > 1 and not before[-2].endswith(_ENDS):
        return told, "name"
    return None


def _name(word: str) -> bool:
    bare = word.strip(_QUOTES + "".join(_ENDS))
    return len(bare) > 1 and bare[0].isupper() and not bare.isupper()


def _tag(subject: Subject) -> str:
    """The table for the text in breaks.toml; empty if there is none."""
    lines = [line for cue in subject.cues for line in cue.lines]
    code = subject.language if subject.language != UNKNOWN else guess(lines)
    text = "".join(lines)
    if code == "hi" and 2 * sum(one.isascii() and one.isalpha() for one in text) > sum(map(str.isalpha, text)):
        return "hi-Latn"
    return code if code in lists() or not text else ""


@functools.cache
def _words(tag: str, kinds: tuple[str, ...]) -> _Words:
    entry = lists().get(tag, {})
    forward, backward = ({word: kind for kind, listed in entry.get(side, {}).items() if kind in kinds
                          for word in listed.split()} for side in ("forward", "backward"))
    openers = frozenset(f'{entry.get("before", "")} {entry.get("forward", {}).get("pronoun", "")}'.split())
    return _Words(forward, backward, openers, bool(entry.get("capitals")) and "name" in kinds)
