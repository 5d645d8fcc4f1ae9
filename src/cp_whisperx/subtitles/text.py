"""Text as a reader counts it: extended grapheme clusters of Unicode Standard Annex 29, with Indic conjuncts (GB9c).

The rules are a regular expression, as in table 1c of the annex, over the code points of graphemes.txt: no library
that knows conjuncts is under a megabyte, and the whole table has seven kilobytes. Of Unicode 18, as `regex` 2026.11
has it: a linker holds the consonant behind it whatever stands before.
"""

from __future__ import annotations

import functools
import re
from importlib import resources

_ZWJ = "\u200d"
_ZWNJ = "\u200c"


def clusters(text: str) -> list[str]:
    """`text` in the characters that a reader sees: a letter with its marks, a conjunct, an emoji of several parts."""
    if text.isascii() and "\r" not in text:
        return list(text)
    return _cluster().findall(text)


def width(text: str) -> int:
    """How many characters a reader counts."""
    return len(text) if text.isascii() and "\r" not in text else len(_cluster().findall(text))


def pieces(text: str, longest: int) -> list[str]:
    """`text` cut into pieces of at most `longest` characters, never inside one; `['']` for no text."""
    found = clusters(text)
    return ["".join(found[start:start + longest]) for start in range(0, len(found), longest)] or [""]


@functools.cache
def _cluster() -> re.Pattern[str]:
    sets = _sets()
    extend = f"[{sets['Extend']}{_ZWJ}]"
    linked = f"(?:(?!{_ZWNJ}){extend})*[{sets['InCB_Consonant']}]"
    open_syllables = "".join(map(chr, range(0xAC00, 0xD7A4, 28)))
    core = (
        f"[{sets['InCB_Linker']}]{linked}",
        f"[{sets['L']}]*(?:[{sets['V']}{open_syllables}][{sets['V']}]*|[\uac00-\ud7a3])[{sets['T']}]*",
        f"[{sets['L']}]+",
        f"[{sets['T']}]+",
        "[\U0001f1e6-\U0001f1ff]{2}",
        f"[{sets['Extended_Pictographic']}](?:[{sets['Extend']}]*{_ZWJ}[{sets['Extended_Pictographic']}])*",
        f"[^{sets['Control']}\r\n]",
    )
    after = f"(?:(?={extend})[{sets['InCB_Linker']}]{linked}|{extend}|[{sets['SpacingMark']}])*"
    return re.compile(f"\r\n|[{sets['Control']}\r\n]|[{sets['Prepend']}]*(?:{'|'.join(core)}){after}")


def _sets() -> dict[str, str]:
    """The inside of a character class for each property."""
    made: dict[str, str] = {}
    name = ""
    for line in resources.files(__package__).joinpath("graphemes.txt").read_text(encoding="ascii").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            made[name] = ""
        elif not line.startswith("#"):
            made[name] = made.get(name, "") + "".join(map(_range, line.split()))
    return made


def _range(points: str) -> str:
    first, _, last = points.partition("-")
    return rf"\U{first:0>8}-\U{last or first:0>8}"
