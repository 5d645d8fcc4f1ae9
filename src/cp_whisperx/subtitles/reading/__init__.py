"""Reads any subtitle file leniently: cues as they stand in it, and what was odd.

The content says which format it is, not the name. Nothing is repaired: times that run backwards, cues without text
and cues out of order come out as they are, for `check` to count and `fix` to mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from cp_whisperx.errors import MediaError
from cp_whisperx.subtitles.reading.ass import ass, is_ass
from cp_whisperx.subtitles.reading.encodings import decoded
from cp_whisperx.subtitles.reading.found import Found, Notes, Parsed
from cp_whisperx.subtitles.reading.json import is_json, json
from cp_whisperx.subtitles.reading.microdvd import is_microdvd, microdvd
from cp_whisperx.subtitles.reading.srt import is_srt, srt
from cp_whisperx.subtitles.reading.ttml import is_ttml, ttml
from cp_whisperx.subtitles.reading.vtt import is_vtt, vtt

__all__ = ("MAX_BYTES", "Found", "bytes_of", "parse", "read", "text_of")

MAX_BYTES = 32 << 20
"""The subtitles of a long film have 200 kB; styled karaoke has a few MB."""

_Reader = Callable[[str, Notes, float | None], Parsed]

READERS: dict[str, tuple[Callable[[str], bool], _Reader]] = {
    "vtt": (is_vtt, vtt),
    "ass": (is_ass, ass),
    "microdvd": (is_microdvd, microdvd),
    "ttml": (is_ttml, ttml),
    "json": (is_json, json),
    "srt": (is_srt, srt),
}
"""How each format is known, and its reader; the ones with the surest signs first."""


def read(path: Path, frame_rate: float | None = None) -> Found:
    """`frame_rate` counts for formats that count frames and do not say how fast.

    Raises MediaError in one sentence if the file is missing, too large, or no subtitle file.
    """
    return parse(bytes_of(path), path.name, frame_rate)


def bytes_of(path: Path) -> bytes:
    """At most one byte more than is allowed. Raises MediaError if there are none to be had."""
    try:
        # A pipe that nobody writes to would be waited for.
        if path.exists() and not path.is_file():
            raise MediaError(f"{path} is no file that can be read", hint="give a subtitle file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{path} cannot be read: {reason}", hint="give a subtitle file") from None


def text_of(data: bytes, name: str) -> str:
    """The text of any text file, its encoding guessed if it must be. Raises MediaError if it is none."""
    return decoded(data, name, Notes())[0]


def parse(data: bytes, name: str, frame_rate: float | None = None) -> Found:
    """The same from the bytes of the file; `name` is for the sentence."""
    if len(data) > MAX_BYTES:
        raise MediaError(f"{name} has more than {MAX_BYTES >> 20} MB: no subtitle file is so large",
                         hint="pictures of text (PGS, VobSub) are not read")
    if not data.strip(b"\0\t\r\n \xef\xbb\xbf\xfe\xff"):
        raise MediaError(f"{name} is empty", hint="give a subtitle file that holds cues")
    notes = Notes()
    text, encoding = decoded(data, name, notes)
    kind = next((kind for kind, (fits, _) in READERS.items() if fits(text)), None)
    if kind is None:
        raise MediaError(f"{name} is no subtitle file that we know",
                         hint="known are " + ", ".join(READERS) + "; the times of cues must stand in it")
    parsed = READERS[kind][1](text, notes, frame_rate)
    for note in _order(parsed):
        notes.add(note)
    return Found(parsed.cues, kind, encoding, parsed.resolution_s, parsed.frame_rate, notes.all())


def _order(parsed: Parsed) -> Iterator[str]:
    cues = parsed.cues
    if any(after.start < before.start for before, after in pairwise(cues)):
        yield "cues stand out of order"
    if not cues:
        yield "no cues"
