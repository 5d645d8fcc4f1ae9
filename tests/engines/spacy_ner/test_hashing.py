from __future__ import annotations

import numpy as np
import pytest

from cp_whisperx.engines.spacy_ner.hashing import rows, string_id

# As spaCy 3.8 gives them: nlp.vocab.strings[text].
IDS = {
    "": 0,
    "X": 101,
    "mark": 423,
    "a": 11901859001352538922,
    "coffee": 3197928453018144401,
    "Xxxxx": 16072095006890171862,
    "Amritsar": 3942498199752407863,
    "नमस्ते": 17725043566996329480,
}
ROWS = [[0, 0, 0, 0], [108, 3286, 162, 1281], [680, 852, 3520, 1278], [4950, 2181, 1277, 4624]]


@pytest.mark.parametrize("text", IDS)
def test_a_string_has_the_id_that_spacy_gives_it(text: str) -> None:
    assert string_id(text) == IDS[text]


def test_rows_are_those_of_thinc() -> None:
    """`NumpyOps().hash(ids, seed) % n` of thinc 8.3."""
    ids = np.array([0, 1, 3197928453018144401, 2**64 - 1], np.uint64)
    assert rows(ids, 8, 5000).tolist() == ROWS
