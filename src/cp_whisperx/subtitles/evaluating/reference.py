"""Reads what subtitles are measured against: any subtitle file, STM, RTTM or plain text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx import rttm
from cp_whisperx.errors import ConfigError
from cp_whisperx.subtitles import reading
from cp_whisperx.timeline import Span, Turn

_LIMIT_S = 1e7


@dataclass(frozen=True, slots=True, order=True)
class Utterance(Span):
    text: str
    speaker: str = ""


@dataclass(frozen=True)
class Reference:
    """`utterances` have times and text, `text` is all of it; `turns` say who speaks. What is not known is empty."""

    text: str = ""
    utterances: tuple[Utterance, ...] = ()
    turns: tuple[Turn, ...] = ()

    @property
    def speech(self) -> tuple[Span, ...]:
        """Where it says that somebody speaks, without overlaps."""
        return merged(self.utterances or self.turns)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time, in order and without overlaps."""
    made: list[Span] = []
    for span in sorted(Span(one.start, one.end) for one in spans if one.end > one.start):
        if made and span.start <= made[-1].end:
            made[-1] = Span(made[-1].start, max(made[-1].end, span.end))
        else:
            made.append(span)
    return tuple(made)


def read_reference(path: Path) -> Reference:
    """By the suffix: .stm, .rttm, .txt; anything else is read as a subtitle file. Raises MediaError or ConfigError."""
    suffix = path.suffix.lower()
    if suffix == ".rttm":
        return Reference(turns=rttm.read(path))
    if suffix == ".stm":
        return _stm(path)
    if suffix == ".txt":
        return Reference(text=_text(path))
    return of_cues(reading.read(path))


def of_cues(found: reading.Found) -> Reference:
    """A line with a speaker of its own is an utterance of the cue's whole time."""
    made = [Utterance(cue.start, cue.end, line, speaker) for cue in found.cues if cue.end > cue.start
            for line, speaker in (zip(cue.lines, cue.speakers, strict=True) if len(set(cue.speakers)) > 1
                                  and len(cue.speakers) == len(cue.lines)
                                  else ((" ".join(cue.lines), next(iter(cue.speakers), "")),))]
    return Reference(" ".join(one.text for one in made), tuple(sorted(made)), _turns(made))


def read_names(path: Path) -> tuple[str, ...]:
    """One name a line; `#` begins a comment."""
    names = (re.split(r"(?:^|\s)#", line)[0].strip() for line in _text(path).splitlines())
    return tuple(dict.fromkeys(name for name in names if name))


def _turns(utterances: list[Utterance]) -> tuple[Turn, ...]:
    if not all(one.speaker for one in utterances):
        return ()
    return tuple(sorted(Turn(one.start, one.end, one.speaker) for one in utterances))


def _stm(path: Path) -> Reference:
    """NIST's segment time mark: `file channel speaker start end [<label>] text`; `;;` begins a comment."""
    made = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        fields = line.split(None, 5)
        if not fields or line.lstrip().startswith(";;"):
            continue
        try:
            start, end = float(fields[3]), float(fields[4])
        except (IndexError, ValueError):
            start = end = math.nan
        if not 0 <= start <= end <= _LIMIT_S:
            raise ConfigError(f"{path} is no STM: line {number}",
                              hint="each line reads: file channel speaker start end text, times in seconds")
        text = re.sub(r"^<[^<>]*>\s*", "", fields[5] if len(fields) > 5 else "")
        if text.strip() != "ignore_time_segment_in_scoring":
            made.append(Utterance(start, end, text, fields[2]))
    return Reference(" ".join(one.text for one in made), tuple(sorted(made)), _turns(made))


def _text(path: Path) -> str:
    return reading.text_of(reading.bytes_of(path), path.name)
