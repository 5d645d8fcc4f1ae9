"""The lines of a cue: as few as its tokens fit on, broken where a reader would pause."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from cp_whisperx.subtitles.breaks import Break
from cp_whisperx.subtitles.profiles import Rules
from cp_whisperx.subtitles.text import width
from cp_whisperx.subtitles.tokens import Token

TOO_LONG = float("inf")

LINE_BREAK: dict[Break, float] = {
    Break.SENTENCE: 0.0, Break.CLAUSE: 0.2, Break.CONJUNCTION: 0.5, Break.PLAIN: 1.0, Break.BOUND: 4.0}
"""Cost of a line that ends there."""
_UNEVEN = 1.0
"""Cost of two lines of which one is empty and the other full."""
_TOP_HEAVY = 0.1
"""A longer lower line hides less of the picture, and is read in one sweep from the upper one."""
_SECOND_LINE = 0.2


def song_signs(rules: Rules) -> tuple[str, str]:
    """What stands before and behind sung words."""
    return (f"{rules.song_mark} ", f" {rules.song_mark}") if rules.song_policy == "mark" else ("", "")


class Layout:
    """Widths and lines of any group of tokens `first` to `last`, both included."""

    def __init__(self, tokens: Sequence[Token], rules: Rules, labels: Mapping[str, str]) -> None:
        """`labels`: by speaker, what names them; a speaker who is not in it is not named."""
        self.tokens = tokens
        self.most = rules.max_cpl
        self.max_lines = rules.max_lines
        self.dash = rules.dash
        self.opening, self.closing = song_signs(rules)
        self.closes_each = rules.song_mark_end == "cue"
        self.ends = [0, *accumulate(token.width + token.spaced for token in tokens)]
        self.starts = [end + token.spaced for end, token in zip(self.ends, tokens, strict=False)]
        self.turns = [position > 0 and token.speaker != tokens[position - 1].speaker
                      for position, token in enumerate(tokens)]
        self.turns_until = [0, *accumulate(map(int, self.turns))]
        self.labels = [self._label(token, labels) if turn or position == 0 else ""
                       for position, (token, turn) in enumerate(zip(tokens, self.turns, strict=True))]
        self.label_widths = list(map(width, self.labels))
        self.words_until = [0, *accumulate(_words(token.text) + _words(label)
                                           for token, label in zip(tokens, self.labels, strict=True))]
        self.breaks = [LINE_BREAK[token.behind] for token in tokens]
        self.plain = not any(self.labels) and not any(token.sung for token in tokens)

    def text_width(self, first: int, last: int) -> int:
        """Characters of the tokens on one line, without what is put around them."""
        return self.ends[last + 1] - self.starts[first]

    def words(self, first: int, last: int) -> int:
        """Words that are read, with those of the labels."""
        return self.words_until[last + 1] - self.words_until[first]

    def turn_in(self, first: int, last: int) -> int:
        """How often the speaker changes between the tokens."""
        return self.turns_until[last + 1] - self.turns_until[first + 1]

    def before(self, first: int) -> str:
        """What stands before a cue that begins with this token."""
        if self.plain:
            return ""
        return self.labels[first] + (self.opening if self.tokens[first].sung else "")

    def after(self, last: int) -> str:
        """What stands behind a cue that ends with this token."""
        if self.plain or not self.tokens[last].sung:
            return ""
        ends_song = last + 1 == len(self.tokens) or not self.tokens[last + 1].sung
        return self.closing if self.closes_each or ends_song else ""

    def cost(self, first: int, last: int) -> tuple[float, int]:
        """Cost of the best lines and the characters on them; TOO_LONG if the tokens do not fit."""
        turns = self.turn_in(first, last)
        if turns:
            return self._dialogue(first, last) if turns == 1 else (TOO_LONG, 0)
        lead, tail = (0, 0) if self.plain else (width(self.before(first)), width(self.after(last)))
        wide = self.text_width(first, last) + lead + tail
        if wide <= self.most:
            return 0.0, wide
        if self.max_lines == 1 or wide > self.max_lines * (self.most + 1):
            return TOO_LONG, wide
        cost, _ = self._broken(first, last, lead, tail, self.max_lines)
        return cost, wide

    def lines(self, first: int, last: int) -> tuple[str, ...]:
        """The best lines; the tokens fit, as `cost` has said."""
        if self.turn_in(first, last):
            turn = self._turn(first, last)
            return (self.dash + self.labels[first] + self._text(first, turn - 1),
                    self.dash + self.labels[turn] + self._text(turn, last))
        before, after = self.before(first), self.after(last)
        edges = (first, *self._points(first, last), last + 1)
        made = [self._text(start, end - 1) for start, end in pairwise(edges)]
        made[0], made[-1] = before + made[0], made[-1] + after if len(made) > 1 else before + made[0] + after
        return tuple(made)

    def divided(self, first: int, last: int) -> int:
        """How many pairs that belong together the best lines divide."""
        if self.turn_in(first, last):
            return 0
        return sum(self.tokens[point - 1].behind == Break.BOUND for point in self._points(first, last))

    def _points(self, first: int, last: int) -> tuple[int, ...]:
        """Tokens that begin a new line, in a cue of one speaker."""
        lead, tail = width(self.before(first)), width(self.after(last))
        if self.text_width(first, last) + lead + tail <= self.most:
            return ()
        return self._broken(first, last, lead, tail, self.max_lines)[1]

    def speakers(self, first: int, last: int, lines: int) -> tuple[str, ...]:
        """Whose each line is; nothing where nobody is known."""
        if self.turn_in(first, last):
            return self.tokens[first].speaker, self.tokens[last].speaker
        return (self.tokens[first].speaker,) * lines if self.tokens[first].speaker else ()

    def _label(self, token: Token, labels: Mapping[str, str]) -> str:
        """Nothing where the label leaves no room for the word behind it."""
        label = f"{labels[token.speaker]} " if labels.get(token.speaker) else ""
        around = width(label + self.dash + self.opening + self.closing)
        return label if around + token.width <= self.most else ""

    def _text(self, first: int, last: int) -> str:
        return "".join((" " if token.spaced else "") + token.text for token in self.tokens[first:last + 1]).strip(" ")

    def _turn(self, first: int, last: int) -> int:
        return next(position for position in range(first + 1, last + 1) if self.turns[position])

    def _dialogue(self, first: int, last: int) -> tuple[float, int]:
        """A line for each of two speakers."""
        turn = self._turn(first, last)
        extra = len(self.dash)
        upper = self.text_width(first, turn - 1) + extra + self.label_widths[first]
        lower = self.text_width(turn, last) + extra + self.label_widths[turn]
        if self.max_lines < 2 or max(upper, lower) > self.most or self.tokens[first].sung or self.tokens[last].sung:
            return TOO_LONG, upper + lower
        return _SECOND_LINE, upper + lower

    def _broken(self, first: int, last: int, lead: int, tail: int, lines: int) -> tuple[float, tuple[int, ...]]:
        """The best tokens to begin a new line with, for text that does not fit on one."""
        best = TOO_LONG
        points: tuple[int, ...] = ()
        most = self.most
        # Only where the upper line fits, and the lower one if it is the last.
        latest = bisect_right(self.ends, self.starts[first] + most - lead, first + 1, last + 1) - 1
        earliest = bisect_left(self.starts, self.ends[last + 1] + tail - most, first + 1, last + 1) if lines == 2 \
            else first + 1
        for point in range(earliest, min(latest, last) + 1):
            upper = self.ends[point] - self.starts[first] + lead
            lower = self.ends[last + 1] - self.starts[point] + tail
            cost = self.breaks[point - 1] + _SECOND_LINE
            rest: tuple[int, ...] = ()
            if lower > most:
                below, rest = self._broken(point, last, 0, tail, lines - 1)
                cost += below
            else:
                cost += _UNEVEN * abs(upper - lower) / most + (_TOP_HEAVY if upper > lower else 0.0)
            if cost < best:
                best, points = cost, (point, *rest)
        return best, points


def _words(text: str) -> int:
    return sum(any(map(str.isalnum, part)) for part in text.split())
