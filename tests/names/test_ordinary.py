from __future__ import annotations

import pytest

from cp_whisperx.names.ordinary import kind

KINDS = {
    "word": ["will", "mark", "pretty", "Bold", "jet", "bin", "mire", "sheen", "dil", "asha", "maya", "jai", "veer",
             "raj", "curses", "neighbour's", "a", "I", "grace", "walked", "London"],
    "name": ["Simon", "Jake", "Carlos"],
    "unknown": ["Kuljeet", "Sainran", "Garpreet", "Moritra"],
}


@pytest.mark.parametrize(("word", "found"), [(word, found) for found, words in KINDS.items() for word in words])
def test_kinds(word: str, found: str) -> None:
    assert kind(word) == found
