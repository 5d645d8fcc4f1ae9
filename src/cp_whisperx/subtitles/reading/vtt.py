"""WebVTT (W3C), and what calls itself so: cues end at a blank line, notes and styles are skipped."""

from __future__ import annotations

import html
import re

from cp_whisperx.subtitles.reading.found import Notes, Parsed
from cp_whisperx.subtitles.reading.markup import plain
from cp_whisperx.subtitles.reading.srt import seconds
from cp_whisperx.timeline import Cue

_CLOCK = r"(-?)(?:(\d{1,5}):)?(\d{1,3}):(\d{1,3})(?:[.,](\d{1,9}))?"
_TIMES = re.compile(rf"^\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s+(.*))?$")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>\n]{1,200})>")
_TOP = re.compile(r"(?:^|\s)line:(\d{1,3})(%?)(?:,|\s|$)")


def is_vtt(text: str) -> bool:
    return re.match(r"\s*WEBVTT(?:\s|$)", text) is not None


def vtt(text: str, notes: Notes, frame_rate: float | None = None) -> Parsed:
    cues: list[Cue] = []
    for block in re.split(r"\n[^\S\n]*(?:\n[^\S\n]*)+", text.strip("\n ")):
        lines = block.split("\n")
        row = next((row for row, line in enumerate(lines[:3]) if "-->" in line), None)
        found = _TIMES.match(lines[row]) if row is not None else None
        if row is None or found is None:
            if not re.match(r"\s*(WEBVTT|NOTE|STYLE|REGION)\b", lines[0]):
                notes.add("text outside of cues was left out")
            continue
        cues += _cues(lines, row, found, len(cues), notes)
    return Parsed(tuple(cues))


def _cues(lines: list[str], row: int, found: re.Match[str], before: int, notes: Notes) -> list[Cue]:
    """The cue of a block; several if the blank line between them is missing."""
    made: list[Cue] = []
    while True:
        after = next((next_ for next_ in range(row + 1, len(lines)) if _TIMES.match(lines[next_])), len(lines))
        made.append(_cue(found, lines[row + 1:after], before + len(made) + 1, notes))
        if after == len(lines):
            return made
        notes.add("no blank line before the cue", before + len(made) + 1)
        again = _TIMES.match(lines[after])
        assert again is not None
        row, found = after, again


def _cue(found: re.Match[str], body: list[str], number: int, notes: Notes) -> Cue:
    text = "\n".join(body)
    voices = [html.unescape(" ".join(name.split())) for name in _VOICE.findall(text)]
    shown = plain(_VOICE.sub("", text).replace("</v>", ""), entities=True)
    if shown.removed:
        notes.add("markup was left out", number)
    start, end = seconds(found.groups()[:5]), seconds(found.groups()[5:10])
    return Cue(start, end, shown.lines, _speakers(voices, len(shown.lines)), italic=shown.italic, slanted=shown.slanted,
               top=shown.top or _is_top(found.group(11) or ""))


def _speakers(voices: list[str], lines: int) -> tuple[str, ...]:
    if len(voices) == 1:
        return (voices[0],) * lines
    return tuple(voices) if len(voices) == lines else ()


def _is_top(settings: str) -> bool:
    """`line:` counts lines from the top, or is a share of the picture's height."""
    found = _TOP.search(settings)
    return found is not None and int(found.group(1)) < (50 if found.group(2) else 8)
