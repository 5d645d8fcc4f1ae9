"""Subtitle files: one function per format, from cues to text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cp_whisperx.timeline import Cue


def srt(cues: Sequence[Cue]) -> str:
    """SubRip: numbered, comma before the milliseconds."""
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n" + "\n".join(cue.lines) + "\n\n"
        for number, cue in enumerate(cues, 1))


def vtt(cues: Sequence[Cue]) -> str:
    """WebVTT (W3C): text is escaped where it could be taken for markup."""
    body = "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n" + "\n".join(map(_escaped, cue.lines)) + "\n\n"
        for cue in cues)
    return "WEBVTT\n\n" + body


FORMATS: dict[str, Callable[[Sequence[Cue]], str]] = {"srt": srt, "vtt": vtt}
"""By file name suffix."""


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    hours, rest = divmod(whole, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds_, thousandths = divmod(rest, 1000)
    return f"{hours:02d}:{minutes:02d}:{seconds_:02d}{point}{thousandths:03d}"
