"""From words to tokens: the smallest parts that a line or a cue is made of, with what lies between them."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from cp_whisperx.subtitles import breaks
from cp_whisperx.subtitles.breaks import Break
from cp_whisperx.subtitles.text import pieces, width
from cp_whisperx.timeline import Word

_ELLIPSES = ("...", "…")
_NO_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "IDEOGRAPHIC")
"""Scripts, as the names of characters begin, that put no space between words."""


@dataclass(frozen=True, slots=True)
class Token:
    """`words`: positions of the first word and of the one behind the last. Times in seconds, in order.

    `behind` is what lies between this token and the next; `spaced` whether a space stands before it.
    `ends_turn`: another speaker, a song or another place of the film comes next, or a long pause.
    """

    text: str
    width: int
    spaced: bool
    start: float
    end: float
    words: tuple[int, int]
    speaker: str
    sung: bool
    behind: Break


def tokens(words: Sequence[Word], longest: int, language: breaks.Language, *, ellipsis: str = "…",
           names: Collection[str] = (), sung: Collection[int] = (), leave_out: bool = False) -> list[Token]:
    """`longest`: more characters than that do not fit on a line, so a longer word becomes several tokens.

    Times never run backwards. A word without a speaker has that of the word before it, or of the first one known.
    With `leave_out` the words at the positions `sung` are left out.
    """
    speaker = next((word.speaker for word in words if word.speaker), "")
    made: list[Token] = []
    clock = 0.0
    for position, word in enumerate(words):
        speaker = word.speaker or speaker
        text = _with_ellipsis(word.text.strip(), ellipsis)
        if not text or (leave_out and position in sung):
            continue
        start = max(word.start, clock)
        clock = start
        spaced = word.text[0].isspace() and bool(made)
        parts = pieces(text, longest)
        step = max(0.0, word.end - start) / len(parts)
        for number, part in enumerate(parts):
            made.append(Token(part, width(part), spaced and number == 0, start + number * step,
                              start + (number + 1) * step, (position, position + 1), speaker, position in sung,
                              Break.PLAIN))
    glued = _glued(made, longest)
    between = breaks.between([token.text for token in glued], language, names)
    return _steady([replace(token, behind=behind) for token, behind in zip(glued, between, strict=True)])


def _steady(parts: list[Token]) -> list[Token]:
    """One word of another speaker inside a sentence is an error of a few frames in a turn, not an answer."""
    for position in range(1, len(parts) - 1):
        before, token, after = parts[position - 1:position + 2]
        inside = before.behind > Break.CLAUSE and token.behind > Break.CLAUSE
        if inside and before.speaker == after.speaker != token.speaker and before.sung == token.sung:
            parts[position] = replace(token, speaker=before.speaker)
    return parts


def _glued(parts: Sequence[Token], longest: int) -> list[Token]:
    """Tokens that are written as one word become one, where the script has spaces and a line has room."""
    made: list[Token] = []
    for part in parts:
        last = made[-1] if made else None
        if last and not part.spaced and part.words != last.words:
            text = last.text + part.text
            wide = width(text)
            # Marks belong to the letter before them, whoever is said to speak them.
            marks = wide < last.width + part.width
            same = (last.speaker, last.sung) == (part.speaker, part.sung) and not _may_divide(last.text, part.text)
            if (marks or same) and wide <= longest:
                made[-1] = replace(last, text=text, width=wide, end=max(last.end, part.end),
                                   words=(last.words[0], part.words[1]))
                continue
        made.append(part)
    return made


def _may_divide(before: str, after: str) -> bool:
    """True between two characters of a script without spaces."""
    if before[-1].isascii() or after[0].isascii():
        return False
    names = (unicodedata.name(before[-1], ""), unicodedata.name(after[0], ""))
    return any(name.startswith(_NO_SPACES) for name in names)


def _with_ellipsis(text: str, ellipsis: str) -> str:
    for other in _ELLIPSES:
        if other != ellipsis:
            text = text.replace(other, ellipsis)
    return text
