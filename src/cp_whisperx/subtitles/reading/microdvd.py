"""MicroDVD: times in frames, whose rate the file seldom says."""

from __future__ import annotations

import re

from cp_whisperx.subtitles.reading.found import Notes, Parsed
from cp_whisperx.subtitles.reading.markup import plain
from cp_whisperx.timeline import Cue

_CUE = re.compile(r"^\s*\{(\d{1,9})\}\{(\d{0,9})\}(.*)$")
_RATE = re.compile(r"\s*(\d{1,3}(?:[.,]\d{1,6})?)\s*$")
_CONTROL = re.compile(r"\{[a-zA-Z]:[^{}]*\}")
_GUESS = 24000 / 1001
"""Films on disc in NTSC countries and on the web; PAL has 25."""


def is_microdvd(text: str) -> bool:
    return any(_CUE.match(line) for line in text.split("\n", 20)[:20])


def microdvd(text: str, notes: Notes, frame_rate: float | None) -> Parsed:
    found = [match for line in text.split("\n") if (match := _CUE.match(line))]
    rate, how = frame_rate, ""
    # By convention a first cue at frame 1 (or 0) that holds a number alone is the frame rate.
    if found and found[0][1] in ("0", "1") and (said := _RATE.match(found[0][3])):
        value = float(said[1].replace(",", "."))
        if 5 <= value <= 240:
            found, rate, how = found[1:], value, "the file says"
    if rate is None:
        rate, how = _GUESS, "guessed, as the file does not say it"
    notes.add(f"times in frames: {rate:.3f} per second{', ' + how if how else ''}")
    return Parsed(tuple(_cue(match, number, rate, notes) for number, match in enumerate(found, 1)),
                  frame_rate=rate)


def _cue(match: re.Match[str], number: int, rate: float, notes: Notes) -> Cue:
    start = int(match[1])
    end = int(match[2]) if match[2] else start
    if not match[2]:
        notes.add("no end", number)
    raw = match[3]
    italic = re.match(r"\s*\{Y:i\}", raw) is not None
    if _CONTROL.search(re.sub(r"\{[Yy]:i\}", "", raw)):
        notes.add("markup was left out", number)
    # A slash at the start of a line is an older sign for italics.
    lines = [line.removeprefix("/") for line in _CONTROL.sub("", raw).split("|")]
    return Cue(round(start / rate, 3), round(end / rate, 3), plain("\n".join(lines)).lines, italic=italic)
