from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.errors import EngineError
from cp_whisperx.models.store import ModelStore
from cp_whisperx.names.ordinary import Lexicon

KINDS = {
    "word": ["will", "mark", "pretty", "Bold", "jet", "bin", "mire", "sheen", "dil", "asha", "maya", "jai", "veer",
             "raj", "curses", "neighbour's", "a", "I", "grace", "walked", "London"],
    "name": ["Simon", "Jake", "Carlos"],
    "unknown": ["Kuljeet", "Sainran", "Garpreet", "Moritra"],
}


@pytest.fixture(scope="module")
def lexicon(models: ModelStore) -> Lexicon:
    return Lexicon(models.path("en-words") / "words.txt")


@pytest.mark.real
@pytest.mark.parametrize(("word", "found"), [(word, found) for found, words in KINDS.items() for word in words])
def test_kinds(lexicon: Lexicon, word: str, found: str) -> None:
    assert lexicon.kind(word) == found


@pytest.mark.parametrize("text", ["word", "word many", "\x00\xff"])
def test_a_damaged_list_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "words.txt").write_bytes(text.encode("latin-1"))
    with pytest.raises(EngineError, match="no list of words"):
        Lexicon(tmp_path / "words.txt")
