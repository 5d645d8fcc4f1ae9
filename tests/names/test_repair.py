from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.artifacts import Name, NameChange
from cp_whisperx.models.store import ModelStore
from cp_whisperx.names.corrections import Veto
from cp_whisperx.names.glossary import build
from cp_whisperx.names.ordinary import Lexicon
from cp_whisperx.names.repair import repair
from cp_whisperx.timeline import Alternative, Segment, Word
from tests.names.test_glossary import film

pytestmark = pytest.mark.real

CAST = build(film("Simran Singh", "Chaudhry Baldev Singh", "Kuljeet", "Rajeshwari", "Dharamvir Malhotra", "Will",
                  places=("Amritsar", "Dahisar"), extra_names=("कुलजीत",)), ())


@functools.cache
def lexicon() -> Lexicon:
    return Lexicon(ModelStore().path("en-words") / "words.txt")


def segment(text: str, probability: float = 0.7, at: float = 0.0) -> Segment:
    words = tuple(Word(round(at + 0.4 * number, 3), round(at + 0.4 * number + 0.3, 3), " " + word, probability,
                       speaker="S1") for number, word in enumerate(text.split()))
    return Segment(at, words[-1].end, text, words, -0.3, 0.1, 1.2)


def repaired(*texts: str, names: Sequence[Name] = CAST, probability: float = 0.7,
             vetoes: Sequence[Veto] = ()) -> tuple[list[str], tuple[NameChange, ...]]:
    found, changes = repair([segment(text, probability, 60.0 * number) for number, text in enumerate(texts)], names,
                            lexicon(), vetoes)
    return [one.text for one in found], changes


REPAIRS = {
    "another name": ("I saw Simon today.", "I saw Simran today."),
    "a spelling of its own": ("Ask Kuljit and Sainran.", "Ask Kuljeet and Simran."),
    "two words for one": ("When Bald Ev is angry, hide.", "When Baldev is angry, hide."),
    "two words, the first as it should be": ("Old Bal Dev laughed.", "Old Baldev laughed."),
    "a place": ("How far is it to Enritsa from here?", "How far is it to Amritsar from here?"),
    "one word for two": ("The letter is for SimranSing alone.", "The letter is for Simran Singh alone."),
    "the owner of something": ("That is Kuljit's horse.", "That is Kuljeet's horse."),
    "lower case": ("he met kuljeet there", "he met Kuljeet there"),
    "quotes and stops stay": ('"Kuljit!" he cried.', '"Kuljeet!" he cried.'),
    "letters of another script": ("I met कुलजीत there", "I met Kuljeet there"),
}


@pytest.mark.parametrize("name", REPAIRS)
def test_names_are_put_right(name: str) -> None:
    heard, wanted = REPAIRS[name]
    texts, changes = repaired(heard)
    assert texts == [wanted]
    assert all(change.before != change.after and change.reason and 0 < change.score <= 1 for change in changes)


KEPT = [
    "You will be pretty sure of it.", "Will you mark it?", "I will.", "The rich man could get up.", "Some ran to him.",
    "Dil hai ki manta nahi", "Mark my words, Raj is a kingdom.", "It is not a marital matter.",
    "The sign ran along it.", "Simran met Baldev in Amritsar.", "Jai and Veeru are friends.",
    "Simmer the rice in summer.", "Call jet five.",
    "She said it to Simran. Singh it was not.", "नमस्ते राज", "...", "1995, 2,500 and 3%.",
]


@pytest.mark.parametrize("text", KEPT)
@pytest.mark.parametrize("probability", [0.1, 0.5, 0.99])
def test_what_was_said_stays(text: str, probability: float) -> None:
    texts, changes = repaired(text, probability=probability)
    assert texts == [text] and changes == ()


def test_words_keep_their_times() -> None:
    (found,), _ = repair([segment("When Bald Ev came SimranSing left")], CAST, lexicon())
    assert [(word.text, word.start, word.end) for word in found.words] == [
        (" When", 0.0, 0.3), (" Baldev", 0.4, 1.1), (" came", 1.2, 1.5), (" Simran", 1.6, 1.764),
        (" Singh", 1.764, 1.9), (" left", 2.0, 2.3)]
    assert {word.speaker for word in found.words} == {"S1"}


def test_words_with_a_pause_or_a_comma_between_them_are_two() -> None:
    assert repaired("When Bald, Ev came")[1] == ()


def test_what_became_a_name_once_becomes_it_everywhere() -> None:
    """At the start of a sentence this spelling alone would not do; elsewhere in the film it does."""
    alone, _ = repaired("Kulgiv came.", probability=0.99)
    texts, changes = repaired("I know Kulgiv well.", "Then Kulgiv laughed.", "Kulgiv came.", probability=0.6)
    assert texts == ["I know Kuljeet well.", "Then Kuljeet laughed.", "Kuljeet came."]
    assert len(changes) == 3 and alone in (["Kulgiv came."], ["Kuljeet came."])


def test_a_veto_holds_everywhere_or_in_one_place() -> None:
    texts, changes = repaired("I saw Simon.", "Then Simon left.", vetoes=[Veto.parse("simon -> Simran")])
    assert texts == ["I saw Simon.", "Then Simon left."]
    assert [change.vetoed for change in changes] == [True, True]
    texts, changes = repaired("I saw Simon.", "Then Simon left.", vetoes=[Veto("Simon", "Simran", 60.4)])
    assert texts == ["I saw Simran.", "Then Simon left."]
    assert [change.vetoed for change in changes] == [False, True]


