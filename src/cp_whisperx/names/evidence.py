"""What the sound says for a name: words as they were heard, against the same words with a name among them.

A recogniser that is told names before it listens spells them right, and leaves out words around them. So it listens
without, and is asked afterwards, told the names: how probable is the sentence as it was heard, and how probable with a
name in the place of one to three of its words? Nothing but those words can change, whatever it answers.

Where the words beside a name were misheard with it, no name alone fits. So the window is heard once more, with the
names, for what may have been said there: a few words with a name among them, in the place of the few that were heard.
They are asked about in the same way.

Names are tried at many places at a time, as far from each other as their effects reach: a few passes of the decoder
over a window, and one where nothing is doubtful.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from cp_whisperx.names.sound import key, likeness
from cp_whisperx.timeline import Alternative, Word

Score = Callable[[Sequence[str]], Sequence[float]]
"""Log probability of each word of a window in its order, given the sound and the words before it."""
Rehear = Callable[[], Sequence[str]]
"""The words of the same window as they are heard by one who expects the names."""

_LONGEST, _PIECES = 3, 5
"""Written words in the place of one name, and the pieces that a recogniser has them in: " Latch", "-Jo"."""
_PAUSE_S = 0.6
"""Words with more silence between them are not one name."""
_ENDS = frozenset(".!?…")
_SIGNS = frozenset(",;:")
_STRETCH = 6
"""Pieces in the place of which a name and the words beside it may have been heard, and words that these may be."""
_SHORT = 3
_NEARLY, _LONG = 0.75, 4
"""Likeness of a word that is taken for a name misspelt, and the sounds that it has at least."""
_REHEARD_LIKE = 0.2
"""So much of it is enough where it was heard."""
_NO_SHORTER = 0.75
"""Who expects names leaves words out: what he heard has at least this share of the sounds of what was heard without."""
_CERTAIN = -0.5
"""Words that are each more probable than this, with the names in mind, are what was said."""
_LIKE = 0.34
"""So much a name sounds at least like what was heard in its place."""
_AFTER = 3
"""Words behind a place whose probability counts: a wrong word, or one too many, makes the next ones improbable."""
_ROUNDS = 5
_WORTH, _DOUBTFUL = -4.0, -8.0
"""Gains below these say that it was not the name, and that none was said near it."""
_CLEAR, _LESS_LIKE = 3.0, 0.1
"""Where a name gained so much, what sounds so much less like another is not tried."""
_BY_LIKENESS, _BY_WORD = 6.0, 1.0
"""Between names for the same words: nats for each 1 of likeness, and for each word more that the name replaces."""
PARTS = re.compile(r"(?P<lead>\W*)(?P<core>.*?)(?P<owner>['’]s)?(?P<trail>\W*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Candidate:
    first: int
    count: int
    name: str
    """With the words that were misheard beside it, if there are any."""
    like: float
    reheard: bool = False

    @property
    def fits(self) -> float:
        """As its likeness, 0..1; who heard it so has listened to more than its likeness."""
        return 1.0 if self.reheard else self.like

    @property
    def end(self) -> int:
        return self.first + self.count

    @property
    def lost(self) -> int:
        """Words fewer than were heard."""
        return self.count - len(self.name.split())

    def overlaps(self, other: _Candidate) -> bool:
        return self.first < other.end and other.first < self.end


def alternatives(words: Sequence[Word], names: Sequence[str], score: Score,
                 rehear: Rehear | None = None) -> tuple[Alternative, ...]:
    """Places of `words`, those of one window, at which a name is about as probable as what was heard, or more so.

    They are in order and do not overlap. `rehear` is asked for what else may have been said around a name, once, and
    only if there is any such place.
    """
    if not words or not names:
        return ()
    texts = [word.text for word in words]
    heard = score(texts)

    def tried(waiting: Iterable[_Candidate]) -> list[tuple[float, _Candidate]]:
        return _tried(sorted(set(waiting), key=lambda one: (-one.like, one.first, one.count, one.name)), texts, heard,
                      score)

    gains = tried(_candidates(words, names, heard))
    if rehear is not None and any(gain >= _DOUBTFUL for gain, _ in gains):
        gains += tried(_reheard(words, names, rehear()))
    gains.sort(key=lambda item: (-item[0] - _BY_LIKENESS * item[1].fits + _BY_WORD * item[1].lost, item[1].first,
                                 item[1].count, item[1].name))
    taken: list[Alternative] = []
    for gain, one in gains:
        if gain >= _WORTH and not any(one.first < other.first + other.count and other.first < one.end
                                      for other in taken):
            taken.append(Alternative(one.first, one.count, one.name, round(gain, 2), round(one.like, 3), one.reheard))
    return tuple(sorted(taken))


def _tried(waiting: Sequence[_Candidate], texts: Sequence[str], heard: Sequence[float],
           score: Score) -> list[tuple[float, _Candidate]]:
    """What each gains, many in a pass; where one gains much, what sounds less like it is not tried."""
    gains: list[tuple[float, _Candidate]] = []
    for _ in range(_ROUNDS):
        chosen = _apart(waiting)
        if not chosen:
            break
        found = list(zip(_gains(texts, heard, chosen, score), chosen, strict=True))
        clear = [one for gain, one in found if gain >= _CLEAR]
        waiting = [one for one in waiting if one not in chosen and not any(
            one.overlaps(other) and one.like < other.like - _LESS_LIKE for other in clear)]
        gains += found
    return gains


def _candidates(words: Sequence[Word], names: Sequence[str], heard: Sequence[float]) -> Iterator[_Candidate]:
    keys = [(name, key(name)) for name in names]
    known = {name.casefold() for name in names}
    parts = [_parts(word.text) for word in words]
    begins = _begins(words)
    for first in itertools.compress(range(len(words)), begins[:-1]):
        for end in range(first + 1, min(first + _PIECES, len(words)) + 1):
            if end - first > 1 and begins[end - 1] and (
                    parts[end - 2][2] or parts[end - 1][0].strip()
                    or words[end - 1].start - words[end - 2].end > _PAUSE_S):
                break
            core = parts[end - 1][1]
            if not any(map(str.isalpha, core)) or core.casefold() in known or sum(begins[first:end]) > _LONGEST:
                break
            sounds = key("".join(part[1] for part in parts[first:end]))
            if min(heard[first:end]) > _CERTAIN or len(sounds) < 2 or not begins[end]:
                continue
            for name, spoken in keys:
                if (like := likeness(sounds, spoken)) >= _LIKE:
                    yield _Candidate(first, end - first, name, like)


def _reheard(words: Sequence[Word], names: Sequence[str], again: Sequence[str]) -> Iterator[_Candidate]:
    """Stretches in which another hearing has a name, and about as much sound, in the place of what was heard."""
    known = {name.casefold(): name for name in names}
    here = list(_sentences(word.text for word in words))
    there = [(_as_name(core, known), at) for core, at in _sentences(again)]
    begins = _begins(words)
    for first, end, start, stop in _different([core for core, _ in here], [core for core, _ in there]):
        was, now = [core for core, _ in here[first:end]], [core for core, _ in there[start:stop]]
        place, count = here[first][1], end - first
        if (not begins[place] or not begins[place + count] or max(count, len(now)) > _STRETCH
                or "" in (*was, *now) or not any(core.casefold() in known for core in now)
                or any(core.casefold() in known for core in was)):
            continue
        # A sign that was heard between misheard words is misheard as well; one among the new words would be lost.
        if (any(other.start - one.end > _PAUSE_S for one, other in itertools.pairwise(words[place:place + count]))
                or any(set(_parts(again[at])[2]) & _SIGNS for _, at in there[start:stop - 1])):
            continue
        before, after = "".join(map(key, was)), "".join(map(key, now))
        if len(after) >= _NO_SHORTER * len(before) >= 1.5 and (like := likeness(before, after)) >= _REHEARD_LIKE:
            yield _Candidate(place, count, " ".join(now), like, reheard=True)


def _begins(words: Sequence[Word]) -> list[bool]:
    """Whether a written word begins with each of the pieces that a recogniser has it in, and behind the last."""
    return [*(not at or word.text[:1].isspace() for at, word in enumerate(words)), True]


def _sentences(texts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The words without what is around them, each with its number, and an empty one where a sentence ends."""
    for at, text in enumerate(texts):
        _, core, after = _parts(text)
        yield core, at
        if set(after) & _ENDS:
            yield "", at


