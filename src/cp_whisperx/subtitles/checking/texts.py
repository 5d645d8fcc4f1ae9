"""Rules about what a cue says and how it is set."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from cp_whisperx.subtitles.checking.report import Finding
from cp_whisperx.subtitles.checking.subject import Subject
from cp_whisperx.subtitles.text import width
from cp_whisperx.timeline import Cue

_DASH = re.compile(r"[-\u2010\u2011\u2013\u2014](?![-\d\u2010-\u2014])\s*(?=\S)")
_DOTS = re.compile(r"\.{2,}")
_SIGNS = "♪♫♬♩#*"
_DIGITS = re.compile(r"(?<![\d.,:/$€£%+-])\d{1,3}(?![\d%]|[.,:/]\d)")
_JOINERS = "\u200d"
_NEVER_SHOWN = {"\ufffd", "\ufeff", "\u200b", "\ufffc"}
_BROKEN = re.compile("Ã[\u0080-\u00bf]|Â[\u0080-\u00bf]|â€|â\u0080|ï»¿|à¤|à¥|Ð[\u0080-\u00bf\u0400-\u045f]")
"""UTF-8 that was read as something else: é as Ã©, a curly quote as â€™, Devanagari as à¤…"""
_EAST_ASIAN = frozenset(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"))
_SCRIPTS = frozenset((
    "LATIN", "CYRILLIC", "GREEK", "DEVANAGARI", "ARABIC", "HEBREW", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA",
    "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "GEORGIAN",
    "ARMENIAN", "ETHIOPIC")) | _EAST_ASIAN
_SCRIPT_OF = {"hi": "DEVANAGARI", "mr": "DEVANAGARI", "ne": "DEVANAGARI", "ur": "ARABIC", "ar": "ARABIC",
              "fa": "ARABIC", "ru": "CYRILLIC", "uk": "CYRILLIC", "bg": "CYRILLIC", "el": "GREEK", "he": "HEBREW",
              "bn": "BENGALI", "pa": "GURMUKHI", "gu": "GUJARATI", "ta": "TAMIL", "te": "TELUGU", "kn": "KANNADA",
              "ml": "MALAYALAM", "si": "SINHALA", "th": "THAI", "ja": "EAST ASIAN", "zh": "EAST ASIAN",
              "ko": "EAST ASIAN"}


def empty(subject: Subject) -> Iterator[Finding]:
    for number, cue in subject.numbered():
        if not any(line.strip() for line in cue.lines):
            yield Finding(number, "no text")


def line_length(subject: Subject) -> Iterator[Finding]:
    for number, cue in subject.numbered():
        longest = max(map(width, cue.lines), default=0)
        if longest > subject.profile.max_cpl:
            yield Finding(number, str(longest))


def lines(subject: Subject) -> Iterator[Finding]:
    for number, cue in subject.numbered():
        if len(cue.lines) > subject.profile.max_lines:
            yield Finding(number, str(len(cue.lines)))


def divided(subject: Subject) -> Iterator[Finding]:
    """A line that begins with a mark of the character before it, or ends with a joiner of two."""
    for number, cue in subject.numbered():
        for line in cue.lines:
            if line and (unicodedata.category(line[0]).startswith("M") or line[0] in _JOINERS or line[-1] in _JOINERS):
                yield Finding(number, f"U+{ord(line[0]):04X} begins a line" if line[-1] not in _JOINERS
                              else "a joiner ends a line")
                break


def speaker_dash(subject: Subject) -> Iterator[Finding]:
    wanted = subject.profile.dash
    for number, cue in subject.numbered():
        found = [match.group() if (match := _DASH.match(line)) else "" for line in cue.lines]
        if not any(found):
            continue
        if len(cue.lines) == 1:
            yield Finding(number, "a dash, but one line")
        elif not all(found):
            yield Finding(number, "a line without a dash")
        elif not subject.profile.two_speakers:
            yield Finding(number, "two speakers in a cue")
        elif any(dash != wanted for dash in found):
            yield Finding(number, f"'{next(dash for dash in found if dash != wanted)}'")


def ellipsis(subject: Subject) -> Iterator[Finding]:
    wanted = subject.profile.ellipsis
    for number, cue in subject.numbered():
        found = [*_DOTS.findall(" ".join(cue.lines)), *re.findall("…", " ".join(cue.lines))]
        wrong = [one for one in found if one != wanted]
        if wrong:
            yield Finding(number, wrong[0])


def song(subject: Subject) -> Iterator[Finding]:
    """A sung cue is one that begins or ends with a sign for it; which words are sung, nobody can tell from a file."""
    profile = subject.profile
    sung = [_song_signs(cue) for cue in subject.cues]
    for number, (opening, closing) in enumerate(sung, 1):
        if not opening and not closing:
            continue
        following = sung[number] if number < len(sung) else ("", "")
        if profile.song_policy != "mark":
            yield Finding(number, f"marked with {opening or closing}")
        elif {opening, closing} - {"", profile.song_mark}:
            yield Finding(number, f"{({opening, closing} - {'', profile.song_mark}).pop()} as the sign")
        elif not opening:
            yield Finding(number, "no sign at the start")
        elif not closing and (profile.song_mark_end == "cue" or not any(following)):
            yield Finding(number, "no sign at the end")


def _song_signs(cue: Cue) -> tuple[str, str]:
    """The sign that a cue begins with, and the one it ends with; "" for none."""
    text = " ".join(cue.lines).strip()
    opening = re.match(rf"([{_SIGNS}])(?=\s|$)|([♪♫♬♩])", text)
    closing = re.search(rf"(?:(?<=\s)([{_SIGNS}])|([♪♫♬♩]))$", text)
    return (opening.group().strip() if opening else "", closing.group().strip() if closing and len(text) > 1 else "")


def numbers(subject: Subject) -> Iterator[Finding]:
    for number, cue in subject.numbered():
        small = [found for found in _DIGITS.findall(" ".join(cue.lines))
                 if int(found) <= subject.profile.numbers_spelled_to]
        if small:
            yield Finding(number, small[0])


def unknown(subject: Subject) -> Iterator[Finding]:
    for number, cue in subject.numbered():
        text = "\n".join(cue.lines)
        bad = next((character for character in text if character in _NEVER_SHOWN or (
            character != "\n" and unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs"))), None)
        if bad is not None:
            yield Finding(number, f"U+{ord(bad):04X}")
        elif broken := _BROKEN.search(text):
            yield Finding(number, f"{broken.group()}: an encoding was misread")


def script(subject: Subject) -> Iterator[Finding]:
    """Scripts mixed in a word, and a script that is neither the text's own nor Latin."""
    words = [[_scripts(word) for line in cue.lines for word in re.findall(r"[^\W\d_]+", line)] for cue in subject.cues]
    counted = Counter(one for cue in words for scripts in cue for one in scripts)
    own = _SCRIPT_OF.get(subject.language) or (counted.most_common(1)[0][0] if counted else "LATIN")
    for number, cue in enumerate(words, 1):
        mixed = next((scripts for scripts in cue if len(scripts) > 1), None)
        foreign = next((one for scripts in cue for one in sorted(scripts) if one not in (own, "LATIN")), None)
        if mixed:
            yield Finding(number, " and ".join(sorted(one.title() for one in mixed)) + " in one word")
        elif foreign:
            yield Finding(number, f"{foreign.title()} among {own.title()}")


def _scripts(word: str) -> frozenset[str]:
    found = (unicodedata.name(character, "").split(" ")[0].split("-")[0] for character in word
             if unicodedata.category(character).startswith("L"))
    return frozenset("EAST ASIAN" if one in _EAST_ASIAN else one for one in found if one in _SCRIPTS)
