"""SubRip: numbered cues, a comma before the milliseconds. There is no standard; players know <i> and {\\an8}."""

from __future__ import annotations

from cp_whisperx.subtitles.formats.sheet import Sheet, clock, runs_of
from cp_whisperx.timeline import Cue


def srt(sheet: Sheet) -> str:
    return "".join(f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{_text(cue)}\n\n"
                   for number, cue in enumerate(sheet.cues, 1))


def _text(cue: Cue) -> str:
    # A tag over several lines is lost by players that draw line by line.
    lines = ["".join(f"<i>{text}</i>" if slanted else text for text, slanted in runs) for runs in runs_of(cue)]
    return ("{\\an8}" if cue.top else "") + "\n".join(lines)
