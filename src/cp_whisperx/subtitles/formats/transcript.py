"""A transcript to read: a paragraph for each stretch of speech, after the name of who speaks where it is known."""

from __future__ import annotations

from cp_whisperx.subtitles.formats.sheet import Sheet, lines_of

_PAUSE_S = 2.0
"""A longer silence begins a paragraph."""


def transcript(sheet: Sheet) -> str:
    paragraphs: list[tuple[str | None, list[str]]] = []
    heard_until = float("-inf")
    for cue in sheet.cues:
        lines = lines_of(cue)
        for line, voice in zip(lines, sheet.voices(cue, len(lines)), strict=True):
            speaker = sheet.names.get(voice)
            if not paragraphs or cue.start - heard_until > _PAUSE_S or paragraphs[-1][0] != speaker:
                paragraphs.append((speaker, []))
            paragraphs[-1][1].append(line)
            heard_until = cue.end
    return "\n".join(f"{f'{speaker}: ' if speaker else ''}{' '.join(lines)}\n" for speaker, lines in paragraphs)
