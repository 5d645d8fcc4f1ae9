"""Mends somebody else's cues by the rules of a profile: their text stays, times and breaks follow the rules.

Words get times by their share of a cue's characters, and the segmentation of our own subtitles cuts them anew. What is
right stays as it is: cues that keep the rules are not joined or cut, and their line breaks are those of their author.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise, zip_longest

from cp_whisperx.subtitles import profiles
from cp_whisperx.subtitles.checking import ASSUMED_FRAME_RATE, Report, check
from cp_whisperx.subtitles.cueing import cues as cut
from cp_whisperx.subtitles.grid import Grid
from cp_whisperx.subtitles.language import UNKNOWN, guess
from cp_whisperx.subtitles.profiles import Profile
from cp_whisperx.subtitles.text import width
from cp_whisperx.timeline import Cue, Word, ms

_DASH = re.compile(r"\s*[-\u2010\u2011\u2013\u2014](?![-\d\u2010-\u2014])\s*(?=\S)")
_NOTES = "♪♫♬♩"
_SIGNS = frozenset(_NOTES + "#*")
_DOTS = re.compile(r"\.{2,}|…\.*")
_SHORTEST_S = 0.001
_PAUSE_S = 1.0
"""Cues further apart are never joined."""
_UNKNOWN = "?"
"""The speaker of cues that name none and have no dashes."""


@dataclass(frozen=True)
class Change:
    """What became of one cue of the result. `of`: the cues of the file that its words are from, counted from 1."""

    cue: int
    of: tuple[int, ...]
    what: tuple[str, ...]
    """Of: joined, cut, retimed, broken anew, reworded; empty if nothing."""


@dataclass(frozen=True)
class Mended:
    """`before` and `after` are what the validator says; what is still broken after it, the file leaves no room for."""

    cues: tuple[Cue, ...]
    changes: tuple[Change, ...]
    removed: tuple[int, ...]
    """Cues of the file without text."""
    before: Report
    after: Report


@dataclass(frozen=True)
class _Said:
    """What one cue of the file says. `number` counts from 1; `lines` are its own with dashes and dots as the profile
    has them; `dialogue`: it has several speakers."""

    number: int
    cue: Cue
    words: tuple[Word, ...]
    lines: tuple[str, ...]
    dialogue: bool
    sung: bool
    slanted: frozenset[int]
    """Positions of words in italics."""


def mend(cues: Sequence[Cue], profile: Profile, *, frame_rate: float | None = None,
         cuts: Sequence[float] | None = None, language: str = "und", resolution_s: float = 0.001) -> Mended:
    """`frame_rate` and `cuts` as `check` has them; with a frame rate the result stands on whole frames.

    Where the language is not known it is guessed, since breaks depend on it.
    """
    if language == UNKNOWN:
        language = guess(line for cue in cues for line in cue.lines)
    before = check(cues, profile, frame_rate=frame_rate, cuts=cuts, language=language, resolution_s=resolution_s)
    said = list(_said(cues, profile))
    words = [word for one in said for word in one.words]
    firsts = _firsts(said)
    sung = [position for first, one in zip(firsts, said, strict=True) if one.sung
            for position in range(first, first + len(one.words))]
    # Where the speech ends inside a cue nobody knows from its file: it may stay as long as it takes to read.
    rules = profiles.changed(profile, {"linger_s": profile.max_duration_s or 60.0, "pause_s": 3600.0})
    made = cut(words, rules, grid=Grid.of(frame_rate), language=language, cuts=cuts or (), sung=sung,
               breaks_before=_kept(said, firsts, profile, frame_rate))
    divided = {number for outcome in before.outcomes if outcome.rule == "no-split" for number in outcome.cues}
    slanted = frozenset(first + position for first, one in zip(firsts, said, strict=True) for position in one.slanted)
    mended = tuple(_with_italics(cue, words, slanted) for cue in _with_author(made, said, firsts, profile, divided))
    after = check(mended, profile, frame_rate=frame_rate, cuts=cuts, language=language)
    silent = set(range(1, len(cues) + 1)) - {one.number for one in said}
    return Mended(mended, tuple(_changes(mended, said, firsts)), tuple(sorted(silent)), before, after)


def _said(cues: Sequence[Cue], profile: Profile) -> Iterator[_Said]:
    """The cues that say something, by their start. One under another ends where the next begins."""
    ordered = sorted(((cue, number) for number, cue in enumerate(cues, 1) if any(map(str.strip, cue.lines))),
                     key=lambda pair: (pair[0].start, pair[1]))
    groups = [list(group) for _, group in groupby(ordered, key=lambda pair: pair[0].start)]
    for group, following in zip_longest(groups, groups[1:]):
        for turn, (cue, number) in enumerate(group):
            start, end = cue.start, max(cue.end, cue.start + _SHORTEST_S)
            if following:
                end = min(end, following[0][0].start)
            # Cues that start together follow each other, each with its share of the time.
            step = (end - start) / len(group)
            yield _words(cue, number, start + turn * step, start + (turn + 1) * step, profile)


def _words(cue: Cue, number: int, start: float, end: float, profile: Profile) -> _Said:
    given = [_DOTS.sub(profile.ellipsis, line.strip()) for line in cue.lines if line.strip()]
    dashed = [_DASH.match(line) is not None for line in given]
    dialogue = any(dashed[1:])
    bare = [_without_signs(line) or line for line in given]
    sung = bare != given
    if dialogue:
        bare = [_DASH.sub("", line, count=1) for line in bare]
    turns = list(accumulate(dashed))
    named = cue.speakers if len(cue.speakers) == len(given) else ("",) * len(given)
    spoken = [(word, f"{number}.{turn}" if dialogue else speaker or _UNKNOWN)
              for line, turn, speaker in zip(bare, turns, named, strict=True) for word in line.split()]
    shares = [0, *accumulate(width(word) + 1 for word, _ in spoken)]
    times = [start + (end - start) * share / shares[-1] for share in shares]
    words = tuple(Word(begins, ends, f" {word}", 1.0, speaker=speaker)
                  for (word, speaker), (begins, ends) in zip(spoken, pairwise(times), strict=True))
    slanted = _slanted_words([word for word, _ in spoken], given, cue.slanted)
    new_turn = [index == 0 or dash for index, dash in enumerate(dashed)]
    lines = tuple((profile.dash if dialogue and turn else "") + line for line, turn in zip(bare, new_turn, strict=True))
    return _Said(number, cue, words, lines, dialogue, sung, slanted)


def _slanted_words(words: Sequence[str], lines: Sequence[str], slanted: Collection[int]) -> frozenset[int]:
    """Which of `words` are in italics, if `slanted` are so of the words of `lines`, which have dashes and signs too."""
    shown = [word for line in lines for word in line.split()] if slanted else []
    pairs = _paired(words, shown)
    return frozenset(position for position, other in pairs.items() if other in slanted)


def _paired(words: Sequence[str], shown: Sequence[str]) -> dict[int, int]:
    """For the position of each word that of the shown one that holds it; both in order, and more may be shown."""
    found: dict[int, int] = {}
    at = 0
    for position, word in enumerate(words):
        while at < len(shown) and not shown[at].endswith(word):
            at += 1
        if at == len(shown):
            break
        found[position] = at
        at += 1
    return found


def _without_signs(line: str) -> str:
    """Without the signs of a song at its ends: notes, or # and * apart from the words."""
    words = line.strip(_NOTES + " ").split(" ")
    while words and words[0] and _SIGNS.issuperset(words[0]):
        words = words[1:]
    while words and words[-1] and _SIGNS.issuperset(words[-1]):
        words = words[:-1]
    return " ".join(words)


