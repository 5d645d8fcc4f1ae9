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
_ITALIC = re.compile(r"\s*(?:<i>[^<]*(?:<(?!/?i>)[^<]*)*</i>\s*)+|\s*\{\\i1\}[^{}]*(?:\{\\i0\}\s*)?",
                     re.IGNORECASE)
"""Nothing but italic text. There is one way to match it: with several, seeing that none does takes for ever."""


@dataclass(frozen=True)
class Plain:
    lines: tuple[str, ...]
    italic: bool
    top: bool
    removed: bool
    """True if there was markup that plain text cannot keep."""


def plain(text: str, *, entities: bool = False) -> Plain:
    """`entities`: &amp; and its like stand for characters, as in WebVTT."""
    overrides = "".join(_OVERRIDE.findall(text))
    italic = _ITALIC.fullmatch(re.sub(r"\{\\an?\d\}", "", text)) is not None
    bare = _TAG.sub("", text)
    if overrides:
        # One in the middle of a line stands between two spaces.
        bare = re.sub(r"[^\S\n]{2,}", " ", _OVERRIDE.sub("", bare))
    if entities:
        bare = html.unescape(bare)
    lines = tuple(line.strip() for line in bare.split("\n") if line.strip())
    kept = re.sub(r"</?i>|\{\\an?\d\}|\{\\i[01]\}", "", text, flags=re.IGNORECASE) if italic \
        else re.sub(r"\{\\an?\d\}", "", text)
    return Plain(lines, italic and bool(lines), _TOP.search(overrides) is not None,
                 bool(_TAG.search(kept) or _OVERRIDE.search(kept)))
