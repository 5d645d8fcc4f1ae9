from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.names.evidence import alternatives, by_segment, spelt
from cp_whisperx.timeline import Alternative, Word

NAMES = ("Simran", "Baldev", "Kuljeet", "Amritsar", "Ajit", "Preeti", "Lajjo")


def words(text: str, step: float = 0.4) -> tuple[Word, ...]:
    """A word that begins with a hyphen goes on with the one before it."""
    return tuple(Word(step * at, step * (at + 1), word if word[:1] == "-" else f" {word}", 0.5)
                 for at, word in enumerate(text.split()))


class Sound:
    """Knows what was said: a word that was, behind the word that was before it, is sure; any other is not."""

    def __init__(self, said: str) -> None:
        plain = ["", *(word.strip(".,!?") for word in said.split())]
        self.said = set(itertools.pairwise(plain))
        self.asked = 0

    def __call__(self, texts: Sequence[str]) -> list[float]:
        self.asked += 1
        plain = ["", *(text.strip(" .,!?") for text in texts)]
        return [-0.1 if pair in self.said else -4.0 for pair in itertools.pairwise(plain)]


CASES = {
    "one word": ("good day bold. The pigeons are hungry", "good day Baldev. The pigeons are hungry", ["Baldev"]),
    "ordinary words": ("forget him sign run and go home", "forget him Simran and go home", ["Simran"]),
    "with the word behind it": ("is it far to a marital from here", "is it far to Amritsar from here", ["Amritsar"]),
    "what was said is not asked about": ("the bride is pretty today", "the bride is pretty today", []),
    "another word was said": ("the bride is pretty and laughs at us", "the bride is witty and laughs at us", []),
    "a name already": ("tell Simran to come", "tell Preeti to come", []),
    "nothing": ("", "Simran", []),
    "a word in pieces": ("only latch -joe knew of it", "only Lajjo knew of it", ["Lajjo"]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_name_is_found_where_the_sound_has_it(name: str) -> None:
    heard, said, expected = CASES[name]
    found = alternatives(words(heard), NAMES, Sound(said))
    assert [one.name for one in found if one.gain > 1] == expected
    for one in found:
        made = [word.text for word in words(heard)]
        made[one.first:one.first + one.count] = [spelt(made[one.first:one.first + one.count], one.name)]
        if one.gain > 1:
            assert "".join(made).strip() == said


REHEARD = {
    "with the word behind it": ("why should the roomary a girl", "why should Veeru marry a girl", "Veeru marry"),
    "between what was misheard": ("when they curse geeks even dogs bark", "when the Thakur speaks even dogs bark",
                                  "the Thakur speaks"),
    "a name in two pieces": ("and only latch -don you why", "and only Lajjo knew why", "Lajjo knew"),
    "what was said is not asked about": ("the bride is pretty today", "the bride is pretty today", ""),
    "no name is in it": ("why should the roomary a girl", "why should they marry a girl", ""),
    "words are left out": ("forget the whole long sorry story sign run and go", "forget Simran and go", ""),
    "nothing like it": ("put it into the cupboard and go", "put it Simran and go", ""),
    "a name in the place of another": ("tell Preeti and him to come", "tell Simran to come", ""),
    "a comma that was misheard": ("to moroka, brit will come", "tomorrow Preeti will come", "tomorrow Preeti"),
    "a comma between them": ("tell seymour on late today", "tell Simran, let today", ""),
    "too much of it": ("a b c d e f g h i", "Simran a1 b2 c3 d4 e5 f6 g7 h8", ""),
}


@pytest.mark.parametrize("name", REHEARD)
def test_who_expects_names_hears_the_words_beside_them(name: str) -> None:
    heard, said, expected = REHEARD[name]
    texts = [f" {word}" for word in said.split()]
    found = alternatives(words(heard), (*NAMES, "Veeru", "Thakur"), Sound(said), lambda: texts)
    beside = [one for one in found if " " in one.name]
    assert [one.name for one in beside] == [expected] * bool(expected)
    for one in beside:
        made = [word.text for word in words(heard)]
        made[one.first:one.first + one.count] = [spelt(made[one.first:one.first + one.count], one.name)]
        assert "".join(made).strip() == said and one.gain > 1


def test_words_with_a_pause_between_them_are_not_heard_as_one() -> None:
    heard, said, _ = REHEARD["with the word behind it"]
    texts, late = [f" {word}" for word in said.split()], list(words(heard))
    late[3:] = [Word(word.start + 1, word.end + 1, word.text, 0.5) for word in late[3:]]
    assert all(" " not in one.name for one in alternatives(late, ("Veeru",), Sound(said), lambda: texts))


def test_nothing_is_heard_again_where_all_is_certain() -> None:
    assert not alternatives(words("we take the train"), NAMES, Sound("we take the train"), pytest.fail)


def test_names_far_apart_are_tried_in_one_pass() -> None:
    heard = "sign run " + "is not at home " * 3 + "bold waits for the others"
    sound = Sound("Simran " + "is not at home " * 3 + "Baldev waits for the others")
    assert [one.name for one in alternatives(words(heard), ("Simran", "Baldev"), sound)] == ["Simran", "Baldev"]
    assert sound.asked <= 6


def test_where_all_is_certain_the_sound_is_asked_once() -> None:
    sound = Sound("we take the train")
    assert not alternatives(words("we take the train"), NAMES, sound)
    assert sound.asked == 1


def test_a_name_is_no_part_of_a_word() -> None:
    found = alternatives(words("only latch -joe knew"), ("Joe", "Lajjo"), Sound("only Joe"))
    assert all(one.count != 1 for one in found)


def test_without_names_nothing_is_asked() -> None:
    sound = Sound("we take the train")
    assert not alternatives(words("sign run"), (), sound)
    assert sound.asked == 0


def test_words_with_a_pause_or_a_full_stop_between_them_are_not_one_name() -> None:
    heard = words("sign run")
    late = (heard[0], Word(5.0, 5.4, " run", 0.5))
    assert alternatives(heard, NAMES, Sound("Simran"))
    assert all(one.count == 1 for one in alternatives(late, NAMES, Sound("Simran")))
    assert all(one.count == 1 for one in alternatives(words("sign. Run"), NAMES, Sound("Simran")))


def test_each_segment_has_its_own() -> None:
    found = [Alternative(first, count, "Simran", 1.0, 0.5) for first, count in ((0, 1), (2, 2), (4, 1))]
    assert [[(one.first, one.count) for one in own] for own in by_segment(found, (3, 0, 2))] == [[(0, 1)], [], [(1, 1)]]


@given(st.lists(st.sampled_from(("Simran", "sign", "run", "bold", "tea", "a", "marital", "pretty,")), max_size=12),
       st.lists(st.sampled_from(("Simran", "tea", "Baldev", "Amritsar")), max_size=9))
def test_places_are_in_order_and_apart(heard: list[str], said: list[str]) -> None:
    found = alternatives(words(" ".join(heard)), NAMES, Sound(" ".join(said)))
    assert all(one.first + one.count <= other.first for one, other in itertools.pairwise(found))
    assert all(one.first + one.count <= len(heard) and one.name in NAMES for one in found)
