from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.names.sound import key, likeness

ONE_NAME = [
    ("Lakshmi", "Laxmi"), ("Lakshmi", "लक्ष्मी"), ("Chaudhary", "Chowdhury"), ("Thakur", "Takur"), ("Simran", "सिमरन"),
    ("Baldev", "Bal Dev"), ("Kuljeet", "Kuljit"), ("Vijay", "Wijay"), ("Bhushan", "Bushan"), ("Zoya", "Joya"),
    ("Ajit", "Agit"), ("Preeti", "Priti"), ("Sheela", "Shila"), ("Aamir", "Amir"), ("Mehra", "Mehrra"),
]
TWO_NAMES = [
    ("Mohan", "Rohan"), ("Rajesh", "Rajeev"), ("Raj", "Rose"), ("Simran", "Kiran"), ("Thakur", "Tucker and"),
    ("Preeti", "party line"), ("Kuljeet", "Gurpreet"), ("Maya", "Meera"),
]


@pytest.mark.parametrize(("one", "other"), ONE_NAME)
def test_spellings_of_one_name_sound_alike(one: str, other: str) -> None:
    assert likeness(key(one), key(other.replace(" ", ""))) >= 0.84


@pytest.mark.parametrize(("one", "other"), TWO_NAMES)
def test_different_names_do_not(one: str, other: str) -> None:
    assert likeness(key(one), key(other.replace(" ", ""))) < 0.75


WORDS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzकखगजटडतदनपबमरलवशसहािीुेो्ंँ़'- "), max_size=12)


@given(WORDS, WORDS)
def test_likeness_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    a, b = key(one), key(other)
    assert 0.0 <= likeness(a, b) <= 1.0
    assert likeness(a, b) == pytest.approx(likeness(b, a))
    assert likeness(a, a) == (1.0 if a else 0.0)


@pytest.mark.parametrize("text", ["", "123", "...", "日本"])
def test_what_is_no_word_has_no_sound(text: str) -> None:
    assert key(text) == ""
