"""The tokens of a byte-level BPE vocabulary (GPT-2's, as Whisper has it) as the bytes that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from cp_whisperx import scripts

_MARK = ("<|", "|>")


def forbidden(vocabulary: Mapping[str, int], allowed: frozenset[str]) -> list[int]:
    """Ids, in order, of the tokens that cannot be part of a text in the scripts `allowed`.

    Tokens that are no text, such as languages and times, are not among them. A character that no token holds whole is
    written in pieces, and its last piece may be that of a character of another script: what comes out is still to be
    looked at.
    """
    return sorted(number for token, number in vocabulary.items()
                  if not (token.startswith(_MARK[0]) and token.endswith(_MARK[1]))
                  and not scripts.writes_only(text(token), allowed))


def text(token: str) -> bytes:
    """The bytes of a token of the vocabulary file, in which each byte is one printable character."""
    table = _bytes()
    return bytes(table[character] for character in token) if all(one in table for one in token) else token.encode()


@lru_cache(maxsize=1)
def _bytes() -> dict[str, int]:
    """Printable bytes of Latin-1 stand for themselves, the others for U+0100 on, in order (GPT-2's encoder)."""
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in own]
    return {chr(byte): byte for byte in own} | {chr(0x100 + number): byte for number, byte in enumerate(others)}
