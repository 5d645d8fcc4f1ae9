"""Figures in texts that people write: filled in between marks, and found where somebody typed one.

    all ten images have <!-- figure: set-unpacked -->352.1 MB<!-- /figure -->
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cp_whisperx.errors import ConfigError
from cp_whisperx.images.report.measured import Reading
from cp_whisperx.images.report.table import Definition

_MARK = re.compile(r"<!-- figure: (?P<name>[\w.-]+) -->(?P<text>.*?)<!-- /figure -->")
_ANY = re.compile(r"<!-- /?figure\b")
_COUNTS = ("half an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|sixty|ninety|"
           "a hundred|hundreds of")
_UNITS = (r"[MGk]i?B|bytes|m?s|min|h|fps|seconds?|minutes?|hours?|days?|frames?|times|megabytes?|gigabytes?|kilobytes?|"
          "percent|per cent")
_MEASURED = re.compile(rf"(?<![\w.:/-])(?:\d[\d.,]*[\s-]?(?:(?:{_UNITS})\b|%|×)|\d[\d,]* of \d[\d,]*\b|"
                       rf"(?:{_COUNTS}) (?:{_UNITS})\b|(?:within|about|under|in|some|than) an? (?:{_UNITS})\b)",
                       re.IGNORECASE)
"""Digits or a word with a unit, a ratio, or a count of a count."""
NOT_MEASURED = "(not measured)"


@dataclass(frozen=True, slots=True)
class Found:
    """A text that looks measured, outside of any mark."""

    file: str
    line: int
    text: str
    context: str


def fill(text: str, readings: Mapping[str, Reading | None], file: str = "") -> str:
    """The text with what was measured between its marks.

    Raises ConfigError for a mark that names no figure, or that is not closed on its line.
    """
    def one(found: re.Match[str]) -> str:
        if found["name"] not in readings:
            raise ConfigError(f"{file}: there is no figure {found['name']!r}", hint="bench/report.toml lists them")
        return f"<!-- figure: {found['name']} -->{readings[found['name']] or NOT_MEASURED}<!-- /figure -->"

    if _ANY.search(_MARK.sub("", text)):
        raise ConfigError(f"{file}: a mark is not complete",
                          hint="as in <!-- figure: NAME -->…<!-- /figure -->, on one line")
    return _MARK.sub(one, text)


def used(text: str) -> tuple[str, ...]:
    return tuple(found["name"] for found in _MARK.finditer(text))


def unmarked(file: str, text: str, definitions: Iterable[Definition]) -> tuple[Found, ...]:
    """What looks measured in a text and stands neither between marks nor in a definition's text."""
    allowed = [one.text for one in definitions if one.file == file]
    found = []
    for number, line in enumerate(_MARK.sub("", text).splitlines(), 1):
        covered = [(start, start + len(one)) for one in allowed for start in _all(line, one)]
        found += [Found(file, number, one[0], line.strip()) for one in _MEASURED.finditer(line)
                  if not any(start <= one.start() and one.end() <= end for start, end in covered)]
    return tuple(found)


def _all(line: str, text: str) -> list[int]:
    return [found.start() for found in re.finditer(re.escape(text), line)]
