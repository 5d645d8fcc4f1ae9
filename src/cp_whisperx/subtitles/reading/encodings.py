"""From the bytes of a text file to its text, when nobody says in which encoding it is."""

from __future__ import annotations

import codecs

from cp_whisperx.errors import MediaError
from cp_whisperx.subtitles.reading.found import Notes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; that of UTF-32-LE begins with that of UTF-16-LE, so it comes first."""

_LEGACY = ("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "gb18030",
           "big5", "shift_jis", "euc_kr")
"""What subtitle files were written in before UTF-8; among all encodings there are, a guess errs more often."""

_SAMPLE = 65_536
"""Bytes from which an encoding is guessed: more makes it slower, not better."""


def decoded(data: bytes, name: str, notes: Notes) -> tuple[str, str]:
    """Text without byte order mark and with line feeds, and the encoding's name.

    By mark, else UTF-8 if it is valid, else UTF-16 if every other byte is zero, else guessed by how probable the
    text is. Bytes that do not fit are replaced by U+FFFD and noted. Raises MediaError if it is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark):], encoding, notes), encoding
    try:
        text = data.decode("utf-8")
        if "\0" not in text:
            return _lines(text), "ascii" if text.isascii() else "utf-8"
    except UnicodeDecodeError as error:
        # A file that is cut or damaged in one place is still UTF-8.
        if error.start > 200 and _is_mostly_utf8(data):
            return _lenient(data, "utf-8", notes), "utf-8"
    if (wide := _wide(data)) is not None:
        notes.add(f"no byte order mark: read as {wide}")
        return _lenient(data, wide, notes), wide
    if b"\0" in data[:_SAMPLE]:
        raise MediaError(f"{name} is no text", hint="pictures of text (PGS, VobSub) are not read")
    guess = _guess(data)
    notes.add(f"encoding guessed: {guess}")
    return _lenient(data, guess, notes), guess


def _lenient(data: bytes, encoding: str, notes: Notes) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        notes.add(f"bytes that are no {encoding} were replaced by U+FFFD")
    return _lines(text.removeprefix("\ufeff"))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_mostly_utf8(data: bytes) -> bool:
    """Letters of several bytes are at least twenty times as many as bytes that do not fit."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    return sum(ord(character) > 0x7F for character in text) >= 21 * wrong


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: the digits and colons of the times have one zero byte each, all at the same side."""
    sample = data[:_SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < len(sample) / 10 or min(even, odd) > max(even, odd) / 20:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _guess(data: bytes) -> str:
    import charset_normalizer

    # Numbers and times are the same in all encodings and only dilute the text that tells them apart.
    telling = b"\n".join(line for line in data.splitlines() if line.strip(b"0123456789:,.-> \t"))[:_SAMPLE]
    found = charset_normalizer.from_bytes(telling, cp_isolation=list(_LEGACY))
    if not found:
        return _LEGACY[0]
    # Where two are as probable, the one that more files are in.
    return min((round(match.chaos - match.coherence, 1), _LEGACY.index(match.encoding), match.encoding)
               for match in found)[2]
