"""spaCy's tokenizer for a model's own rules (its documentation, "How spaCy's tokenizer works").

White space between words is one space here: what a caller gives is joined so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cp_whisperx.engines.spacy_ner.hashing import string_id

_ORTH, _NORM = 65, 67
"""The attributes of an exception's parts, by their numbers in spaCy."""
_BASE_NORMS = {
    "'S": "'s", "’s": "'s", "’S": "'s", "’": "'", "‘": "'", "´": "'", "`": "'", "”": '"', "“": '"', "''": '"',
    "``": '"', "´´": '"', "„": '"', "»": '"', "«": '"', "‘‘": '"', "’’": '"', "？": "?", "！": "!", "，": ",",
    "；": ";", "：": ":", "。": ".", "।": ".", "…": "...", "—": "-", "–": "-", "--": "-", "---": "-", "——": "-",
    **dict.fromkeys(("€", "£", "¥", "฿", "US$", "C$", "A$", "₺", "₹", "৳", "₩", "Mex$", "₣", "E£"), "$"),
}
"""Spellings that every spaCy model reads as one."""


_Part = tuple[str, str | None]
"""Text of a token, and its norm where an exception gives one."""
_Exceptions = Mapping[str, tuple[_Part, ...]]


@dataclass(frozen=True, slots=True)
class Token:
    """A token at `start` in the text; `norm` is the form under which the model knows it."""

    start: int
    text: str
    norm: str


class Tokenizer:
    def __init__(self, rules: Mapping[str, Any], norms: Mapping[int, str]) -> None:
        """`rules`: a model's `tokenizer` file; `norms`: the table `lexeme_norm` of its lookups."""
        self._exceptions = {
            text: tuple((str(part[_ORTH]), str(part[_NORM]) if _NORM in part else None) for part in parts)
            for text, parts in rules["exceptions"].items()}
        self._prefix = re.compile(rules["prefix_search"]).search
        self._suffix = re.compile(rules["suffix_search"]).search
        self._infixes: Callable[[str], Iterator[re.Match[str]]] = re.compile(rules["infix_finditer"]).finditer
        self._url = re.compile(rules["url_match"]).match
        self._norms = norms
        split = {text: tuple(part for part, _ in self._chunk(text, plain=True)) for text in self._exceptions}
        self._split = {parts: text for text, parts in split.items() if len(parts) > 1}
        self._longest = max(map(len, self._split), default=1)

    def tokens(self, text: str) -> list[Token]:
        """The tokens of `text`, in which words are parted by single spaces."""
        found: list[Token] = []
        start = 0
        for chunk in text.split(" "):
            at = start
            for part, norm in self._rejoined(self._chunk(chunk)):
                found.append(Token(at, part, self._norm(part) if norm is None else norm))
                at += len(part)
            start += len(chunk) + 1
        return found

    def _norm(self, text: str) -> str:
        return _BASE_NORMS.get(text) or self._norms.get(string_id(text)) or text.lower()

    def _rejoined(self, parts: list[_Part]) -> list[_Part]:
        """Exceptions that were cut up, such as a smiley behind a word, are put together again: the longest first."""
        found: list[_Part] = []
        at = 0
        while at < len(parts):
            for size in range(min(self._longest, len(parts) - at), 1, -1):
                if whole := self._split.get(tuple(part for part, _ in parts[at:at + size])):
                    found += self._exceptions[whole]
                    at += size
                    break
            else:
                found.append(parts[at])
                at += 1
        return found

    def _chunk(self, chunk: str, *, plain: bool = False) -> list[_Part]:
        """The parts of a chunk without spaces; `plain` as if there were no exceptions."""
        known = {} if plain else self._exceptions
        if chunk in known:
            return list(known[chunk])
        prefixes, middle, suffixes = self._affixes(chunk, known)
        return [*((part, None) for part in prefixes), *self._middle(middle, known),
                *((part, None) for part in reversed(suffixes))]

    def _affixes(self, chunk: str, known: _Exceptions) -> tuple[list[str], str, list[str]]:
        """Cuts prefixes and suffixes off by turns, until nothing is left to cut or an exception remains."""
        prefixes: list[str] = []
        suffixes: list[str] = []
        last = -1
        while chunk and len(chunk) != last:
            if chunk in known:
                break
            last = len(chunk)
            before = _length(self._prefix(chunk))
            if before and chunk[before:] in known:
                prefixes.append(chunk[:before])
                chunk = chunk[before:]
                break
            # The suffix is looked for in what follows the prefix.
            after = _length(self._suffix(chunk[before:]))
            if after and chunk[:-after] in known:
                suffixes.append(chunk[-after:])
                chunk = chunk[:-after]
                break
            if before:
                prefixes.append(chunk[:before])
            if after and before + after <= len(chunk):
                suffixes.append(chunk[-after:])
            chunk = chunk[before:len(chunk) - (after if before + after <= len(chunk) else 0)]
        return prefixes, chunk, suffixes

    def _middle(self, text: str, known: _Exceptions) -> list[_Part]:
        if not text:
            return []
        if text in known:
            return list(known[text])
        if self._url(text):
            return [(text, None)]
        parts: list[str] = []
        start = 0
        for match in self._infixes(text):
            if match.start() == 0:
                continue
            parts += [text[start:match.start()], match.group()]
            start = match.end()
        parts.append(text[start:])
        return [(part, None) for part in parts if part]


def _length(match: re.Match[str] | None) -> int:
    return match.end() - match.start() if match else 0
