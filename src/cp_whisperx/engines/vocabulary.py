"""The tokens of a byte-level BPE vocabulary (GPT-2's, as Whisper has it) as the bytes that they stand for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

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


def mended(tokenizer: Any) -> Any:
    """The tokenizer with its first merge, which the files of Whisper's multilingual models have lost.

    They make " the" two tokens, a space and a word without one, where the model writes one. That spells nothing wrong,
    but a text that is put before the model in such pieces is improbable to it.
    """
    vocabulary = tokenizer.get_vocab()
    # Merges are in the order of the tokens that they make, which follow the 256 bytes.
    first = next((token for token, number in vocabulary.items() if number == 256), None)
    written = json.loads(tokenizer.to_str())
    merges = written["model"]["merges"]
    pairs = [merge.split(" ") if isinstance(merge, str) else list(merge) for merge in merges[:1]]
    if first is None or len(first) != 2 or not pairs or "".join(pairs[0]) == first:
        return tokenizer
    merges.insert(0, f"{first[0]} {first[1]}" if isinstance(merges[0], str) else list(first))
    return type(tokenizer).from_str(json.dumps(written))


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
