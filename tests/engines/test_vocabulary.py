from __future__ import annotations

import json

import pytest

from cp_whisperx import scripts
from cp_whisperx.engines import vocabulary
from cp_whisperx.models.store import ModelStore
from cp_whisperx.scripts import DEVANAGARI, LATIN

HINDI = frozenset((DEVANAGARI,))


def test_tokens_are_bytes() -> None:
    assert vocabulary.text("Ġthe") == b" the"
    assert vocabulary.text("à¤ķ") == "क".encode()
    assert vocabulary.text("Ċ") == b"\n"
    assert {vocabulary.text(one) for one in vocabulary._bytes()} == {bytes((value,)) for value in range(256)}


def test_what_is_no_text_is_never_forbidden() -> None:
    made = {"<|hi|>": 1, "<|0.00|>": 2, "Ġthe": 3, "!": 4, "à¤ķ": 5, "Ø§": 6, "<|": 7, "5": 8}
    assert vocabulary.forbidden(made, HINDI) == [3, 6]
    assert vocabulary.forbidden(made, HINDI | {LATIN}) == [6]


@pytest.mark.real
def test_the_vocabulary_of_a_model_is_parted_by_script(models: ModelStore) -> None:
    tokenizer = json.loads((models.path("base") / "tokenizer.json").read_text(encoding="utf-8"))
    tokens: dict[str, int] = {token: number for token, number in tokenizer["model"]["vocab"].items()
                              if not token.startswith("<|")}
    kept = set(tokens.values()) - set(vocabulary.forbidden(tokens, HINDI))
    texts = {number: vocabulary.text(token) for token, number in tokens.items()}
    assert 300 < len(kept) < 2500
    for number in kept:
        whole = texts[number].decode("utf-8", errors="ignore")
        assert not scripts.foreign(whole, HINDI), whole
    for point in range(0x900, 0x980):
        if scripts.script(chr(point)) == DEVANAGARI:
            assert all(any(texts[number] == bytes((byte,)) for number in kept) for byte in chr(point).encode())
    arabic = {number for number, text in texts.items() if text.lstrip()[:1] and 0xD8 <= text.lstrip()[0] <= 0xDB}
    assert len(arabic) > 300 and not arabic & kept


@pytest.mark.real
@pytest.mark.parametrize("name", ["base", "tiny.en"])
def test_a_lost_merge_is_mended(models: ModelStore, name: str) -> None:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(models.path(name) / "tokenizer.json"))
    mended = vocabulary.mended(found)
    assert mended.encode(" until the day", add_special_tokens=False).tokens == ["\u0120until", "\u0120the", "\u0120day"]
    assert mended.get_vocab() == found.get_vocab()
    assert vocabulary.mended(mended) is mended
