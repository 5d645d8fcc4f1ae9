"""Names as the film has them, in the place of what the recogniser made of them.

Word by word: a stretch of one to three words may become one name, one word may become a name of two. Ordinary words
are left alone, unless the recogniser found a name more probable in their place (`evidence`). What was heard in one
place votes for the others: a spelling that became a name once becomes it everywhere, and one that just failed is taken
where its like was taken elsewhere.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cp_whisperx.artifacts import Name, NameChange
from cp_whisperx.names import ordinary, script
from cp_whisperx.names.corrections import Veto
from cp_whisperx.names.evidence import PARTS
from cp_whisperx.names.match import Heard, Match, Matcher
from cp_whisperx.names.ordinary import Lexicon
from cp_whisperx.names.sound import key, likeness
from cp_whisperx.timeline import Alternative, Segment, Word, ms

_LONGEST = 3
_PAUSE_S = 0.6
"""Words with more silence between them are not one name."""
_VOTES = 0.07
_ALIKE = 0.85
_FOREIGN_SHARE = 0.4
_SINGLE = 0.03
"""A single word is preferred to a longer stretch that fits no better than this."""
_NEEDED = {"word": 3.9, "words": 2.0, "other": 1.5, "reheard": 3.4, "beside": 5.1}
"""What gain and likeness together need to be for a name in the place of one ordinary word, of several, of what is in no
list or has a capital inside a sentence, of ordinary ones where it was heard by who expected it, and with other words
beside it: in nats, chosen on the tuned films of bench/names.toml, each heard with its own cast and that of another."""
_BY_LIKENESS = 6.0
"""Nats for each 1 of likeness."""
_LEAST = 1.0
"""Gain without which nothing is alike enough. Only one word that is in no list may become a name that the sound says
less for: of others, one that was spoken may go."""
_ELSEWHERE = 3.0
"""So much less is enough where the same words became that name elsewhere."""
_END = re.compile(r"[.!?…।]['\")\]”’]*$")

Place = Literal["capital", "start", "lower"]


@dataclass(frozen=True, slots=True)
class _Token:
    """One word, its punctuation taken off. `lead` holds the space before it."""

    word: Word
    lead: str
    core: str
    owner: str
    trail: str
    place: Place


@dataclass(frozen=True, slots=True)
class _Proposal:
    segment: int
    first: int
    count: int
    match: Match
    heard: str
    reason: str

    @property
    def form(self) -> str:
        return self.heard.casefold()

    def overlaps(self, other: _Proposal) -> bool:
        return self.first < other.first + other.count and other.first < self.first + self.count


def repair(segments: Sequence[Segment], names: Sequence[Name], lexicon: Lexicon,
           vetoes: Sequence[Veto] = ()) -> tuple[tuple[Segment, ...], tuple[NameChange, ...]]:
    """The segments with their names repaired, and every change in the order of time, with those that were vetoed."""
    matcher = Matcher(names, lexicon)
    tokens = [_tokens(segment.words) for segment in segments]
    foreign = _is_foreign(tokens, lexicon)
    proposals: list[_Proposal] = []
    for number, (segment, found) in enumerate(zip(segments, tokens, strict=True)):
        sounding = [proposal for one in segment.alternatives if (proposal := _sounding(number, found, one, matcher))]
        sure = [proposal for proposal in sounding if proposal.match.accepted]
        spelt = [proposal for proposal in _proposals(number, found, matcher, foreign=foreign)
                 if not any(map(proposal.overlaps, sure))]
        proposals += sure + spelt
        proposals += (proposal for proposal in sounding
                      if not proposal.match.accepted and not any(map(proposal.overlaps, spelt)))
    taken: dict[int, list[_Proposal]] = {}
    for proposal in _voted(proposals):
        taken.setdefault(proposal.segment, []).append(proposal)
    changed: list[Segment] = []
    changes: list[NameChange] = []
    for number, segment in enumerate(segments):
        words, made = _rewritten(tokens[number], taken.get(number, ()), matcher, vetoes)
        changes += made
        changed.append(replace(segment, alternatives=()) if words == segment.words else replace(
            segment, words=words, text="".join(word.text for word in words).strip(), alternatives=()))
    return tuple(changed), tuple(changes)


def _tokens(words: Sequence[Word]) -> list[_Token]:
    found: list[_Token] = []
    start = True
    for word in words:
        parts = PARTS.fullmatch(word.text)
        assert parts is not None
        core = parts["core"]
        place: Place = "lower" if not core[:1].isupper() else "start" if start else "capital"
        found.append(_Token(word, parts["lead"], core, parts["owner"] or "", parts["trail"], place))
        start = bool(_END.search(word.text)) or (start and not core)
    return found


def _is_foreign(tokens: Sequence[Sequence[_Token]], lexicon: Lexicon) -> bool:
    """True if the word lists do not know the language: then being in no list makes no word suspicious."""
    plain = {token.core.casefold() for found in tokens for token in found
             if token.place == "lower" and token.core.isascii() and token.core.isalpha()}
    return sum(lexicon.kind(word) == "unknown" for word in plain) > _FOREIGN_SHARE * len(plain)


def _proposals(segment: int, tokens: Sequence[_Token], matcher: Matcher, *, foreign: bool) -> Iterator[_Proposal]:
    """For each place the best name that begins there, accepted or near to it; stretches do not overlap."""
    devanagari = script.is_devanagari("".join(token.core for token in tokens))
    at = 0
    while at < len(tokens):
        best: _Proposal | None = None
        for count in range(1, min(_LONGEST, len(tokens) - at) + 1):
            stretch = tokens[at:at + count]
            if not _may_be_one(stretch, matcher, devanagari=devanagari):
                break
            if count > 1 and any(token.core.casefold() in ordinary.own("small") for token in stretch):
                continue
            match = _match(stretch, matcher, devanagari=devanagari, foreign=foreign)
            # A longer stretch is taken if it fits better than each of its words alone; one that just fails is no use.
            alone = max((_margin(_match([token], matcher, devanagari=devanagari, foreign=foreign))
                         for token in stretch), default=-1.0) + _SINGLE if count > 1 else -_VOTES
            if match and _margin(match) >= (alone if count == 1 else max(0.0, alone)):
                best = _Proposal(segment, at, count, match, " ".join(token.core for token in stretch),
                                 ("one name in several words" if count > 1 else "sounds like it")
                                 + f"; {match.target.source}")
        if best:
            yield best
        at += best.count if best else 1


def _sounding(segment: int, tokens: Sequence[_Token], one: Alternative, matcher: Matcher) -> _Proposal | None:
    """The name that the recogniser found probable, accepted or nearly; None for words that are a name already."""
    stretch = tokens[one.first:one.first + one.count]
    name = next(filter(None, map(matcher.entry, (one.name, *one.name.split()))), None)
    if name is None or any(matcher.known(token.core) for token in stretch):
        return None
    plain = all(matcher.lexicon.kind(token.core) == "word" and token.place != "capital" for token in stretch)
    kind = ("beside" if " " in one.name else "other" if not plain else "reheard" if one.reheard
            else "word" if one.count == 1 else "words")
    needed = _NEEDED[kind] - _BY_LIKENESS * one.likeness
    if not one.reheard and (kind != "other" or one.count > 1):
        needed = max(needed, _LEAST)
    if one.gain < needed - _ELSEWHERE:
        return None
    return _Proposal(segment, one.first, one.count, Match(name, one.name, one.likeness, 2.0 * (one.gain < needed)),
                     " ".join(token.core for token in stretch),
                     f"more probable by the sound ({one.gain:+.1f}); {name.source}")


def _match(stretch: Sequence[_Token], matcher: Matcher, *, devanagari: bool, foreign: bool) -> Match | None:
    heard = Heard(" ".join(token.core for token in stretch), tuple(token.place for token in stretch),
                  round(sum(token.word.probability for token in stretch) / len(stretch), 3),
                  script.is_devanagari(stretch[0].core), foreign)
    return matcher.best(heard, devanagari_wanted=devanagari)


def _margin(match: Match | None) -> float:
    return match.score - match.threshold if match else -1.0


def _may_be_one(stretch: Sequence[_Token], matcher: Matcher, *, devanagari: bool) -> bool:
    """Not across a pause or punctuation, nor if one of the words is a name of the film already."""
    for token in stretch:
        if not token.core or not any(character.isalpha() for character in token.core):
            return False
        if matcher.known(token.core) and script.is_devanagari(token.core) == devanagari:
            return False
    return all(not before.trail and not before.owner and not after.lead.strip()
               and after.word.start - before.word.end <= _PAUSE_S
               for before, after in itertools.pairwise(stretch))


def _voted(proposals: Sequence[_Proposal]) -> Iterator[_Proposal]:
    """The accepted ones, and those that the accepted ones carry with them."""
    accepted = [proposal for proposal in proposals if proposal.match.accepted]
    votes: dict[str, dict[str, int]] = {}
    for proposal in accepted:
        counts = votes.setdefault(proposal.match.written, {})
        counts[proposal.form] = counts.get(proposal.form, 0) + 1
    for proposal in proposals:
        if proposal.match.accepted:
            yield proposal
            continue
        sounds = key(proposal.heard.replace(" ", ""))
        forms = votes.get(proposal.match.written, {})
        alike = sum(count for form, count in forms.items() if form == proposal.form
                    or likeness(key(form.replace(" ", "")), sounds) >= _ALIKE)
        if proposal.form in forms or alike >= 2:
            yield replace(proposal, reason=f"as elsewhere in the film ({alike} times); {proposal.match.target.source}")


def _rewritten(tokens: Sequence[_Token], proposals: Sequence[_Proposal], matcher: Matcher,
               vetoes: Sequence[Veto]) -> tuple[tuple[Word, ...], list[NameChange]]:
    by_first = {proposal.first: proposal for proposal in proposals}
    words: list[Word] = []
    changes: list[NameChange] = []
    at = 0
    while at < len(tokens):
        proposal = by_first.get(at)
        count = proposal.count if proposal else 1
        stretch = tokens[at:at + count]
        spelt = proposal.match.written if proposal else _recased(stretch[0], matcher)
        before = " ".join(token.core for token in stretch)
        at += count
        if spelt is None or spelt == before:
            words += [token.word for token in stretch]
            continue
        start, end = stretch[0].word.start, stretch[-1].word.end
        change = NameChange(
            start=start, end=end, before=before, after=spelt,
            reason=proposal.reason if proposal else "written as in the glossary",
            score=proposal.match.score if proposal else 1.0,
            vetoed=any(veto.forbids(before, spelt, start) for veto in vetoes))
        changes.append(change)
        words += [token.word for token in stretch] if change.vetoed else _written(stretch, spelt)
    return tuple(words), changes


def _recased(token: _Token, matcher: Matcher) -> str | None:
    """The glossary's spelling of a name that is only written otherwise; an ordinary word may be just that."""
    known = matcher.known(token.core)
    if known is None or token.place != "lower" or matcher.lexicon.kind(token.core) != "unknown" or known == token.core:
        return None
    return known


def _written(stretch: Sequence[_Token], spelt: str) -> list[Word]:
    """The name as words: times of what it stands for, shared by letters if it is of several words."""
    first, last = stretch[0], stretch[-1]
    parts = spelt.split(" ")
    start, end = first.word.start, last.word.end
    confidences = [token.word.confidence for token in stretch if token.word.confidence is not None]
    total = sum(map(len, parts))
    made: list[Word] = []
    done = 0
    for number, part in enumerate(parts):
        begins = ms(start + (end - start) * done / total)
        done += len(part)
        text = (first.lead if number == 0 else " ") + part
        if number == len(parts) - 1:
            text += last.owner + last.trail
        made.append(replace(
            first.word, start=begins, end=ms(start + (end - start) * done / total), text=text,
            probability=min(token.word.probability for token in stretch),
            confidence=min(confidences) if confidences else None))
    made[-1] = replace(made[-1], end=end)
    return made
