from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import film_names
from cp_whisperx.film import naming

OWN = yaml.safe_load((Path(__file__).parent.parent / "cases" / "film_names.yaml").read_text("utf-8"))
YEAR_IN_TITLE = [case for case in OWN if re.match(r"(\d+\W|.*/\d)", case["name"])]


@pytest.mark.parametrize("case", YEAR_IN_TITLE, ids=lambda case: str(case["name"]))
def test_a_number_may_be_a_title(case: dict[str, object]) -> None:
    named = naming.guess(Path(str(case["name"])))
    assert (named.title, named.year, named.episode) == (case["title"], case.get("year"), False)


def test_names_of_indian_films() -> None:
    rates = film_names.rate(film_names.ours, film_names.own_cases())
    assert len(OWN) >= 36
    assert rates["both"] >= 0.94, rates["missed"]


@pytest.mark.media
def test_release_names_of_the_world(shared_media: Path) -> None:
    wanted = list(film_names.cases(shared_media / "metadata" / "guessit_movies.yml"))
    rates = film_names.rate(film_names.ours, wanted)
    assert len(wanted) > 180
    assert rates["both"] >= 0.95 and rates["title"] >= 0.96, rates["missed"]


@pytest.mark.parametrize("name", ["Show/Season 1/Show.S01E02.mkv", "Show.2x05.720p.mkv"])
def test_an_episode_is_told(name: str) -> None:
    assert naming.guess(Path(name)).episode


@pytest.mark.parametrize(("path", "ids"), [
    ("Film [tmdbid-19404].mkv", {"tmdb": "19404"}),
    ("Film (1995) {tmdb-19404}/film.mkv", {"tmdb": "19404"}),
    ("Film [tmdb=19404] [imdbid-tt0112870].mkv", {"tmdb": "19404", "imdb": "tt0112870"}),
    ("Film [TMDBID 19404].mkv", {"tmdb": "19404"}),
    ("Film (imdb-TT0112870).mkv", {"imdb": "tt0112870"}),
    ("Film tt0112870.mkv", {"imdb": "tt0112870"}),
    ("Shelf [tmdbid-1]/Film [tmdbid-2]/x.mkv", {"tmdb": "2"}),
    ("Film [tmdbid-1]/Film [tmdbid-2].mkv", {"tmdb": "2"}),
    ("far [tmdbid-1]/a/b/Film.mkv", {}),
    ("Film [tmdbid-tt0112870] [imdbid-19404].mkv", {"imdb": "tt0112870"}),
    ("Film [1995] (tmdb).mkv", {}),
    ("attt01128701.mkv", {}),
])
def test_ids_in_a_path(path: str, ids: dict[str, str]) -> None:
    assert naming.ids(Path(path)) == ids


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(blacklist_characters="/\0"), min_size=1, max_size=60))
def test_no_name_is_too_odd(name: str) -> None:
    path = Path("shelf", name)
    naming.ids(path)
    named = naming.guess(path)
    assert named.title is None or named.title.strip()