def _firsts(said: Sequence[_Said]) -> list[int]:
    """Position of the first word of each cue."""
    made = [0]
    for one in said:
        made.append(made[-1] + len(one.words))
    return made[:-1]


def _kept(said: Sequence[_Said], firsts: Sequence[int], profile: Profile, frame_rate: float | None) -> list[int]:
    """Positions where a cue must begin, as it did in the file: all but those beside a cue that lacks time."""
    gap_s = profile.min_gap_frames / (frame_rate or ASSUMED_FRAME_RATE)
    lacking = [_lacks_time(one, profile, (other.words[0].start - gap_s) if other else None)
               for one, other in zip_longest(said, said[1:])]
    made = []
    for index, (one, other) in enumerate(pairwise(said)):
        apart = one.dialogue or other.dialogue or one.sung != other.sung
        apart = apart or (one.cue.italic, one.cue.top) != (other.cue.italic, other.cue.top)
        apart = apart or other.cue.start - one.cue.end >= _PAUSE_S
        if apart or not (lacking[index] or lacking[index + 1]):
            made.append(firsts[index + 1])
    return made


def _lacks_time(one: _Said, profile: Profile, until: float | None) -> bool:
    """It cannot be read before the next cue comes in."""
    characters = sum(map(width, one.lines))
    needed = max(profile.min_duration_s, characters / profile.cps_target,
                 (profile.min_s_per_word or 0.0) * len(one.words))
    return until is not None and until - one.words[0].start < needed - _SHORTEST_S