def _different(here: Sequence[str], there: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of the one, from and to, that are others in the other; once with short words between them and once
    without, since a "the" is found everywhere."""
    one, other = [core.casefold() for core in here], [core.casefold() for core in there]
    for junk in (None, _is_short):
        for step, first, end, start, stop in SequenceMatcher(junk, one, other, autojunk=False).get_opcodes():
            if step != "replace":
                continue
            while first < end and start < stop and one[first] == other[start]:
                first, start = first + 1, start + 1
            while first < end and start < stop and one[end - 1] == other[stop - 1]:
                end, stop = end - 1, stop - 1
            if first < end and start < stop:
                yield first, end, start, stop


def _is_short(core: str) -> bool:
    return 0 < len(core) <= _SHORT


def _as_name(core: str, known: Mapping[str, str]) -> str:
    """The name that a word is, or nearly is: even who expects a name may write it a little otherwise."""
    if core.casefold() in known:
        return known[core.casefold()]
    if not core[:1].isupper() or len(key(core)) < _LONG:
        return core
    like, name = max((likeness(key(core), key(name)), name) for name in known.values())
    return name if like >= _NEARLY else core


def _apart(waiting: Sequence[_Candidate]) -> list[_Candidate]:
    """The first of them, and all after it whose places are beyond its effect."""
    chosen: list[_Candidate] = []
    for one in waiting:
        if all(one.first >= other.end + _AFTER or other.first >= one.end + _AFTER for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda one: one.first)


def _gains(texts: Sequence[str], heard: Sequence[float], chosen: Sequence[_Candidate], score: Score) -> list[float]:
    """How much more probable each place and what follows it become with its name, as a difference of logarithms."""
    made: list[str] = []
    at, places = 0, []
    for one in chosen:
        made += texts[at:one.first]
        places.append(len(made))
        made.append(spelt(texts[one.first:one.end], one.name))
        at = one.end
    told = score(made + list(texts[at:]))
    return [sum(told[place:place + 1 + _AFTER]) - sum(heard[one.first:one.end + _AFTER])
            for one, place in zip(chosen, places, strict=True)]


def spelt(texts: Sequence[str], name: str) -> str:
    """The name in the place of these words, with the space, the quotes and the full stop that they have."""
    first, last = PARTS.fullmatch(texts[0]), PARTS.fullmatch(texts[-1])
    assert first and last
    return first["lead"] + name + (last["owner"] or "") + last["trail"]


def _parts(text: str) -> tuple[str, str, str]:
    """What stands before a word, the word, and what ends it."""
    found = PARTS.fullmatch(text)
    assert found
    return found["lead"], found["core"], (found["owner"] or "") + found["trail"]


def by_segment(found: Sequence[Alternative], sizes: Sequence[int]) -> list[tuple[Alternative, ...]]:
    """Those of a window, for each of its segments of so many words; what reaches over an end belongs to none."""
    ends = list(itertools.accumulate(sizes))
    return [tuple(replace(one, first=one.first - end + size) for one in found
                  if end - size <= one.first and one.first + one.count <= end)
            for size, end in zip(sizes, ends, strict=True)]
