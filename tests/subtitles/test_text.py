from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.subtitles.text import clusters, pieces, width

CASES = {
    # Where the rules of Annex 29 break (|) and where they do not.
    "GB3 CR LF": "a|\r\n|b",
    "GB4 control": "a|\u200b|\u0301",
    "GB6-8 Hangul": "각|\u1100\u1161\u11a8|가\u1161|각|\u1161",
    "GB9 marks": "e\u0301|o",
    "GB9 joiner": "a\u200d|b",
    "GB9a vowel signs": "की|को|कौ",
    "GB9b prepend": "\u0600١|٢",
    "GB9c conjunct": "क्षि|प्र|स्त्री",
    "GB9c with nukta": "क़्त",
    "GB9c joiner keeps, non-joiner ends": "क्\u200dष|क्\u200c|ष",
    "GB9c other scripts": "ক্ষ|క్ష|ക്ഷ",
    "GB9c a virama at the end": "भ|ग|वा|न्",
    "GB11 emoji": "👩\u200d👩\u200d👧|👍🏽|❤\ufe0f|a\u200d|👧",
    "GB12 flags": "🇮🇳|🇬🇧|🇫",
    "words": "सि|म|र|न",
}


@pytest.mark.parametrize("name", CASES)
def test_clusters(name: str) -> None:
    expected = CASES[name].split("|")
    assert clusters("".join(expected)) == expected
    assert width("".join(expected)) == len(expected)


@pytest.mark.parametrize(("text", "characters"), [
    ("", 0), ("abc", 3), ("a\r\nb", 3), ("é", 1), ("हिन्दी", 2), ("विद्यार्थी", 3), ("tum kahan the", 13),
])
def test_width_counts_what_a_reader_counts(text: str, characters: int) -> None:
    assert width(text) == characters


def test_every_mark_there_is_belongs_to_the_letter_before_it() -> None:
    """Independent of the table: the interpreter's own categories. Some vowels of South East Asia stand alone."""
    apart = {point for point in range(0x110000)
             if unicodedata.category(chr(point)) in ("Mn", "Me", "Mc") and width("a" + chr(point)) != 1}
    assert {unicodedata.category(chr(point)) for point in apart} <= {"Mc"}
    assert {unicodedata.name(chr(point)).split()[0] for point in apart} <= {"MYANMAR", "NEW", "TAI", "BALINESE", "AHOM"}


TEXT = st.text(st.one_of(st.characters(), st.sampled_from("कषर््िा़\u200d\u200c👩👧🇮🇳\u0301\r\n각ᄀ")))


@given(TEXT)
def test_clusters_lose_nothing(text: str) -> None:
    found = clusters(text)
    assert "".join(found) == text
    assert all(width(cluster) == 1 for cluster in found)


@given(TEXT, st.integers(1, 20))
def test_pieces_lose_nothing_fit_and_split_no_cluster(text: str, longest: int) -> None:
    cut = pieces(text, longest)
    assert "".join(cut) == text
    assert [cluster for piece in cut for cluster in clusters(piece)] == clusters(text)
    assert all(width(piece) <= longest for piece in cut)
