"""SubRip as it is found: a line of times makes a cue; numbers, hours, milliseconds and blank lines may be missing."""

from __future__ import annotations

import re

from cp_whisperx.subtitles.reading.found import Notes, Parsed
from cp_whisperx.subtitles.reading.markup import plain
from cp_whisperx.timeline import Cue

_CLOCK = r"(-?)\s*(?:(\d{1,5})\s*:\s*)?(\d{1,5})\s*:\s*(\d{1,5})(?:\s*[,.:;]\s*(\d{1,9}))?"
_TIMES = re.compile(rf"^[^\S\n]*{_CLOCK}[^\S\n]*-{{1,3}}\s?>[^\S\n]*{_CLOCK}([^\S\n].*)?$")
_STRICT = re.compile(r"\d{2,}:[0-5]\d:[0-5]\d,\d{3} --> \d{2,}:[0-5]\d:[0-5]\d,\d{3}")


_LONGEST = 300
"""Characters of a line of times, with the positions that some programs put behind them."""


def is_srt(text: str) -> bool:
    return any(_times(line) for line in text.split("\n"))


def _times(line: str) -> re.Match[str] | None:
    if len(line) > _LONGEST or not ("->" in line or "- >" in line):
        return None
    return _TIMES.match(line)


def srt(text: str, notes: Notes, frame_rate: float | None = None) -> Parsed:
    lines = text.split("\n")
    at = [(row, found) for row, line in enumerate(lines) if (found := _times(line))]
    if at and any(line.strip() for line in lines[:max(0, at[0][0] - 1)]):
        notes.add("text before the first cue was left out")
    cues: list[Cue] = []
    for number, (row, found) in enumerate(at, 1):
        until = at[number][0] if number < len(at) else len(lines)
        body = lines[row + 1:until]
        # The line right above the next times is its number, if it is one.
        if number < len(at) and body and body[-1].strip().isdigit():
            body.pop()
        _note_form(lines, row, number, notes)
        cues.append(_cue(found, body, number, notes))
    return Parsed(tuple(cues))


def _note_form(lines: list[str], row: int, number: int, notes: Notes) -> None:
    if not _STRICT.fullmatch(lines[row].rstrip()):
        notes.add("times not written as 00:00:00,000 --> 00:00:00,000", number)
    above = lines[row - 1].strip() if row else ""
    if not above.isdigit():
        notes.add("cues without a number", number)


def _cue(found: re.Match[str], body: list[str], number: int, notes: Notes) -> Cue:
    while body and not body[-1].strip():
        body.pop()
    if any(not line.strip() for line in body):
        notes.add("blank lines inside the text", number)
    shown = plain("\n".join(body))
    if shown.removed:
        notes.add("markup was left out", number)
    start, end = seconds(found.groups()[:5]), seconds(found.groups()[5:10])
    return Cue(start, end, shown.lines, italic=shown.italic, slanted=shown.slanted, top=shown.top)


def seconds(parts: tuple[str | None, ...]) -> float:
    """Of sign, hours, minutes, seconds, and the decimals of the seconds."""
    sign, hours, minutes, whole, decimals = parts
    total = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(whole or 0) + float(f"0.{decimals or 0}")
    return round(-total if sign else total, 3)
