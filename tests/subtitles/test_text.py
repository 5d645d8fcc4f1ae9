from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.subtitles.text import pieces, width


@pytest.mark.parametrize(("text", "characters"), [
    ("abc", 3), ("", 0), ("é", 1), ("e\u0301", 1), ("की", 1), ("सिमरन", 4),
])
def test_width_counts_what_a_reader_counts(text: str, characters: int) -> None:
    assert width(text) == characters


@given(st.text(), st.integers(1, 20))
def test_pieces_lose_nothing_and_fit(text: str, longest: int) -> None:
    cut = pieces(text, longest)
    assert "".join(cut) == text
    assert all(width(piece) <= longest for piece in cut)
