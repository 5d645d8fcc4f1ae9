"""When a cue comes in and goes out: on the first word, long enough to be read, off the cuts, apart from the next cue.

All in ticks of the grid. In-times are known before anything is grouped, since they depend on the token that a cue
begins with and on nothing else; so the time of any group of tokens can be told while the best groups are sought.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from cp_whisperx.subtitles.grid import Grid
from cp_whisperx.subtitles.profiles import Rules
from cp_whisperx.subtitles.tokens import Token

NEVER = 1 << 60
_FLASH_S = 0.1
"""Shortest cue that is ever written: words without length, or spoken over by the next ones, get it."""
_MS = 0.001


class Timing:
    """Rules in ticks, and for each token its in-time as the start of a cue (`ins`) and its end (`ends`)."""

    def __init__(self, tokens: Sequence[Token], rules: Rules, grid: Grid, cuts: Sequence[float]) -> None:
        """`cuts`: film times of the first pictures of shots, seconds, in any order."""
        self.grid = grid
        self.rules = rules
        self.rate = grid.ticks_per_s
        self.gap = grid.frames(rules.min_gap_frames)
        self.chain = grid.at_least(rules.chain_below_s)
        self.linger = grid.at_most(rules.linger_s)
        self.least = grid.at_least(rules.min_duration_s)
        self.per_word_s = rules.min_s_per_word or 0.0
        self.longest = NEVER if rules.max_duration_s is None else grid.at_most(rules.max_duration_s)
        self.flash = max(1, min(grid.at_least(_FLASH_S), max(1, self.longest)))
        self.out_before = grid.frames(rules.shot_out_before_frames)
        self.out_after = grid.frames_at_24(rules.shot_out_after_frames)
        self.cuts = sorted({grid.tick(cut) for cut in cuts})
        self.ins = self._ins(tokens)
        self.ends = [grid.tick_after(token.end) for token in tokens]

    def shown(self, words: int) -> int:
        """The fewest ticks for a cue of so many words."""
        return max(self.least, self.grid.at_least(words * self.per_word_s)) if self.per_word_s else self.least

    def out(self, start: int, last: int, characters: int, words: int) -> int:
        """Out-time of a cue that comes in at `start` and ends with token `last`."""
        speech = max(self.ends[last], start + 1)
        following = self.ins[last + 1] if last + 1 < len(self.ins) else NEVER
        read = math.ceil((characters / self.rules.cps_target + _MS) * self.rate)
        least = start + self.shown(words)
        latest = min(start + self.longest, following - self.gap)
        stays = max(speech + self.linger, least)
        end = min(max(speech, least, min(start + read, stays)), latest)
        if self.cuts:
            end = self._off_cuts(start, end, least, min(latest, stays), start + read)
        if self.gap < following - end < self.chain:
            end = self._chained(end, max(speech, least), latest, following)
        return end

    def crossed(self, start: int, end: int) -> int:
        """How many cuts lie inside, away from both ends."""
        return max(0, bisect_left(self.cuts, end) - bisect_right(self.cuts, start)) if self.cuts else 0

    def at_cut(self, end: int) -> int | None:
        """The cut that an out-time is too near to; none where it is just where it belongs before some cut."""
        position = bisect_left(self.cuts, end + self.out_before)
        last = self.cuts[position - 1] if position else -NEVER
        belongs = position < len(self.cuts) and self.cuts[position] == end + self.out_before and last < end
        return last if last > end - self.out_after and not belongs else None

    def _chained(self, end: int, least: int, latest: int, following: int) -> int:
        """The gap to the next cue closed; opened where the cue cannot last so long."""
        closed = following - self.gap
        if closed <= latest and self.at_cut(closed) is None:
            return closed
        opened = following - self.chain
        return opened if opened >= least and self.at_cut(opened) is None else end

    def _off_cuts(self, start: int, end: int, least: int, latest: int, read: int) -> int:
        """Before the cut where it is near one; behind it where the cue would else be too short to be read."""
        cut = self.at_cut(end)
        if cut is None:
            return end
        before, behind = cut - self.out_before, cut + self.out_after
        too_short = before < least or (before < read and before < end)
        if too_short and behind <= latest and self.at_cut(behind) is None:
            return behind
        return before if before >= min(least, end) and before > start else end

    def _ins(self, tokens: Sequence[Token]) -> list[int]:
        after = self.grid.frames_at_24(self.rules.shot_in_after_frames)
        near = self.grid.frames_at_24(self.rules.shot_in_near_frames)
        far = self.grid.frames_at_24(self.rules.shot_in_far_frames)
        made: list[int] = []
        clock = 0
        for token in tokens:
            tick = max(0, self.grid.tick(token.start))
            if self.cuts:
                position = bisect_right(self.cuts, tick)
                behind = tick - self.cuts[position - 1] if position else NEVER
                ahead = self.cuts[position] - tick if position < len(self.cuts) else NEVER
                # Between two cuts too near to each other to keep clear of both, the nearer one.
                crowded = behind + ahead < far + after
                if 0 < behind < after and behind <= ahead:
                    tick -= behind
                elif ahead < near or (behind and ahead < far and crowded):
                    tick += ahead
                elif behind and ahead < far:
                    tick = max(0, tick + ahead - far)
            clock = max(clock, tick)
            made.append(clock)
        return made
