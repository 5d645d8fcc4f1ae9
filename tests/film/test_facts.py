from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.artifacts import Credit
from cp_whisperx.film.facts import FilmFacts, clean, merged, unique

STRONG = FilmFacts(title="DDLJ", year=1995, ids={"tmdb": "1"}, overview="",
                   credits=(Credit(person="kajol", characters=("Simran",)), Credit(person="A. Chopra", job="director")))
WEAK = FilmFacts(title="Dilwale Dulhania", original_title="दिलवाले", year=1996, original_language="hi", runtime_s=60.0,
                 ids={"tmdb": "2", "imdb": "tt3"}, alternative_titles=("ddlj", "Brave Heart"), overview="Raj.",
                 credits=(Credit(person="Kajol", characters=("Simran Singh",), order=1),
                          Credit(person="A. Chopra", job="writer"), Credit(person="Amrish Puri")),
                 keywords=("wedding",), places=("London",), extra_names=("Lajjo",))


def test_the_stronger_wins_and_the_weaker_adds() -> None:
    assert merged(STRONG, WEAK) == FilmFacts(
        title="DDLJ", original_title="दिलवाले", year=1995, original_language="hi", runtime_s=60.0,
        ids={"tmdb": "1", "imdb": "tt3"}, alternative_titles=("Dilwale Dulhania", "Brave Heart"), overview="Raj.",
        credits=(Credit(person="kajol", characters=("Simran",), order=1), Credit(person="A. Chopra", job="director"),
                 Credit(person="A. Chopra", job="writer"), Credit(person="Amrish Puri")),
        keywords=("wedding",), places=("London",), extra_names=("Lajjo",))


def test_all_roles_of_one_source_are_kept() -> None:
    """Two entries of an .nfo for one actor; another source's spelling of the role does not come on top."""
    twice = FilmFacts(credits=(Credit(person="Voice", characters=("Simran",), order=0),
                               Credit(person="Kajol", characters=("Lajjo",), order=1),
                               Credit(person="voice", characters=("Rajveer", "simran"), order=3)))
    wanted = (Credit(person="Voice", characters=("Simran", "Rajveer"), order=0),
              Credit(person="Kajol", characters=("Lajjo",), order=1))
    other = FilmFacts(credits=(Credit(person="VOICE", characters=("Simran Singh",)),))
    assert merged(FilmFacts(), twice).credits == merged(twice, FilmFacts()).credits == wanted
    assert merged(twice, other).credits == wanted


def test_nothing_added_changes_nothing() -> None:
    assert merged(WEAK, FilmFacts()) == WEAK
    assert merged(FilmFacts(), STRONG) == STRONG
    assert merged(WEAK, WEAK) == WEAK.model_copy(update={"alternative_titles": WEAK.alternative_titles})


def test_text_is_cleaned() -> None:
    assert clean("  Raj\t\n\0 Malhotra \u202e\u200b") == "Raj Malhotra"
    assert clean("e\u0301") == "é"
    assert clean("क्\u200dष") == "क्\u200dष", "a joiner shapes Devanagari"
    assert clean(None) == clean(7) == ""
    assert clean("x" * 500) == "x" * 200
    assert unique(["Raj", "", "RAJ", "raj ", "Simran"]) == ("Raj", "Simran")


@given(st.text(st.characters(), max_size=100))
def test_clean_text_is_writable_and_stays(text: str) -> None:
    once = clean(text)
    once.encode()
    assert clean(once) == once
