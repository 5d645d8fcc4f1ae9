"""Figures in texts that people write: filled in between marks, and found where somebody typed one.

    all ten images have <!-- figure: set-unpacked -->352.1 MB<!-- /figure -->

A whole table stands on lines of its own between <!-- table: NAME --> and <!-- /table -->.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cp_whisperx.errors import ConfigError
from cp_whisperx.images.report.measured import Reading
from cp_whisperx.images.report.table import Definition

_MARK = re.compile(r"<!-- figure: (?P<name>[\w.-]+) -->(?P<text>.*?)<!-- /figure -->")
_TABLE = re.compile(r"^<!-- table: (?P<name>[\w.-]+) -->\n(?P<text>(?:(?!<!--).*\n)*?)<!-- /table -->$", re.MULTILINE)
_ANY = re.compile(r"<!-- /?(?:figure|table)\b")
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


def fill(text: str, readings: Mapping[str, Reading | None], file: str = "",
         tables: Mapping[str, str] | None = None) -> str:
    """The text with what was measured between its marks. `tables`: each as Markdown, by its name.

    Raises ConfigError for a mark that names no figure or table, or that is not closed: a figure's on its line.
    """
    def one(found: re.Match[str]) -> str:
        if found["name"] not in readings:
            raise ConfigError(f"{file}: there is no figure {found['name']!r}", hint="bench/report.toml lists them")
        return f"<!-- figure: {found['name']} -->{readings[found['name']] or NOT_MEASURED}<!-- /figure -->"

    def whole(found: re.Match[str]) -> str:
        if found["name"] not in (tables or {}):
            raise ConfigError(f"{file}: there is no table {found['name']!r}", hint="bench/report.toml lists them")
        return f"<!-- table: {found['name']} -->\n{(tables or {})[found['name']]}\n<!-- /table -->"

    if _ANY.search(_TABLE.sub("", _MARK.sub("", text))):
        raise ConfigError(f"{file}: a mark is not complete",
                          hint="as in <!-- figure: NAME -->…<!-- /figure -->, on one line")
    return _TABLE.sub(whole, _MARK.sub(one, text))


def used(text: str) -> tuple[str, ...]:
    return tuple(found["name"] for found in _MARK.finditer(text))


def used_tables(text: str) -> tuple[str, ...]:
    return tuple(found["name"] for found in _TABLE.finditer(text))


def unmarked(file: str, text: str, definitions: Iterable[Definition]) -> tuple[Found, ...]:
    """What looks measured in a text and stands neither between marks nor in a definition's text."""
    allowed = [one.text for one in definitions if one.file == file]
    found = []
    for number, line in enumerate(_without(text).splitlines(), 1):
        covered = [(start, start + len(one)) for one in allowed for start in _all(line, one)]
        found += [Found(file, number, one[0], line.strip()) for one in _MEASURED.finditer(line)
                  if not any(start <= one.start() and one.end() <= end for start, end in covered)]
    return tuple(found)


def _without(text: str) -> str:
    """What is not between marks, on the lines where it stands."""
    return _TABLE.sub(lambda found: "\n" * found[0].count("\n"), _MARK.sub("", text))


def _all(line: str, text: str) -> list[int]:
    return [found.start() for found in re.finditer(re.escape(text), line)]
