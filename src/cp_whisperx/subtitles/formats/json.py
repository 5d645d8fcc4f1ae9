"""Cues and their words for programs; times in seconds, rounded to milliseconds."""

from __future__ import annotations

from json import dumps
from typing import Any

from cp_whisperx.subtitles.formats.sheet import Sheet, lines_of, words_of
from cp_whisperx.timeline import Cue, Word, ms


def json(sheet: Sheet) -> str:
    cues = [_cue(number, cue, words) for number, (cue, words)
            in enumerate(zip(sheet.cues, words_of(sheet.cues, sheet.words), strict=True), 1)]
    return dumps({"language": sheet.language, "title": sheet.title, "frame_rate": sheet.frame_rate, "cues": cues},
                 ensure_ascii=False, indent=1) + "\n"


def _cue(number: int, cue: Cue, words: list[Word]) -> dict[str, Any]:
    return {"number": number, "start": ms(cue.start), "end": ms(cue.end), "lines": lines_of(cue),
            "speakers": list(cue.speakers), "italic": cue.italic, "slanted": list(cue.slanted), "top": cue.top,
            "words": [{"start": ms(word.start), "end": ms(word.end), "text": word.text.strip(),
                       "probability": round(word.probability, 3), "timing": word.timing,
                       "confidence": word.confidence, "speaker": word.speaker} for word in words]}
