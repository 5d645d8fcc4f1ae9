"""Our own JSON form read back (formats/json.py)."""

from __future__ import annotations

import json as library
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from cp_whisperx.errors import MediaError
from cp_whisperx.subtitles.reading.found import Notes, Parsed
from cp_whisperx.timeline import Cue


class _Cue(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    start: float
    end: float
    lines: list[str]
    speakers: list[str] = []
    italic: bool = False
    top: bool = False
    slanted: list[int] = []


def is_json(text: str) -> bool:
    return text.lstrip()[:1] == "{" and '"cues"' in text


def json(text: str, notes: Notes, frame_rate: float | None = None) -> Parsed:
    try:
        tree: Any = library.loads(text)
        cues = [_Cue.model_validate(cue) for cue in tree["cues"]]
        rate = tree.get("frame_rate")
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        raise MediaError("this JSON does not hold subtitles in our form",
                         hint="cp-whisperx run FILM --format json makes such files") from None
    limit = 1e7
    return Parsed(tuple(Cue(max(-limit, min(limit, cue.start)), max(-limit, min(limit, cue.end)), tuple(cue.lines),
                            tuple(cue.speakers), italic=cue.italic, top=cue.top, slanted=tuple(cue.slanted))
                        for cue in cues),
                  frame_rate=float(rate) if isinstance(rate, int | float) and 5 <= rate <= 240 else None)
