from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.film.characters import names

ROLES = {
    "Vijay / Raju (voice)": ("Vijay", "Raju"),
    "Raj Malhotra": ("Raj Malhotra",),
    "Young Simran": ("Simran",),
    "Simran (young)": ("Simran",),
    "Teenage Anjali Sharma": ("Anjali Sharma",),
    "Lajwanti 'Lajjo' Singh": ("Lajwanti Singh", "Lajjo"),
    'Robert "Bobby" Singh': ("Robert Singh", "Bobby"),
    "Simran's Grandmother": ("Simran",),
    "Ross’ sister": ("Ross",),
    "D'Souza": ("D'Souza",),
    "Bruce Wayne / Batman": ("Bruce Wayne", "Batman"),
    "Tina|Meena; Rita": ("Tina", "Meena", "Rita"),
    "Rahul aka Raj": ("Rahul", "Raj"),
    "राज मल्होत्रा / राजू": ("राज मल्होत्रा", "राजू"),
    "Self": (),
    "Himself": (),
    "Herself (archive footage)": (),
    "Self - Host": (),
    "Themselves": (),
    "(uncredited)": (),
    "Narrator (voice) (uncredited)": (),
    "Selfish Gene": ("Selfish Gene",),
    "Man on bike infront of Kajo": (),
    "Guest in the song Mehendi Laga Ke Rakhna (uncredited)": (),
    "Guard #2": (),
    "Policeman 3": (),
    "villager": (),
    "Old Man": (),
    "Vijay (as Amitabh": ("Vijay",),
    "Vijay ((double role) twins)": ("Vijay",),
    "Vijay / Vijay": ("Vijay",),
    "Mr.": (),
    "": (),
    " / / ": (),
}


@pytest.mark.parametrize(("role", "found"), ROLES.items(), ids=lambda value: str(value))
def test_the_names_in_a_role(role: str, found: tuple[str, ...]) -> None:
    assert names(role) == found


@given(st.text(max_size=300))
def test_no_role_is_too_odd(role: str) -> None:
    for name in names(role):
        assert name == name.strip() and any(char.isalpha() for char in name)
        assert not set(name) & set("()[]/|;\n\t")
