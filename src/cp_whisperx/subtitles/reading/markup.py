"""Markup inside the text of a cue: what it says of the whole cue is kept, the rest leaves plain text."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_TAG = re.compile(r"</?(?:b|i|u|s|font|c|v|lang|ruby|rt|span|strong|em)\b[^<>\n]{0,200}>|<c\.[^<>\n]{0,200}>"
                  r"|<\d{1,2}:[\d:.]{4,12}>", re.IGNORECASE)
"""Tags that players act on; other things in angle brackets are shown as text."""
_OVERRIDE = re.compile(r"\{\\[^{}\n]{0,500}\}")
"""ASS, and what SubRip borrows of it: a brace with a backslash right behind it."""
_TOP = re.compile(r"\\an[789](?!\d)|\\a[567](?!\d)")
SLANT, UPRIGHT = "\x0e", "\x0f"
"""Put where italics begin and end while other markup is taken away; no entity can stand for them."""
_SLANT = re.compile(r"<i>|\{\\i1\}", re.IGNORECASE)
_UPRIGHT = re.compile(r"</i>|\{\\i0\}", re.IGNORECASE)


@dataclass(frozen=True)
class Plain:
    lines: tuple[str, ...]
    italic: bool
    slanted: tuple[int, ...]
    """As in a cue: empty if it is italic as a whole."""
    top: bool
    removed: bool
    """True if there was markup that plain text cannot keep."""


def plain(text: str, *, entities: bool = False) -> Plain:
    """`entities`: &amp; and its like stand for characters, as in WebVTT."""
    overrides = "".join(_OVERRIDE.findall(text))
    marked = text.replace(SLANT, "").replace(UPRIGHT, "")
    marked = _UPRIGHT.sub(UPRIGHT, _SLANT.sub(SLANT, marked))
    bare = _TAG.sub("", marked)
    if overrides:
        # One in the middle of a line stands between two spaces.
        bare = re.sub(r"[^\S\n]{2,}", " ", _OVERRIDE.sub("", bare))
    if entities:
        bare = html.unescape(bare)
    lines, italic, slanted = upright(bare)
    kept = re.sub(r"\{\\an?\d\}", "", marked)
    return Plain(lines, italic, slanted, _TOP.search(overrides) is not None,
                 bool(_TAG.search(kept) or _OVERRIDE.search(kept)))


def upright(text: str) -> tuple[tuple[str, ...], bool, tuple[int, ...]]:
    """The lines without the signs of italics; whether all words are in italics, and else the positions of which.

    A word is what its first letter or digit is; one without any is as its neighbours are.
    """
    lines: list[str] = []
    flags: list[bool | None] = []
    slant = False
    for line in text.split("\n"):
        for word in line.split():
            flag: bool | None = None
            for character in word:
                if character in (SLANT, UPRIGHT):
                    slant = character == SLANT
                elif flag is None and character.isalnum():
                    flag = slant
            if word.strip(SLANT + UPRIGHT):
                flags.append(flag)
        shown = line.replace(SLANT, "").replace(UPRIGHT, "").strip()
        if shown:
            lines.append(shown)
    said = [flag for flag in flags if flag is not None]
    if not any(said):
        return tuple(lines), False, ()
    if all(said):
        return tuple(lines), True, ()
    return tuple(lines), False, tuple(
        position for position, flag in enumerate(flags)
        if flag or (flag is None and all(flags[position - 1:position]) and all(flags[position + 1:position + 2])))
