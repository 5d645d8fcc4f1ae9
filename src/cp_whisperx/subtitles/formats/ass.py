"""Advanced SubStation Alpha: two styles (foot and top of the picture), in the look of a broadcaster's subtitle."""

from __future__ import annotations

from cp_whisperx.subtitles.formats.sheet import Sheet, milliseconds, runs_of
from cp_whisperx.timeline import Cue

_STYLE = ("Name", "Fontname", "Fontsize", "PrimaryColour", "SecondaryColour", "OutlineColour", "BackColour", "Bold",
          "Italic", "Underline", "StrikeOut", "ScaleX", "ScaleY", "Spacing", "Angle", "BorderStyle", "Outline",
          "Shadow", "Alignment", "MarginL", "MarginR", "MarginV", "Encoding")
_LOOK = {
    "Fontname": "Arial", "Fontsize": "54", "PrimaryColour": "&H00FFFFFF", "SecondaryColour": "&H00FFFFFF",
    "OutlineColour": "&H00000000", "BackColour": "&H80000000", "ScaleX": "100", "ScaleY": "100", "BorderStyle": "1",
    "Outline": "3", "Shadow": "1", "MarginL": "192", "MarginR": "192", "MarginV": "54", "Encoding": "1",
}
"""For a picture of 1920 by 1080: lines of 5 % of its height, a tenth of its width free at either side."""
_FOOT, _TOP = "Default", "Top"
_ALIGNMENT = {_FOOT: "2", _TOP: "8"}


def ass(sheet: Sheet) -> str:
    styles = "".join(
        "Style: " + ",".join({"Name": name, "Alignment": _ALIGNMENT[name], **_LOOK}.get(field, "0")
                             for field in _STYLE) + "\n" for name in _ALIGNMENT)
    return (f"[Script Info]\nTitle: {' '.join(sheet.title.split())}\nScriptType: v4.00+\nWrapStyle: 2\n"
            f"ScaledBorderAndShadow: yes\nPlayResX: 1920\nPlayResY: 1080\n\n"
            f"[V4+ Styles]\nFormat: {', '.join(_STYLE)}\n{styles}\n"
            "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
            + "".join(_dialogue(cue, sheet) for cue in sheet.cues))


def _dialogue(cue: Cue, sheet: Sheet) -> str:
    lines = ["".join(f"{{\\i1}}{_escaped(text)}{{\\i0}}" if slanted and not cue.italic else _escaped(text)
                     for text, slanted in runs) for runs in runs_of(cue)]
    lines = [_coloured(line, sheet.colours.get(speaker)) for line, speaker
             in zip(lines, sheet.voices(cue, len(lines)), strict=True)]
    text = ("{\\i1}" if cue.italic else "") + "\\N".join(lines)
    who = " / ".join(dict.fromkeys(sheet.names[speaker] for speaker in cue.speakers if speaker in sheet.names))
    who = " ".join(who.replace(",", " ").split())
    style = _TOP if cue.top else _FOOT
    return f"Dialogue: 0,{_clock(cue.start)},{_clock(cue.end)},{style},{who},0,0,0,,{text}\n"


def _coloured(line: str, colour: str | None) -> str:
    """`colour` is #RRGGBB; the format has blue first."""
    if colour is None:
        return line
    return f"{{\\c&H{colour[5:7]}{colour[3:5]}{colour[1:3]}&}}{line}{{\\c}}"


def _escaped(line: str) -> str:
    """A brace would open an override, a backslash an escape: a word joiner behind it keeps it one of text."""
    return line.replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")


def _clock(seconds: float) -> str:
    """Hundredths, rounded down like the frame times that they come from: no cue moves to another frame."""
    rest, hundredths = divmod(milliseconds(seconds) // 10, 100)
    rest, whole = divmod(rest, 60)
    hours, minutes = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{whole:02d}.{hundredths:02d}"
