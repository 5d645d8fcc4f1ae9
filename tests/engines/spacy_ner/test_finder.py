"""`spacy.json` holds tokens and entities as spaCy 3.8.18 gives them with en_core_web_sm 3.8.0 (`bench/name_finder.py`
compares many more)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.engines.fake import CapitalNames
from cp_whisperx.engines.spacy_ner.finder import FILES, SpacyNames
from cp_whisperx.errors import EngineError
from cp_whisperx.models.store import ModelStore

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "spacy.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def finder(models: ModelStore) -> SpacyNames:
    return SpacyNames(models.path("en-names"))


@pytest.mark.real
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:30])
def test_it_says_what_spacy_says(finder: SpacyNames, case: dict[str, Any]) -> None:
    assert [token.text for token in finder._tokenizer.tokens(case["text"])] == case["tokens"]
    assert [[entity.text, entity.label] for entity in finder.find(case["text"])] == case["entities"]


@pytest.mark.real
def test_nothing_is_found_in_nothing(finder: SpacyNames) -> None:
    assert finder.find("") == finder.find("  \n ") == ()


@pytest.mark.real
def test_white_space_makes_no_difference(finder: SpacyNames) -> None:
    assert finder.find("Raj  left\n\tLondon .") == finder.find("Raj left London .")


DAMAGED = {
    "cut off": lambda data: data[:-100],
    "longer than it says": lambda data: data + b"\x00",
    "another kind of file": lambda data: b"\x89PNG\r\n",
    "empty": lambda data: b"",
    "a map without the keys": lambda data: b"\x80",
}


@pytest.mark.real
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_model_is_told(tmp_path: Path, models: ModelStore, name: str, damage: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models.path("en-names"), folder)
    (folder / name).write_bytes(DAMAGED[damage]((folder / name).read_bytes()))
    with pytest.raises(EngineError):
        SpacyNames(folder)


def test_the_fake_finds_capitals() -> None:
    assert [entity.text for entity in CapitalNames().find("Then Raj Malhotra met her in London.")] == [
        "Raj Malhotra", "London"]
