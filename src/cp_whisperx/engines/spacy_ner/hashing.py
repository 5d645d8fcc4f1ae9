"""The hashes by which a spaCy model knows strings: MurmurHash64A for a name, MurmurHash3 for a row of a table.

Both by Austin Appleby, public domain. Numbers are 64 bits and wrap around.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MASK = (1 << 64) - 1
_M = 0xC6A4A7935BD1E995
_STRING_SEED = 1
_SYMBOLS = {
    "": 0, "ID": 64, "POS": 74, "TAG": 75, "DEP": 76, "IDX": 455, "ADJ": 84, "ADP": 85, "ADV": 86, "AUX": 87,
    "DET": 90, "NUM": 93, "SYM": 99, "X": 101, "EOL": 102, "ORG": 383, "GPE": 384, "LOC": 385, "LAW": 390,
    "acomp": 398, "advcl": 399, "advmod": 400, "agent": 401, "amod": 402, "appos": 403, "attr": 404, "aux": 405,
    "auxpass": 406, "cc": 407, "ccomp": 408, "complm": 409, "conj": 410, "cop": 411, "csubj": 412,
    "csubjpass": 413, "dep": 414, "det": 415, "dobj": 416, "expl": 417, "hmod": 418, "hyph": 419, "infmod": 420,
    "intj": 421, "iobj": 422, "mark": 423, "meta": 424, "neg": 425, "nmod": 426, "nn": 427, "npadvmod": 428,
    "nsubj": 429, "nsubjpass": 430, "num": 431, "number": 432, "oprd": 433, "obj": 434, "obl": 435,
    "parataxis": 436, "partmod": 437, "pcomp": 438, "pobj": 439, "poss": 440, "possessive": 441, "preconj": 442,
    "prep": 443, "prt": 444, "punct": 445, "quantmod": 446, "relcl": 447, "rcmod": 448, "root": 449, "xcomp": 450,
    "acl": 451, "_": 456,
}
"""Strings that name a symbol of spaCy have its number in the place of a hash. Of its 457 symbols, those that can be
the norm, the prefix, the suffix or the shape of a token."""


@functools.lru_cache(maxsize=1 << 16)
def string_id(text: str) -> int:
    """What spaCy's string store calls `text`: 64 bits."""
    return _SYMBOLS[text] if text in _SYMBOLS else murmur64a(text.encode("utf-8"), _STRING_SEED)


def murmur64a(data: bytes, seed: int) -> int:
    """MurmurHash2 for 64-bit machines, variant A."""
    value = seed ^ (len(data) * _M & _MASK)
    whole = len(data) & ~7
    for start in range(0, whole, 8):
        part = int.from_bytes(data[start:start + 8], "little") * _M & _MASK
        part = (part ^ part >> 47) * _M & _MASK
        value = (value ^ part) * _M & _MASK
    if rest := data[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * _M & _MASK
    value = (value ^ value >> 47) * _M & _MASK
    return value ^ value >> 47


def rows(ids: NDArray[np.uint64], seed: int, table_rows: int) -> NDArray[np.int64]:
    """The four rows of a hash embedding that stand for each id: shape (n, 4), by MurmurHash3 for 128 bits (x64)."""
    import numpy as np

    def number(value: int) -> np.uint64:
        return np.uint64(value & _MASK)

    def finish(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
        value = (value ^ value >> number(33)) * number(0xFF51AFD7ED558CCD)
        value = (value ^ value >> number(33)) * number(0xC4CEB9FE1A85EC53)
        return value ^ value >> number(33)

    first = ids.astype(np.uint64) * number(0x87C37B91114253D5)
    first = (first << number(31) | first >> number(33)) * number(0x4CF5AD432745937F)
    first = first ^ number(seed) ^ number(8)
    second = np.full_like(first, number(seed) ^ number(8))
    first = first + second
    second = second + first
    first, second = finish(first), finish(second)
    first = first + second
    second = second + first
    low = number(0xFFFFFFFF)
    keys = np.stack([first & low, first >> number(32), second & low, second >> number(32)], axis=1)
    return (keys % number(table_rows)).astype(np.int64)
