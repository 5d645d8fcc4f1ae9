"""RTTM and UEM, the text forms in which turns, and the scored parts of a file, are exchanged.

RTTM: one turn a line, `SPEAKER file channel start duration <NA> <NA> speaker <NA> <NA>`, seconds (NIST Rich
Transcription 2009 evaluation plan, appendix A). UEM: `file channel start end`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from cp_whisperx.errors import ConfigError
from cp_whisperx.timeline import Span, Turn

_LIMIT_S = 1e7
"""No recording is longer; what is, is no time."""


def write(turns: Sequence[Turn], name: str) -> str:
    """The turns in order, as RTTM of the recording `name`. Spaces in names become underscores, as the form asks."""
    return "".join(
        f"SPEAKER {_field(name)} 1 {turn.start:.3f} {turn.end - turn.start:.3f} <NA> <NA> {_field(turn.speaker)} "
        "<NA> <NA>\n" for turn in sorted(turns))


def read(path: Path) -> tuple[Turn, ...]:
    """The turns of the one recording in the file, in order; lines of other types and turns without length are left out.

    Raises ConfigError if it is no RTTM.
    """
    turns = []
    for number, fields in _lines(path):
        if fields[0].upper() != "SPEAKER":
            if not re.fullmatch(r"[A-Z][A-Z0-9_-]*", fields[0]):
                raise _no(path, "RTTM", number)
            continue
        if len(fields) < 8:
            raise _no(path, "RTTM", number)
        start, duration = _time(path, "RTTM", number, fields[3]), _time(path, "RTTM", number, fields[4])
        if duration > 0:
            turns.append(Turn(start, round(start + duration, 6), fields[7]))
    return tuple(sorted(turns))


def read_uem(path: Path) -> tuple[Span, ...]:
    """The scored parts of the one recording in the file. Raises ConfigError if it is no UEM."""
    spans = []
    for number, fields in _lines(path):
        if len(fields) != 4:
            raise _no(path, "UEM", number)
        start, end = _time(path, "UEM", number, fields[2]), _time(path, "UEM", number, fields[3])
        if end < start:
            raise _no(path, "UEM", number)
        spans.append(Span(start, end))
    return tuple(sorted(spans))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of each line that holds something; `;;` and `#` begin a comment."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"{path} cannot be read: {reason}", hint="give a text file in UTF-8") from error
    for number, line in enumerate(text.splitlines(), 1):
        fields = re.split(r";;|^\s*#", line)[0].split()
        if fields:
            yield number, fields


def _time(path: Path, form: str, number: int, field: str) -> float:
    try:
        seconds = float(field)
    except ValueError:
        raise _no(path, form, number) from None
    if not math.isfinite(seconds) or not 0 <= seconds <= _LIMIT_S:
        raise _no(path, form, number)
    return seconds


def _no(path: Path, form: str, line: int) -> ConfigError:
    shape = {"RTTM": "SPEAKER file 1 start duration <NA> <NA> speaker <NA> <NA>", "UEM": "file 1 start end"}[form]
    return ConfigError(f"{path} is no {form}: line {line}", hint=f"each line reads: {shape}, times in seconds")


def _field(text: str) -> str:
    return re.sub(r"[\s;#]+", "_", text.strip()) or "_"
