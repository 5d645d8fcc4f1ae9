"""Rules about what is heard: no text where nobody speaks, and no speech without text.

The limits are ours (no guide has a number): a detector misses the edges of speech, and a breath or a laugh of a few
tenths is not to be captioned.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from cp_whisperx.subtitles.checking.report import NO_CUE, Finding
from cp_whisperx.subtitles.checking.subject import Subject, clock_text, seconds_text, us
from cp_whisperx.timeline import Cue

HEARD_S = 0.1
"""Of speech are to lie under each cue that says something."""
LOST_S = 1.0
"""Of speech in a row without a cue."""
_SOUND = re.compile(r"\s*(?:\[[^\]]*\]|\([^)]*\)|[-\u2010-\u2014\s])*$")
_NOTES = re.compile("[♪♫♬♩]|^[#*]\\s|\\s[#*]$")


def unspoken(subject: Subject) -> Iterator[Finding]:
    """Text without speech under it. Sounds in brackets and marked songs are not spoken."""
    speech = _speech(subject)
    for number, cue in subject.numbered():
        if _says(cue):
            first, last = us(cue.start), us(cue.end)
            heard = sum(min(end, last) - max(start, first) for start, end in _within(speech, first, last))
            if subject.too_little(heard, us(HEARD_S)):
                yield Finding(number, f"{seconds_text(heard)} of speech under it")


def uncaptioned(subject: Subject) -> Iterator[Finding]:
    """Speech without a cue, and where; it is no cue's fault."""
    shown = _merged([(us(cue.start), us(cue.end)) for cue in subject.cues if cue.end > cue.start and _written(cue)])
    for start, end in _speech(subject):
        at = start
        for cue_start, cue_end in (*_within(shown, start, end), (end, end)):
            if not subject.too_little(cue_start - at, us(LOST_S)):
                yield Finding(NO_CUE, f"{seconds_text(cue_start - at)} at {clock_text(at)}")
            at = max(at, cue_end)


def _written(cue: Cue) -> bool:
    return any(line.strip() for line in cue.lines)


def _says(cue: Cue) -> bool:
    text = " ".join(cue.lines).strip()
    return _SOUND.match(text) is None and _NOTES.search(text) is None


def _speech(subject: Subject) -> list[tuple[int, int]]:
    return _merged([(us(span.start), us(span.end)) for span in subject.speech or ()])


def _within(spans: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """Of spans in order that do not meet, those that lie between `start` and `end` with some part of theirs."""
    first = bisect_right(spans, start, key=lambda span: span[1])
    return spans[first:max(first, bisect_left(spans, end, key=lambda span: span[0]))]


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    made: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((start, end))
    return made
