"""WebVTT (W3C): text is escaped where it could be taken for markup; voices and colours as its own tags."""

from __future__ import annotations

from cp_whisperx.subtitles.formats.sheet import Sheet, clock, runs_of
from cp_whisperx.timeline import Cue


def vtt(sheet: Sheet) -> str:
    classes = {speaker: f"s{number}" for number, speaker in enumerate(sheet.colours, 1)}
    style = "".join(f"::cue(.{classes[speaker]}) {{ color: {colour} }}\n"
                    for speaker, colour in sheet.colours.items())
    head = "WEBVTT\n\n" + (f"STYLE\n{style}\n" if style else "")
    return head + "".join(
        f"{clock(cue.start, '.')} --> {clock(cue.end, '.')}{' line:0' if cue.top else ''}\n"
        f"{_text(cue, sheet, classes)}\n\n" for cue in sheet.cues)


def _text(cue: Cue, sheet: Sheet, classes: dict[str, str]) -> str:
    # Of a cue in italics the tag is put around all lines below.
    lines = ["".join(f"<i>{_escaped(text)}</i>" if slanted and not cue.italic else _escaped(text)
                     for text, slanted in runs) for runs in runs_of(cue)]
    voices = sheet.voices(cue, len(lines))
    if len(set(voices)) == 1:
        lines, voices = ["\n".join(lines)], voices[:1]
    return "\n".join(_voiced(_slanted(line, cue), speaker, sheet.names.get(speaker), classes)
                     for line, speaker in zip(lines, voices, strict=True))


def _slanted(text: str, cue: Cue) -> str:
    return f"<i>{text}</i>" if cue.italic else text


def _voiced(text: str, speaker: str, name: str | None, classes: dict[str, str]) -> str:
    if speaker in classes:
        text = f"<c.{classes[speaker]}>{text}</c>"
    return f"<v {_escaped(' '.join(name.split()))}>{text}</v>" if name else text


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
