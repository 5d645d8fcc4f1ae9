"""SubStation Alpha, SSA and ASS: columns in the order that the file's own Format line gives."""

from __future__ import annotations

import re

from cp_whisperx.subtitles.reading.found import Notes, Parsed
from cp_whisperx.subtitles.reading.markup import plain
from cp_whisperx.timeline import Cue

_COLUMNS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_CLOCK = re.compile(r"(-?)(\d{1,5}):(\d{1,3}):(\d{1,3})(?:[.:,](\d{1,3}))?")
_OPEN, _CLOSE = "\ue000", "\ue001"
_DRAWING = re.compile(r"\{[^{}]{0,200}\\p[1-9][^{}]{0,200}\}")


def is_ass(text: str) -> bool:
    return re.search(r"^[^\S\n]*(\[Script Info\]|\[Events\]|Dialogue:.*\d:\d\d:\d\d)", text,
                     re.IGNORECASE | re.MULTILINE) is not None


def ass(text: str, notes: Notes, frame_rate: float | None = None) -> Parsed:
    columns: tuple[str, ...] = _COLUMNS
    tops: set[str] = set()
    style_columns: list[str] = []
    section = ""
    cues: list[Cue] = []
    for line in text.split("\n"):
        key, _, value = line.strip().partition(":")
        key = key.strip().lower()
        if line.strip().startswith("["):
            section = line.strip().lower()
        elif key == "format":
            names = tuple(name.strip().lower() for name in value.split(","))
            if "style" in section and "event" not in section:
                style_columns = list(names)
            elif {"start", "end", "text"} <= set(names):
                columns = names
        elif key == "style":
            style = dict(zip(style_columns, map(str.strip, value.split(",")), strict=False))
            # ASS numbers places as a keypad does; SSA adds 4 for the top.
            if style.get("alignment", "2") in (("7", "8", "9") if "+" in section else ("5", "6", "7")):
                tops.add(style.get("name", "").lstrip("*"))
        elif key == "dialogue":
            _dialogue(value, columns, tops, cues, notes)
    return Parsed(tuple(cues), resolution_s=0.01)


def _dialogue(value: str, columns: tuple[str, ...], tops: set[str], cues: list[Cue], notes: Notes) -> None:
    fields = dict(zip(columns, value.split(",", len(columns) - 1), strict=False))
    start, end = (_CLOCK.match(fields.get(name, "").strip()) for name in ("start", "end"))
    if start is None or end is None:
        notes.add("dialogues without times were left out")
        return
    raw = fields.get("text", "")
    number = len(cues) + 1
    if _DRAWING.search(raw):
        notes.add("drawings were left out")
        return
    # Braces of the text (an escape of newer players) step aside while those of overrides are read.
    text = re.sub(r"\\[Nn]", "\n", raw).replace("\\h", "\u00a0").replace("\\{", _OPEN).replace("\\}", _CLOSE)
    shown = plain(text)
    lines = tuple(line.replace(_OPEN, "{").replace(_CLOSE, "}").replace("\\\u2060", "\\") for line in shown.lines)
    if shown.removed:
        notes.add("markup was left out", number)
    speaker = fields.get("name", "").strip() or fields.get("actor", "").strip()
    speakers: tuple[str, ...] = tuple(part.strip() for part in speaker.split(" / ")) if " / " in speaker \
        else (speaker,) * len(lines) if speaker else ()
    cues.append(Cue(_seconds(start), _seconds(end), lines, speakers if len(speakers) == len(lines) else (),
                    italic=shown.italic, slanted=shown.slanted,
                    top=shown.top or fields.get("style", "").strip().lstrip("*") in tops))


def _seconds(found: re.Match[str]) -> float:
    sign, hours, minutes, whole, decimals = found.groups()
    total = int(hours) * 3600 + int(minutes) * 60 + int(whole) + float(f"0.{decimals or 0}")
    return round(-total if sign else total, 3)
