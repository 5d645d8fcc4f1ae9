"""From words with times to cues: the cheapest way to cut a stretch of speech, by dynamic programming.

Cuts are made between words, never inside them; a cue's times come from its words, never from segments.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cp_whisperx.subtitles.text import pieces, width
from cp_whisperx.timeline import Cue, Word, ms

_SENTENCE_END = (".", "!", "?", "…", "।", "॥", "。", "！", "？", "؟")
_CLAUSE_END = (",", ";", ":", "—", "–", "،", "、", "，")
_CLOSING = "\"'”’)]»"
# Words that belong to what follows: a line or a cue does not end on them.
_LEANS_FORWARD = frozenset((
    "a", "an", "the", "and", "or", "but", "nor", "so", "of", "to", "in", "on", "at", "by", "for", "from", "with",
    "into", "onto", "over", "under", "than", "as", "if", "that", "which", "who", "my", "your", "his", "her", "its",
    "our", "their", "this", "these", "those", "is", "are", "was", "were", "am", "be", "been", "has", "have", "had",
    "do", "does", "did", "will", "would", "shall", "should", "can", "could", "may", "might", "must", "not", "i",
    "you", "he", "she", "we", "they", "mr", "mrs", "dr",
))

_FLASH_S = 0.1
"""Shortest cue that is ever written: only words without length get it."""
_NEVER = float("inf")


@dataclass(frozen=True)
class CueRules:
    """Limits that always hold (line_chars, max_lines, max_duration_s, min_gap_s) and aims that bend."""

    line_chars: int
    max_lines: int
    min_duration_s: float
    max_duration_s: float
    min_gap_s: float
    chars_per_s: float
    linger_s: float
    pause_s: float


def cues(words: Sequence[Word], rules: CueRules, breaks_before: Collection[int] = ()) -> tuple[Cue, ...]:
    """`words` in order, film time. A cue never crosses a pause of `pause_s` or a position in `breaks_before`."""
    runs: list[list[Word]] = []
    for position, word in enumerate(words):
        broken = position in breaks_before or (runs and word.start - runs[-1][-1].end >= rules.pause_s)
        if not runs or broken:
            runs.append([])
        runs[-1] += _short_enough(word, rules.line_chars)
    groups = [group for run in runs for group in _cut(run, rules)]
    return _timed(groups, rules)


def lines(words: Sequence[Word], rules: CueRules) -> tuple[str, ...] | None:
    """The words on as few lines as they fit, broken at the best place; None if they do not fit."""
    text = "".join(word.text for word in words).strip()
    if width(text) <= rules.line_chars:
        return (text,)
    if rules.max_lines < 2 or width(text) > 2 * rules.line_chars + 1:
        return None
    best: tuple[float, tuple[str, ...]] | None = None
    for position in range(1, len(words)):
        upper = "".join(word.text for word in words[:position]).strip()
        lower = "".join(word.text for word in words[position:]).strip()
        if max(width(upper), width(lower)) > rules.line_chars:
            continue
        # A longer lower line hides less of the picture and is read in one sweep from the upper one.
        uneven = abs(width(upper) - width(lower)) + (4 if width(upper) > width(lower) else 0)
        cost = _break_cost(words[position - 1]) + uneven / rules.line_chars
        if best is None or cost < best[0]:
            best = cost, (upper, lower)
    return best[1] if best else None


def _cut(words: Sequence[Word], rules: CueRules) -> list[Sequence[Word]]:
    """The cheapest partition; `best[j]` is the cost of the first j words and where their last cue starts."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(words) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            cost = _cue_cost(words, start, end, rules)
            if cost == _NEVER and end - start > 1:
                break
            options.append((best[start][0] + (0.0 if cost == _NEVER else cost), start))
        best.append(min(options))
    groups: list[Sequence[Word]] = []
    end = len(words)
    while end:
        start = best[end][1]
        groups.append(words[start:end])
        end = start
    return groups[::-1]


def _cue_cost(words: Sequence[Word], start: int, end: int, rules: CueRules) -> float:
    group = words[start:end]
    duration = group[-1].end - group[0].start
    if duration > rules.max_duration_s or (laid := lines(group, rules)) is None:
        return _NEVER
    cost = 1.0 + 0.2 * (len(laid) - 1)
    last = end == len(words)
    if not last:
        pause = words[end].start - group[-1].end
        cost += _break_cost(group[-1]) - 0.8 * min(pause / 0.5, 1.0)
    for word, following in pairwise(group):
        gap = following.start - word.end
        cost += 2.0 * gap if gap > 0.5 else 0.0
        cost += 0.6 if _ends(word, _SENTENCE_END) else 0.0
    if len(group) == 1 and len(words) > 1:
        cost += 0.8
    cost += max(0.0, rules.min_duration_s - duration)
    shown = max(duration, rules.min_duration_s) if last else max(duration, 0.1)
    cost += 0.1 * max(0.0, sum(map(width, laid)) / shown - rules.chars_per_s)
    return cost


def _break_cost(word: Word) -> float:
    """How bad it is to break after this word."""
    if _ends(word, _SENTENCE_END):
        return 0.0
    if _ends(word, _CLAUSE_END):
        return 0.5
    return 2.5 if word.text.strip().lower() in _LEANS_FORWARD else 1.5


def _ends(word: Word, marks: tuple[str, ...]) -> bool:
    return word.text.strip().rstrip(_CLOSING).endswith(marks)


def _short_enough(word: Word, longest: int) -> list[Word]:
    """A word too long for a line, in pieces that share its time."""
    parts = pieces(word.text.strip(), longest)
    if len(parts) == 1:
        return [word]
    step = (word.end - word.start) / len(parts)
    return [Word(word.start + number * step, word.start + (number + 1) * step, part, word.probability)
            for number, part in enumerate(parts)]


def _timed(groups: Sequence[Sequence[Word]], rules: CueRules) -> tuple[Cue, ...]:
    """In-cue on the first word; out-cue late enough to read, but never into the next cue or its gap."""
    result: list[Cue] = []
    for position, group in enumerate(groups):
        laid = lines(group, rules)
        assert laid is not None
        start = max(group[0].start, 0.0)
        if result:
            start = max(start, result[-1].end)
        heard_until = max(group[-1].end, start)
        readable = start + max(rules.min_duration_s, sum(map(width, laid)) / rules.chars_per_s)
        end = max(heard_until, min(readable, heard_until + rules.linger_s))
        end = min(end, start + rules.max_duration_s)
        if position + 1 < len(groups):
            end = min(end, groups[position + 1][0].start - rules.min_gap_s)
        result.append(Cue(ms(start), ms(max(end, start + _FLASH_S)), laid))
    return tuple(result)
