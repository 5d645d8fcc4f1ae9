"""From words with times to cues: the cheapest way to cut what is said, by dynamic programming.

Cuts are made between words, never inside them; a cue's times come from its words, never from segments. The limits of
the profile always hold: length of a line, lines, longest duration, gap. What cannot be met because the speech itself
is too fast or too short is written on the cue, and no word is dropped for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from cp_whisperx.subtitles import breaks
from cp_whisperx.subtitles.breaks import Break
from cp_whisperx.subtitles.grid import Grid
from cp_whisperx.subtitles.layout import TOO_LONG, Layout, song_signs
from cp_whisperx.subtitles.profiles import Rules
from cp_whisperx.subtitles.text import width
from cp_whisperx.subtitles.timing import Timing
from cp_whisperx.subtitles.tokens import Token, tokens
from cp_whisperx.timeline import Breach, Cue, Word


@dataclass(frozen=True)
class Costs:
    """What the best cut is the cheapest by: one place for all of it. A cue costs 1; the rest is in cues.

    The order that counts: a limit that is broken costs more than any break, a pair of words that is torn more than
    any unevenness, and where nothing speaks against it a cue ends with a sentence, at a pause.
    """

    cue: float = 1.0
    ends: Mapping[Break, float] = field(default_factory=lambda: {
        Break.SENTENCE: 0.0, Break.CLAUSE: 0.6, Break.CONJUNCTION: 1.0, Break.PLAIN: 1.8, Break.BOUND: 6.0})
    """A cue that ends there in the middle of a turn."""
    pause: float = -0.8
    """A cue that ends at a pause of half a second or more, as much less as the pause is shorter."""
    silence_s: float = 2.0
    """Each second of a pause inside a cue that lasts more than half a second."""
    sentence_inside: float = 0.5
    dialogue: float = 0.8
    """Two speakers in one cue."""
    orphan: float = 0.8
    """A cue of one word, cut off from what belongs to it."""
    fast: float = 2.0
    fast_cps: float = 0.5
    """A cue faster than the target, and each character per second above it."""
    short: float = 4.0
    short_s: float = 10.0
    """A cue shorter than the least duration, and each second below it."""
    flash: float = 100.0
    """A cue for which there is no time at all."""
    crossed: float = 0.7
    """Each cut inside a cue."""
    at_cut: float = 2.0
    """An out-time too near to a cut."""
    open_gap: float = 2.0
    """A gap to the next cue that should be closed and cannot be."""


COSTS = Costs()
_PAUSE_S = 0.5
_ANSWER_S = 0.3
_EXACT = 1e-6


def cues(words: Sequence[Word], rules: Rules, *, grid: Grid, language: str = "und", names: Collection[str] = (),
         cuts: Sequence[float] = (), breaks_before: Collection[int] = (), sung: Collection[int] = (),
         labels: Mapping[str, str] | None = None) -> tuple[Cue, ...]:
    """`words` in order, in film time; a space before each where the script has one.

    `names`: names of several words that are not to be torn. `cuts`: film times of the first pictures of shots.
    `breaks_before`: positions of words that never share a cue with the one before. `sung`: positions of sung words.
    `labels`: how speakers are named, by their label; empty: they are not.
    """
    opening, closing = song_signs(rules) if sung else ("", "")
    tag = breaks.language_tag(language, "".join(word.text for word in words))
    parts = tokens(words, rules.max_cpl - width(opening + closing), breaks.language(tag, rules.no_split),
                   ellipsis=rules.ellipsis, names=names, sung=frozenset(sung),
                   leave_out=rules.song_policy == "leave-out")
    if not parts:
        return ()
    layout = Layout(parts, rules, labels or {})
    timing = Timing(parts, rules, grid, cuts)
    groups = _cut(parts, layout, timing, rules, _forced(parts, rules, breaks_before))
    return _written(groups, parts, layout, timing, rules)


def _forced(parts: Sequence[Token], rules: Rules, breaks_before: Collection[int]) -> list[bool]:
    """Before which tokens a cue must begin."""
    wanted = sorted(breaks_before)
    made = [True]
    for before, token in pairwise(parts):
        elsewhere = bisect_right(wanted, before.words[0]) != bisect_right(wanted, token.words[0])
        turn = before.speaker != token.speaker and not rules.two_speakers
        made.append(elsewhere or turn or before.sung != token.sung or token.start - before.end >= rules.pause_s)
    return made


def _cut(parts: Sequence[Token], layout: Layout, timing: Timing, rules: Rules,
         forced: Sequence[bool]) -> list[tuple[int, int]]:
    """The cheapest partition, as first and last token of each cue.

    `best[j]` is the cost of the first j tokens, `begin[j]` where their last cue begins. A group that does not fit
    makes every longer one not fit, so the time is linear in the number of tokens; a group that costs too much for
    what is in it is not laid out.
    """
    costs, count = COSTS, len(parts)
    longest, ins, ends, rate, target = timing.longest, timing.ins, timing.ends, timing.rate, rules.cps_target
    full = layout.max_lines * (layout.most + 1) - 1
    endings = _endings(parts, forced)
    silences = [0.0, *accumulate(_silence(before, token) for before, token in pairwise(parts))]
    sentences = [0.0, *accumulate(costs.sentence_inside * (token.behind == Break.SENTENCE) for token in parts)]
    best, begin = [0.0], [0]
    for last in range(count):
        cheapest, chosen = TOO_LONG, last
        ending = costs.cue + endings[last]
        for first in range(last, -1, -1):
            start = ins[first]
            if first < last and (ends[last] - start > longest or layout.text_width(first, last) > full):
                break
            cost = best[first] + ending
            cost += sentences[last] - sentences[first] + silences[last] - silences[first]
            if cost >= cheapest:
                if forced[first]:
                    break
                continue
            laid, characters = layout.cost(first, last)
            if laid == TOO_LONG:
                break
            words = layout.words(first, last)
            end = timing.out(start, last, characters, words)
            lasts = end - start
            cost += laid
            if first == last:
                cost += 0.0 if forced[first] or parts[last].behind == Break.SENTENCE else costs.orphan
            elif layout.turn_in(first, last):
                cost += costs.dialogue
            if lasts < timing.flash:
                cost += costs.flash * (1 + timing.flash - lasts)
            elif (over := characters * rate / lasts - target) > 0:
                cost += costs.fast + costs.fast_cps * over
            if lasts < (least := timing.shown(words)):
                cost += costs.short + costs.short_s * (least - lasts) / rate
            if timing.cuts:
                cost += costs.crossed * timing.crossed(start, end)
                cost += 0.0 if timing.at_cut(end) is None else costs.at_cut
            if last + 1 < count and timing.gap < ins[last + 1] - end < timing.chain:
                cost += costs.open_gap
            if cost < cheapest:
                cheapest, chosen = cost, first
            if forced[first]:
                break
        best.append(cheapest)
        begin.append(chosen)
    groups = []
    behind = count
    while behind:
        groups.append((begin[behind], behind - 1))
        behind = begin[behind]
    return groups[::-1]


def _endings(parts: Sequence[Token], forced: Sequence[bool]) -> list[float]:
    """Cost of a cue that ends with each token."""
    made = []
    for position, (token, following) in enumerate(pairwise(parts), 1):
        free = forced[position] or token.speaker != following.speaker
        pause = min(max(0.0, following.start - token.end) / _PAUSE_S, 1.0)
        made.append(0.0 if free else COSTS.ends[token.behind] + COSTS.pause * pause)
    return [*made, 0.0]


def _silence(before: Token, token: Token) -> float:
    gap = token.start - before.end
    return COSTS.silence_s * gap if gap > _PAUSE_S else 0.0


def _written(groups: Sequence[tuple[int, int]], parts: Sequence[Token], layout: Layout, timing: Timing,
             rules: Rules) -> tuple[Cue, ...]:
    """The cues with their final times: where speech leaves no room, the next cue comes in late and says so."""
    made: list[Cue] = []
    clock = 0
    for first, last in groups:
        lines = layout.lines(first, last)
        characters = sum(map(width, lines))
        words = layout.words(first, last)
        start = max(timing.ins[first], clock)
        end = max(timing.out(start, last, characters, words), start + timing.flash)
        following = timing.ins[last + 1] if last + 1 < len(parts) else None
        clock = end + timing.gap
        shown = timing.grid.seconds(start), timing.grid.seconds(end)
        cps = characters / (shown[1] - shown[0])
        breaches = _breaches(start, end, following, cps, words, timing, rules, late=start - timing.ins[first])
        divided = layout.divided(first, last) + _cut_off(parts, last, end, timing)
        if divided:
            breaches = (*breaches, Breach("no_split", float(divided), 0.0))
        made.append(Cue(*shown, lines, layout.speakers(first, last, len(lines)),
                        (parts[first].words[0], parts[last].words[1]), parts[first].sung,
                        round(cps, 3), breaches))
    return tuple(made)


def _cut_off(parts: Sequence[Token], last: int, end: int, timing: Timing) -> bool:
    """The next cue comes at once, with a word that belongs to the last one of this.

    What another speaker says does not, unless it follows so closely that the change of speaker is in doubt.
    """
    if last + 1 == len(parts) or parts[last].behind != Break.BOUND:
        return False
    token, following = parts[last:last + 2]
    if token.speaker != following.speaker and following.start - token.end > _ANSWER_S:
        return False
    return timing.ins[last + 1] - end < _PAUSE_S * timing.rate


def _breaches(start: int, end: int, following: int | None, cps: float, words: int, timing: Timing,
              rules: Rules, *, late: int) -> tuple[Breach, ...]:
    """Rules, by their names in the profile, that the speech leaves no room for."""
    least = timing.shown(words)
    found = []
    if cps > rules.cps_target + _EXACT:
        found.append(Breach("cps_target", round(cps, 3), rules.cps_target))
    if end - start < least:
        found.append(Breach("min_duration_s", round((end - start) / timing.rate, 3), round(least / timing.rate, 3)))
    if following is not None and timing.gap < following - end < timing.chain:
        found.append(Breach("chain_below_s", round((following - end) / timing.rate, 3), rules.chain_below_s))
    if timing.cuts and (cut := timing.at_cut(end)) is not None:
        rule = "shot_out_before_frames" if end <= cut else "shot_out_after_frames"
        frames = abs(end - cut) / timing.grid.ticks_per_frame
        found.append(Breach(rule, round(frames, 3), float(getattr(rules, rule))))
    if late:
        frames = late / timing.grid.ticks_per_frame
        found.append(Breach("in_tolerance_frames", round(frames, 3), float(rules.in_tolerance_frames)))
    return tuple(found)
