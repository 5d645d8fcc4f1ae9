from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.artifacts import Credit, Film, Name
from cp_whisperx.engines.protocols import Entity
from cp_whisperx.film import characters
from cp_whisperx.names.glossary import build, proper_nouns
from cp_whisperx.names.hints import hints


def film(*roles: str, **known: Any) -> Film:
    credits = tuple(Credit(person=f"Actor {'ABCDEFGH'[order]}name", characters=characters.names(role), order=order)
                    for order, role in enumerate(roles))
    return Film.model_validate({
        "title": None, "original_title": None, "year": None, "original_language": None, "runtime_s": None, "ids": {},
        "alternative_titles": (), "credits": credits, "keywords": (), "places": (), "overview": "", "extra_names": (),
        "sources": (), "lacked": (), "attribution": ""} | known)


def by_name(names: tuple[Name, ...]) -> dict[str, Name]:
    return {name.canonical: name for name in names}


def test_a_character_is_called_by_whole_name_given_name_and_surname() -> None:
    found = by_name(build(film("Chaudhry Baldev Singh"), ()))
    assert {"Chaudhry Baldev Singh", "Chaudhry", "Baldev", "Singh"} <= found.keys()
    assert found["Baldev"].weight > 0.8 > found["Aname"].weight


@pytest.mark.parametrize(("role", "never"), [
    ("Inspector Khan", "Inspector"), ("Dr. Rao", "Dr."), ("Simran's Aunt", "Aunt"), ("Man at the station", "station")])
def test_titles_and_descriptions_are_no_names(role: str, never: str) -> None:
    assert never not in by_name(build(film(role), ()))


def test_the_strongest_source_decides() -> None:
    found = build(film("Simran", places=("Amritsar",)), [Entity("Simran", "PERSON"), Entity("Punjab", "GPE")],
                  ["Simran"])
    assert found[0].canonical == "Simran" and found[0].source == "added by hand" and found[0].weight == 1.0
    assert {name.canonical: name.kind for name in found}["Punjab"] == "place"
    assert [name.canonical for name in found].count("Simran") == 1


def test_a_name_that_is_a_word_weighs_less() -> None:
    found = by_name(build(film("Will", "Kuljeet"), ()))
    assert found["Will"].weight < found["Kuljeet"].weight


def test_two_scripts_are_one_name() -> None:
    found = by_name(build(film("Simran Singh", extra_names=("सिमरन", "कुलजीत")), ()))
    assert found["Simran"].variants == ("सिमरन",) and "सिमरन" not in found
    assert found["कुलजीत"].variants == ("Kuljit",)


PLOTS = {
    "The bandit rules the hills of Ramgarh. Thakur fears him, as does (Veeru), the guest of Jaidev's aunt.":
        ["Ramgarh", "Veeru", "Jaidev"],
    "They fled to Bhopal! Nobody followed.": ["Bhopal"],
    "At Christmas a Frenchman sings in London.": [],
}


@pytest.mark.parametrize("plot", PLOTS)
def test_names_that_no_list_knows_are_found_in_a_plot(plot: str) -> None:
    found = [entity.text for entity in proper_nouns(plot, [Entity("Christmas", "DATE"), Entity("Frenchman", "NORP"),
                                                           Entity("London", "GPE")])]
    assert [name for name in found if name != "London"] == PLOTS[plot]


def test_a_place_of_the_plot_is_expected_when_listening() -> None:
    plot = "A wedding waits in the village of Ramgarh."
    names = build(film("Simran"), proper_nouns(plot, ()))
    assert hints(names, budget=9, tokens=lambda text: len(text.split())) == "Simran, Ramgarh"


def test_nothing_is_expected_of_an_unknown_film() -> None:
    assert build(film(), ()) == ()


@pytest.mark.media
def test_the_recorded_credits_of_a_film(shared_media: Path) -> None:
    folder = shared_media / "metadata" / "tmdb"
    cast = json.loads((folder / "movie_19404_ddlj_1995_credits.json").read_text(encoding="utf-8"))["cast"]
    details = json.loads((folder / "movie_19404_ddlj_1995_details.json").read_text(encoding="utf-8"))
    credits = tuple(Credit(person=one["name"], characters=characters.names(one["character"]), order=one["order"])
                    for one in cast)
    found = by_name(build(film(title=details["title"], original_title=details["original_title"], credits=credits), ()))
    for name in ("Raj", "Malhotra", "Simran", "Baldev", "Dharamvir", "Ajit", "Lajjo", "Lajwanti", "Chutki",
                 "Rajeshwari", "Preeti", "Kuljeet"):
        assert found[name].weight > 0.5 or name in ("Raj", "Preeti"), name
    assert found["Shah Rukh Khan"].weight < 0.3
    assert not {"Grandmother", "Aunt", "Man", "Guest", "friend"} & found.keys()
