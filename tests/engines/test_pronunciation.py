from __future__ import annotations

import random
from pathlib import Path

import pytest

from cp_whisperx.engines.pronunciation import phones, spoken

KNOWN = {"don't", "ok", "cafe", "dogs", "nasa", "i'm", "eye"}

SPOKEN = {
    "25": "twenty five", "25th": "twenty fifth", "1,250": "one thousand two hundred fifty", "3.5": "three point five",
    "1995": "nineteen ninety five", "1900": "nineteen hundred", "1905": "nineteen oh five", "2005": "two thousand five",
    "1990s": "nineteen nineties", "007": "zero zero seven", "100": "one hundred", "21st": "twenty first",
    "12th": "twelfth", "20th": "twentieth", "1000000": "one million", "$5": "five dollars", "₹1,00,000":
    "one hundred thousand rupees", "50%": "fifty percent", "10:30": "ten thirty", "0": "zero",
    " Simran,": "simran", "don’t": "don't", "Café.": "cafe", "rock-and-roll": "rock and roll", "dogs'": "dogs",
    "F.B.I.": "f b i", "BJP": "b j p", "NASA": "nasa", "B2B": "b two b", "(OK)": "ok", "and/or": "and or", "I’m": "i'm",
    "O'Brien": "o'brien", "A&B": "a and b", "...": "", " –": "", "": "", "♪": "", "999999999999999999": "nine " * 18,
}


@pytest.mark.parametrize("text", SPOKEN)
def test_a_written_word_is_said(text: str) -> None:
    assert " ".join(spoken(text, KNOWN.__contains__)) == SPOKEN[text].strip()


NAMES = {
    "Simran": "S IH M R AH N", "Kuljeet": "K UH L JH IY T", "Dahisar": "D AH HH IH S AA R",
    "Chandni": "CH AH N D N IY", "Thakur": "T AH K UH R", "Lakshmi": "L AH K SH M IY", "Gabbar": "G AH B AA R",
    "Chhaya": "CH AY AH", "Bhushan": "B UH SH AH N", "Priya": "P R IH Y AH",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_read_as_they_sound(name: str) -> None:
    assert NAMES[name] in phones(name)


def test_another_script_has_no_reading() -> None:
    assert phones("सिमरन") == () and phones("Ёлка") == () and phones("'") == ()


def test_readings_come_near_the_dictionary() -> None:
    """The better reading of a word against what the dictionary says: one phone in four is wrong, no more."""
    pocketsphinx = pytest.importorskip("pocketsphinx")
    entries: dict[str, list[str]] = {}
    for line in Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")).read_text(encoding="utf-8").splitlines():
        word, *sound = line.split()
        if word.isalpha() and len(word) > 3:
            entries[word] = sound
    sample = random.Random(0).sample(sorted(entries), 500)
    wrong = sum(min(_distance(reading.split(), entries[word]) for reading in phones(word)) for word in sample)
    assert wrong / sum(len(entries[word]) for word in sample) < 0.25


def _distance(read: list[str], right: list[str]) -> int:
    row = list(range(len(right) + 1))
    for number, phone in enumerate(read, start=1):
        diagonal, row[0] = row[0], number
        for position, other in enumerate(right, start=1):
            diagonal, row[position] = row[position], min(row[position] + 1, row[position - 1] + 1,
                                                         diagonal + (phone != other))
    return row[-1]