def test_two_names_that_fit_alike_are_a_guess() -> None:
    both = build(film("Mohin", "Mohan"), ())
    assert repaired("I saw Mohun today.", names=both)[1] == ()


def test_an_actor_is_known_but_nobody_is_renamed_to_one() -> None:
    known = (Name(canonical="Kajol", kind="person", source="actor", weight=0.15),)
    assert repaired("I saw Kajal and Kajoll.", names=known)[1] == ()


def test_a_language_that_no_list_knows_is_left_alone() -> None:
    text = "mujhko lagtaa haikyon tumhein Gulmid bolnaa padegaa kahaanse aayegaa"
    assert repaired(text)[1] == ()


BY_SOUND = {
    "an ordinary word": ("Is it pretty today?", (2, 1, "Rajeshwari", 1.5, 0.9), "Is it Rajeshwari today?"),
    "an ordinary word, and little said for it": ("The bride is pretty today.", (3, 1, "Rajeshwari", 0.5, 0.9), ""),
    "ordinary words": ("Forget him, sign run, and go.", (2, 2, "Simran", 1.2, 0.7), "Forget him, Simran, and go."),
    "ordinary words, and little said for it": ("Forget him, sign run, and go.", (2, 2, "Simran", 0.6, 0.7), ""),
    "less probable than an unknown word": ("I met Xomzot there.", (2, 1, "Simran", -0.5, 0.6), "I met Simran there."),
    "far less probable": ("I met Xomzot there.", (2, 1, "Simran", -3.0, 0.6), ""),
    "nothing alike": ("I met Xomzot there.", (2, 1, "Simran", -1.0, 0.36), ""),
    "nothing alike, and much said for it": ("I met Xomzot there.", (2, 1, "Simran", 9.0, 0.36), "I met Simran there."),
    "the owner of something": ("The monitor's house.", (1, 1, "Malhotra", 3.0, 0.5), "The Malhotra's house."),
    "a name of the film": ("I saw Baldev there.", (2, 1, "Simran", 9.0, 0.6), ""),
    "better than what the text has": ("I saw Simon today.", (2, 1, "Kuljeet", 5.0, 0.5), "I saw Kuljeet today."),
    "a name that is not expected": ("I saw Xomzot today.", (2, 1, "Gulshan", 9.0, 0.9), ""),
    "a word beside it": ("They roomary a girl.", (0, 2, "Kuljeet marry", 6.0, 0.5), "Kuljeet marry a girl."),
    "a word beside it, hardly so": ("They roomary a girl.", (0, 2, "Kuljeet marry", 0.5, 0.5), ""),
    "a word beside it, and a name was heard": ("Simran roomary a girl.", (0, 2, "Kuljeet marry", 9.0, 0.5), ""),
    "no name is in it": ("They roomary a girl.", (0, 2, "people marry", 9.0, 0.5), ""),
    "two names": ("Ask your roomary.", (1, 2, "Dharamvir Malhotra", 9.0, 0.5), "Ask Dharamvir Malhotra."),
}


@pytest.mark.parametrize("name", BY_SOUND)
def test_a_name_that_the_sound_makes_probable_is_taken(name: str) -> None:
    text, alternative, expected = BY_SOUND[name]
    heard = replace(segment(text), alternatives=(Alternative(*alternative),))
    (found,), changes = repair([heard], CAST, lexicon())
    assert found.text == (expected or text)
    assert [change.after for change in changes] == ([alternative[2]] if expected else [])
    assert found.alternatives == ()
    assert (found.words[0].start, found.words[-1].end) == (heard.words[0].start, heard.words[-1].end)


def test_less_is_enough_where_the_same_words_became_that_name() -> None:
    one, other = (replace(segment(text, at=at), alternatives=(Alternative(1, 2, "Dharamvir", gain, 0.7),))
                  for text, at, gain in (("Old daring for laughed.", 0.0, 6.0), ("The daring for left.", 60.0, -1.5)))
    assert [one.text for one in repair([one, other], CAST, lexicon())[0]] == ["Old Dharamvir laughed.",
                                                                             "The Dharamvir left."]
    assert repair([other], CAST, lexicon())[1] == ()


def test_what_the_sound_made_a_name_once_is_that_name_elsewhere() -> None:
    heard = [replace(segment("Is Moritra at home?"), alternatives=(Alternative(1, 1, "Malhotra", 4.0, 0.7),)),
             segment("The Moritra family.", at=60.0)]
    assert [one.text for one in repair(heard, CAST, lexicon())[0]] == ["Is Malhotra at home?", "The Malhotra family."]


LETTERS = st.text(st.sampled_from("abeikmnrstuSKB '.,?राज़ी-"), min_size=1, max_size=8).filter(str.strip)


@given(st.lists(LETTERS, min_size=1, max_size=8))
def test_whatever_is_heard_text_and_times_stay_whole(words: list[str]) -> None:
    heard = segment(" ".join(" ".join(words).split()))
    (found,), changes = repair([heard], CAST, lexicon())
    assert found.words[0].start == heard.words[0].start and found.words[-1].end == heard.words[-1].end
    assert all(a.start <= a.end <= b.start <= b.end for a, b in zip(found.words, found.words[1:], strict=False))
    assert found == heard or changes
    assert repair([heard], CAST, lexicon()) == ((found,), changes)
