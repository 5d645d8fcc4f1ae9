"""What a writer gets: the cues of a film with all that some format can show of them."""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cp_whisperx.timeline import Cue, Word


@dataclass(frozen=True)
class Sheet:
    """`cues` in order and `words` in order, film time. `language` is ISO 639-1, or `und`.

    `names` say how speakers are named in the file, and `colours` (#RRGGBB) how they are painted where the format can;
    a speaker who is in neither stays unnamed. `frame_rate` is per second, None if unknown.
    """

    cues: tuple[Cue, ...]
    language: str = "und"
    title: str = ""
    frame_rate: float | None = None
    words: tuple[Word, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)

    def voices(self, cue: Cue, lines: int) -> tuple[str, ...]:
        """The speaker of each of the `lines` that are written; "" where nobody is known."""
        return cue.speakers if len(cue.speakers) == lines else ("",) * lines


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, not below 0: no format has times before the film."""
    return max(0, round(seconds * 1000))


def clock(seconds: float, point: str) -> str:
    """HH:MM:SS and milliseconds."""
    rest, thousandths = divmod(milliseconds(seconds), 1000)
    rest, whole = divmod(rest, 60)
    hours, minutes = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{point}{thousandths:03d}"


def lines_of(cue: Cue) -> list[str]:
    """The lines that hold text: an empty one would end a cue in SubRip and WebVTT."""
    return [line.strip() for text in cue.lines for line in text.splitlines() if line.strip()]


def runs_of(cue: Cue) -> list[list[tuple[str, bool]]]:
    """Each of the `lines_of` a cue in parts, with whether the part is in italics."""
    made: list[list[tuple[str, bool]]] = []
    position = 0
    slanted = frozenset(cue.slanted)
    for line in lines_of(cue):
        runs: list[tuple[str, bool]] = []
        for part in re.findall(r"\S+|\s+", line):
            flag = cue.italic
            if not part.isspace():
                flag = flag or position in slanted
                position += 1
            elif runs:
                # A space is what the words on both sides are.
                flag = runs[-1][1] and (flag or position in slanted)
            if runs and runs[-1][1] == flag:
                runs[-1] = (runs[-1][0] + part, flag)
            else:
                runs.append((part, flag))
        made.append(runs)
    return made


def words_of(cues: Sequence[Cue], words: Sequence[Word]) -> list[list[Word]]:
    """For each cue its words: those it was made of, or where it does not say so, those whose middle is nearest."""
    if all(cue.words is not None for cue in cues):
        return [list(words[slice(*cue.words)]) for cue in cues if cue.words is not None]
    found: list[list[Word]] = [[] for _ in cues]
    # A word belongs to the last cue that starts before its middle, unless the next one is nearer.
    starts = [cue.start for cue in cues]
    for word in words:
        middle = (word.start + word.end) / 2
        number = max(0, bisect.bisect_right(starts, middle) - 1)
        if number + 1 < len(cues) and starts[number + 1] - middle < middle - cues[number].end:
            number += 1
        found[number].append(word)
    return found