def _with_author(made: Sequence[Cue], said: Sequence[_Said], firsts: Sequence[int], profile: Profile,
                 divided: Collection[int]) -> Iterator[Cue]:
    """With the look, and where they still fit the lines, of the cues that the words are from.

    Lines of the cues in `divided`, which part what belongs together, give way to better ones.
    """
    for first, group in groupby(made, key=lambda cue: _origin(cue, firsts)[0]):
        one = said[first]
        pieces = [replace(cue, italic=one.cue.italic, top=one.cue.top,
                          speakers=tuple("" if _is_inner(speaker, one) else speaker for speaker in cue.speakers))
                  for cue in group]
        alone = all(len(_origin(cue, firsts)) == 1 for cue in pieces)
        fits = len(one.lines) <= profile.max_lines and max(map(width, one.lines)) <= profile.max_cpl
        whole = replace(pieces[0], end=pieces[-1].end, lines=one.lines, words=_reach(pieces),
                        speakers=one.cue.speakers if len(one.cue.speakers) == len(one.lines) else ())
        ours_divide = any(breach.rule == "no_split" for cue in pieces for breach in cue.breaches)
        good = one.number not in divided or ours_divide
        if alone and fits and good and not one.sung and _complete(whole, one) and _fits(whole, profile):
            yield whole
        else:
            yield from pieces


def _with_italics(cue: Cue, words: Sequence[Word], slanted: frozenset[int]) -> Cue:
    """The cue with its words of those that are in italics."""
    if not slanted or cue.italic:
        return cue
    assert cue.words is not None
    first, behind = cue.words
    texts = [word.text.strip() for word in words[first:behind]]
    pairs = _paired(texts, [word for line in cue.lines for word in line.split()])
    return replace(cue, slanted=tuple(pairs[position - first] for position in range(first, behind)
                                      if position in slanted and position - first in pairs))


def _origin(cue: Cue, firsts: Sequence[int]) -> range:
    """Positions of the cues of the file that the words are from."""
    assert cue.words is not None
    return range(bisect_right(firsts, cue.words[0]) - 1, bisect_right(firsts, cue.words[1] - 1))


def _reach(pieces: Sequence[Cue]) -> tuple[int, int]:
    assert pieces[0].words is not None and pieces[-1].words is not None
    return pieces[0].words[0], pieces[-1].words[1]


def _complete(cue: Cue, one: _Said) -> bool:
    assert cue.words is not None
    return cue.words[1] - cue.words[0] == len(one.words)


def _is_inner(speaker: str, one: _Said) -> bool:
    """A name that only this module gave."""
    return speaker not in one.cue.speakers


def _fits(cue: Cue, profile: Profile) -> bool:
    """The whole cue keeps the limits that it may have been cut for."""
    lasts = cue.end - cue.start
    return lasts <= (profile.max_duration_s or lasts) and sum(map(width, cue.lines)) <= lasts * profile.cps_target


def _changes(mended: Sequence[Cue], said: Sequence[_Said], firsts: Sequence[int]) -> Iterator[Change]:
    origins = [_origin(cue, firsts) for cue in mended]
    pieces = Counter(index for origin in origins for index in origin)
    for number, (cue, origin) in enumerate(zip(mended, origins, strict=True), 1):
        theirs = said[origin[0]].cue
        what = ["joined"] if len(origin) > 1 else []
        what += ["cut"] if any(pieces[index] > 1 for index in origin) else []
        if not what:
            what += ["retimed"] if (ms(cue.start), ms(cue.end)) != (ms(theirs.start), ms(theirs.end)) else []
            lines = tuple(line.strip() for line in theirs.lines if line.strip())
            if " ".join(cue.lines).split() != " ".join(lines).split():
                what.append("reworded")
            elif cue.lines != lines:
                what.append("broken anew")
        yield Change(number, tuple(said[index].number for index in origin), tuple(what))
