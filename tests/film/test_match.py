from __future__ import annotations

import pytest

from cp_whisperx.engines.fake import ListedCatalogue
from cp_whisperx.film.facts import FilmFacts
from cp_whisperx.film.match import Match, Wanted, choose, runtime_fits, similarity


def film(number: int, title: str, year: int | None, minutes: float | None, language: str = "hi", original: str = "",
         *others: str) -> FilmFacts:
    return FilmFacts(title=title, original_title=original or None, year=year, original_language=language,
                     runtime_s=minutes * 60 if minutes else None, ids={"tmdb": str(number)}, alternative_titles=others)


DON_1978 = film(1, "Don", 1978, 175, "hi", "डॉन")
DON_2006 = film(2, "Don", 2006, 171, "hi", "डॉन")
DON_TAMIL = film(3, "Don", 2022, 163, "ta")
DDLJ = film(4, "Dilwale Dulhania Le Jayenge", 1995, 190, "hi", "दिलवाले दुल्हनिया ले जायेंगे", "DDLJ")
DEVDAS = (film(5, "Devdas", 2002, 185), film(6, "Devdas", 1955, 159), film(7, "Devdas", 1935, 139))
BAZAAR = (film(8, "Bazaar", 2018, None), film(9, "Bazaar", 2018, None))
TWINS = (film(10, "Judwaa", 1997, 150, "hi"), film(11, "Judwaa", 1997, 151, "te"))
ALL = (DON_1978, DON_2006, DON_TAMIL, DDLJ, *DEVDAS, *BAZAAR, *TWINS)


def match(title: str, year: int | None, minutes: float | None, languages: tuple[str, ...] = ()) -> Match:
    catalogue = ListedCatalogue(ALL)
    hits = catalogue.search(title, year) or catalogue.search(title, None)
    return choose(hits, Wanted(title, year, minutes * 60 if minutes else None, languages),
                  lambda hit: catalogue.film(hit.ids["tmdb"]))


@pytest.mark.parametrize(("title", "year", "minutes", "languages", "number"), [
    ("Don", 2006, 171, (), "2"),
    ("Don", 2007, 171, (), "2"),
    ("don", None, 158, (), "3"),
    ("Dilwale Dulhaniya Le Jayenge", 1995, 182.4, (), "4"),
    ("दिलवाले दुल्हनिया ले जाएंगे", 1995, 190, (), "4"),
    ("DDLJ", 1995, 189, (), "4"),
    ("Devdas", None, 159, (), "6"),
    ("Devdas", 1935, None, (), "7"),
    ("Judwaa", 1997, 150, ("hi",), "10"),
    ("Judwaa", 1997, 150, ("te",), "11"),
])
def test_the_film_is_found(title: str, year: int | None, minutes: float | None, languages: tuple[str, ...],
                           number: str) -> None:
    found = match(title, year, minutes, languages).film
    assert found is not None and found.ids["tmdb"] == number


@pytest.mark.parametrize(("title", "year", "minutes", "reason"), [
    ("Don", 2006, 14, "“Don” (2006) runs 14:00, and “Don” (2006, tmdb:2) 2:51:00: another film, or a part of it"),
    ("Don", None, 173, "“Don” may be “Don” (1978, tmdb:1) or “Don” (2006, tmdb:2): neither was used"),
    ("Devdas", None, None, "“Devdas” is not clearly"),
    ("Bazaar", 2018, 140, "may be “Bazaar” (2018, tmdb:8) or “Bazaar” (2018, tmdb:9): neither was used"),
    ("Judwaa", 1997, 150, "neither was used"),
    ("Don Quixote of the Mancha", 2006, 171, "no film called “Don Quixote of the Mancha” (2006) is known there"),
    ("Sholay", 1975, 204, "no film called “Sholay” (1975) is known there"),
    ("Don", 1990, 171, "no film called “Don” (1990) is known there"),
])
def test_what_is_not_clear_is_not_used(title: str, year: int | None, minutes: float | None, reason: str) -> None:
    found = match(title, year, minutes)
    assert found.film is None
    assert reason in found.reason


@pytest.mark.parametrize(("runtime", "duration", "fits"), [
    (190, 190, True), (190, 182.4, True), (190, 199, True), (190, 179, False), (190, 201, False), (1, 1.4, True),
    (None, 190, False), (190, None, False), (0, 0, False)])
def test_running_times(runtime: float | None, duration: float | None, fits: bool) -> None:
    assert runtime_fits(runtime and runtime * 60, duration and duration * 60) is fits


def test_titles_are_compared_as_people_read_them() -> None:
    assert similarity(film(1, "Chak De! India", 2007, 1), "chak de india") == 1
    assert similarity(film(1, "Tom & Jerry", 2007, 1), "Tom and Jerry") == 1
    assert similarity(film(1, "Amélie", 2001, 1), "Amelie") == 1
    assert similarity(film(1, "Amélie", 2001, 1), "Don") < 0.5
