"""Subtitle files: one module per format, each with a function from a sheet to text, and the table of them.

Adding a format is a module and a row of `FORMATS`. Where a format prescribes UTF-8 (WebVTT, IMSC, JSON), another
encoding that was asked for holds for the others alone.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cp_whisperx import publish
from cp_whisperx.errors import ConfigError
from cp_whisperx.subtitles.formats.ass import ass
from cp_whisperx.subtitles.formats.json import json
from cp_whisperx.subtitles.formats.sheet import Sheet
from cp_whisperx.subtitles.formats.srt import srt
from cp_whisperx.subtitles.formats.transcript import transcript
from cp_whisperx.subtitles.formats.ttml import ttml
from cp_whisperx.subtitles.formats.vtt import vtt

__all__ = ("ENCODINGS", "FLAVOURS", "FORMATS", "NEWLINES", "Format", "Sheet", "encoded", "file_name", "write")

Flavour = Literal["", "forced", "sdh"]
Newline = Literal["lf", "crlf"]

FLAVOURS: tuple[Flavour, ...] = ("", "forced", "sdh")
"""Tags that media servers know: only what is foreign to the film's language, or for the deaf and hard of hearing."""
NEWLINES: dict[Newline, str] = {"lf": "\n", "crlf": "\r\n"}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp1250", "cp1251", "cp1253",
             "cp1254", "cp1256", "iso-8859-1", "iso-8859-15")
"""What is offered; utf-8-sig and utf-16 begin with a byte order mark."""


@dataclass(frozen=True)
class Format:
    """`text` makes the file's text with line feeds; `utf8`: the format allows no other encoding."""

    suffix: str
    about: str
    text: Callable[[Sheet], str]
    utf8: bool = False


FORMATS: dict[str, Format] = {
    "srt": Format("srt", "SubRip", srt),
    "vtt": Format("vtt", "WebVTT", vtt, utf8=True),
    "ass": Format("ass", "Advanced SubStation Alpha, with a style", ass),
    "ttml": Format("ttml", "TTML, IMSC 1.1 text profile", ttml, utf8=True),
    "txt": Format("txt", "plain transcript, a paragraph for each speaker or stretch of speech", transcript),
    "json": Format("json", "cues with their words", json, utf8=True),
}
"""By the name that `--format` takes."""


def file_name(name: str, language: str, suffix: str, flavour: Flavour = "") -> str:
    """As media servers look for it beside the film: `Film.hi.srt`, `Film.hi.forced.srt`, `Film.en.sdh.srt`."""
    tags = [tag for tag in ("" if language == "und" else language, flavour) if tag]
    return ".".join((name, *tags, suffix))


def encoded(text: str, encoding: str = "utf-8", newline: Newline = "lf") -> bytes:
    """Raises ConfigError that names the first character which `encoding` lacks, or that there is no such encoding."""
    if encoding.lower() not in ENCODINGS:
        raise ConfigError(f"{encoding} is no encoding for subtitles", hint=f"there are {', '.join(ENCODINGS)}")
    try:
        return codecs.encode(text.replace("\n", NEWLINES[newline]), encoding)
    except UnicodeEncodeError as error:
        lacked = text.replace("\n", NEWLINES[newline])[error.start]
        raise ConfigError(f"{lacked} (U+{ord(lacked):04X}) cannot be written in {encoding}",
                          hint="utf-8 has every character; utf-8-sig adds the mark that old players ask for") from None


def write(sheet: Sheet, formats: Sequence[str], folder: Path, name: str, *, flavour: Flavour = "",
          encoding: str = "utf-8", newline: Newline = "lf") -> dict[str, Path]:
    """One file in `folder` for each format, each appearing whole or not at all; paths by format.

    Raises ConfigError before anything is written if a format or encoding is unknown or lacks a character.
    """
    data: dict[str, bytes] = {}
    for wanted in dict.fromkeys(formats):
        if wanted not in FORMATS:
            raise ConfigError(f"{wanted} is no format of ours", hint=f"there are {', '.join(FORMATS)}")
        form = FORMATS[wanted]
        data[wanted] = encoded(form.text(sheet), "utf-8" if form.utf8 else encoding, newline)
    paths = {wanted: folder / file_name(name, sheet.language, FORMATS[wanted].suffix, flavour) for wanted in data}
    for wanted, path in paths.items():
        publish.publish_file(path, data[wanted])
    return paths


def by_suffix(path: Path) -> str:
    """The format that a file's name asks for. Raises ConfigError if there is none."""
    suffix = re.sub(r"^\.", "", path.suffix.lower())
    found = {form.suffix: name for name, form in FORMATS.items()} | {"dfxp": "ttml", "xml": "ttml", "ssa": "ass"}
    if suffix not in found:
        raise ConfigError(f"{path.name} has no suffix that names a format",
                          hint=f"end it in one of {', '.join('.' + form.suffix for form in FORMATS.values())}")
    return found[suffix]
