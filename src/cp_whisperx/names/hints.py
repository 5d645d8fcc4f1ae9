"""Which names a recogniser is told to expect.

A prompt has few tokens, so the names that are likely now come first: by their weight, and by how often they were heard
of late (windows of 45 s that begin every 15 s, each older one counting less).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from cp_whisperx.artifacts import Name
from cp_whisperx.names import script

WINDOW_S, STRIDE_S = 45.0, 15.0
_WINDOWS = 8
_DECAY = 0.7
REACH_S = WINDOW_S + (_WINDOWS - 1) * STRIDE_S
"""What was heard before that is forgotten."""
_MIN_WEIGHT = 0.3
"""Who is less likely to be spoken of than this is not asked for, nor put in another word's place (`match`)."""


def hints(names: Sequence[Name], recent: Sequence[tuple[float, str]] = (), now_s: float = 0.0, *, budget: int,
          tokens: Callable[[str], int], devanagari: bool = False) -> str:
    """Names for a prompt, parted by commas, in at most `budget` tokens as `tokens` counts them; "" if there are none.

    `recent` holds words heard before `now_s`, each with its time in seconds. The result depends on them only where
    the budget is too small for all names.
    """
    words = _single_words(names, devanagari=devanagari)
    heard = _lately(recent, now_s)
    ranked = sorted(words.items(), key=lambda item: (-(item[1] + heard.get(item[0].casefold(), 0.0)), item[0]))
    chosen: list[str] = []
    for word, _ in ranked:
        if tokens(", ".join((*chosen, word))) <= budget:
            chosen.append(word)
    return ", ".join(sorted(chosen, key=lambda word: (-words[word], word)))


def _single_words(names: Sequence[Name], *, devanagari: bool) -> dict[str, float]:
    """Words of names with the best weight that each has, in the script that is asked for."""
    found: dict[str, float] = {}
    for name in names:
        for spelling in (name.canonical, *name.variants):
            if (name.kind != "title" and name.weight >= _MIN_WEIGHT and " " not in spelling
                    and script.is_devanagari(spelling) == devanagari):
                found[spelling] = max(name.weight, found.get(spelling, 0.0))
    return found


def _lately(recent: Sequence[tuple[float, str]], now_s: float) -> dict[str, float]:
    """How much each word was heard of late: the sum over the windows, each `_DECAY` times the one after it."""
    heard: dict[str, float] = {}
    for at, text in recent:
        for number in range(_WINDOWS):
            end = now_s - number * STRIDE_S
            if end - WINDOW_S <= at < end:
                for word in re.findall(r"\w[\w'’-]*", text.casefold()):
                    heard[word] = heard.get(word, 0.0) + _DECAY ** number
    return heard
