from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.artifacts import Credit
from cp_whisperx.engines.answers import FRESH_S, KEEP_S, Answers
from cp_whisperx.engines.tmdb import Tmdb
from cp_whisperx.engines.web import Limits
from cp_whisperx.errors import EngineError
from tests.film.server import OLD_KEY, TOKEN, ddlj, document, raw, serving

LIMITS = Limits(connect_s=2.0, answer_s=2.0, tries=1)
SMALL = {"id": 7, "title": "Aag", "original_title": "आग", "release_date": "1948-08-06", "runtime": 138,
         "original_language": "hi"}


def tmdb(url: str, folder: Path, key: str = TOKEN, now: float = 0.0) -> Tmdb:
    return Tmdb(key, Answers(folder, clock=lambda: now), base_url=url, limits=LIMITS)


@pytest.mark.media
def test_the_recorded_film(shared_media: Path, tmp_path: Path) -> None:
    with serving({"/movie/19404": document(ddlj(shared_media))}) as server:
        film = tmdb(server.url, tmp_path).film("19404")
        ((_, query, headers),) = server.asked
    assert set(query["append_to_response"][0].split(",")) >= {"credits", "keywords", "alternative_titles"}
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert film is not None
    assert (film.title, film.original_title, film.year, film.original_language, film.runtime_s) == (
        "Dilwale Dulhania Le Jayenge", "दिलवाले दुल्हनिया ले जायेंगे", 1995, "hi", 190 * 60)
    assert film.ids == {"tmdb": "19404", "imdb": "tt0112870"}
    assert film.credits[:2] == (Credit(person="Shah Rukh Khan", characters=("Raj Malhotra",), order=0),
                                Credit(person="Kajol", characters=("Simran Singh",), order=1))
    by_person = {credit.person: credit.characters for credit in film.credits if credit.job == "actor"}
    assert by_person["Farida Jalal"] == ("Lajwanti Singh", "Lajjo")
    assert by_person["Pooja Ruparel"] == ("Rajeshwari", "Chutki")
    assert by_person["Himani Shivpuri"] == ("Simran",)
    assert by_person["Uday Chopra"] == by_person["Surendra Rahi"] == by_person["Damyanti Puri"] == ()
    crew = {(credit.person, credit.job) for credit in film.credits if credit.job != "actor"}
    assert ("Aditya Chopra", "director") in crew and ("Lata Mangeshkar", "playback singer") in crew
    assert not {job for _, job in crew} & {"makeup artist", "hairstylist", "production manager"}
    assert film.keywords == ("arranged marriage",)
    assert film.places == ("London", "England", "Punjab", "India")
    assert film.alternative_titles == ("DDLJ", "The Big Hearted Will Take the Bride", "दिलवाले दुल्हनिया ले जाएंगे")
    assert film.overview.startswith("Raj is a rich, carefree")


@pytest.mark.media
def test_a_recorded_search(shared_media: Path, tmp_path: Path) -> None:
    page = json.loads((shared_media / "metadata" / "tmdb" / "search_the_story.json").read_bytes())
    with serving({"/search/movie": document(page)}) as server:
        hits = tmdb(server.url, tmp_path).search("the story", 2018)
        ((_, query, _),) = server.asked
    assert query["query"] == ["the story"] and query["year"] == ["2018"]
    assert len(hits) == len(page["results"]) == 20
    assert [hit.ids["tmdb"] for hit in hits] == [str(one["id"]) for one in page["results"]]
    assert sum(hit.original_language == "hi" for hit in hits) == 1


def test_an_imdb_id_leads_to_the_film(tmp_path: Path) -> None:
    with serving({"/find/tt0000007": document({"movie_results": [SMALL], "tv_results": []}),
                  "/find/tt0000008": document({"movie_results": []})}) as server:
        catalogue = tmdb(server.url, tmp_path)
        assert catalogue.by_imdb("tt0000007") == "7"
        assert catalogue.by_imdb("tt0000008") is None
        assert catalogue.by_imdb("tt0000009") is None
        assert catalogue.film("8") is None
    assert [query["external_source"] for path, query, _ in server.asked if path.startswith("/find")] == \
        [["imdb_id"]] * 3


@pytest.mark.parametrize("key", [TOKEN, OLD_KEY])
def test_the_token_is_in_a_header_and_never_in_an_address(key: str, tmp_path: Path) -> None:
    with serving({"/movie/7": document(SMALL)}) as server:
        assert tmdb(server.url, tmp_path, key).film("7") is not None
        ((_, query, headers),) = server.asked
    assert ("Authorization" in headers) == (key == TOKEN)
    assert query.get("api_key") == ([OLD_KEY] if key == OLD_KEY else None)
    assert all(key not in path.read_text() + path.name for path in tmp_path.iterdir())


GARBAGE: dict[str, Any] = {
    "a list": [], "a text": "film", "a number": 7, "nothing": None, "empty": {}, "another id": SMALL | {"id": "x"},
    "credits of text": SMALL | {"credits": "many"}, "cast of text": SMALL | {"credits": {"cast": ["Raj"]}},
    "runtime of text": SMALL | {"runtime": "long"}, "titles": SMALL | {"alternative_titles": {"titles": [[]]}},
    "keywords": SMALL | {"keywords": [1, 2]},
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
def test_an_answer_of_another_form_is_one_sentence_and_not_kept(answer: Any, tmp_path: Path) -> None:
    with serving({"/movie/7": document(answer)}) as server:
        if answer is None:
            assert tmdb(server.url, tmp_path).film("7") is None
        else:
            with pytest.raises(EngineError, match="TMDB sent an answer that is not what it documents"):
                tmdb(server.url, tmp_path).film("7")
    assert not list(tmp_path.iterdir())


def test_gaps_in_an_answer_are_gaps_in_the_facts(tmp_path: Path) -> None:
    credits = {"cast": [{"name": None, "character": None}, {"name": "Raj\0"}], "crew": [{"name": "A", "job": None}]}
    bare = dict.fromkeys(SMALL) | {"id": 7, "release_date": "soon", "imdb_id": "tt1", "runtime": 0, "credits": credits}
    with serving({"/movie/7": document(bare)}) as server:
        film = tmdb(server.url, tmp_path).film("7")
    assert film is not None
    assert (film.title, film.year, film.runtime_s, film.ids) == (None, None, None, {"tmdb": "7"})
    assert film.credits == (Credit(person="Raj"),)


@pytest.mark.parametrize(("code", "language"), [
    ("hi", "hi"), ("cn", "yue"), ("xx", None), ("", None), ("HI-in", "hi"), ("bh", "bh"), ("?", None), (None, None)])
def test_languages_are_those_that_whisper_has(code: str | None, language: str | None, tmp_path: Path) -> None:
    with serving({"/movie/7": document(SMALL | {"original_language": code})}) as server:
        film = tmdb(server.url, tmp_path).film("7")
    assert film is not None and film.original_language == language


def test_a_fresh_answer_is_not_asked_for_again_and_an_old_one_helps_out(tmp_path: Path) -> None:
    with serving({"/movie/7": [document(SMALL), document(SMALL | {"runtime": 140}), raw(b"", 503)]}) as server:
        def minutes(now: float, key: str = TOKEN) -> float:
            film = tmdb(server.url, tmp_path, key, now).film("7")
            assert film and film.runtime_s
            return film.runtime_s / 60

        assert minutes(0.0) == minutes(FRESH_S) == 138
        assert len(server.asked) == 1
        assert minutes(FRESH_S + 1) == 140
        assert minutes(3 * FRESH_S) == 140, "the server is in trouble"
        assert minutes(3 * FRESH_S, key="") == 140, "there is no key"
        assert len(server.asked) == 3
        with pytest.raises(EngineError, match="TMDB is in trouble"):
            minutes(FRESH_S + KEEP_S + 2)


def test_without_a_key_nothing_is_asked(tmp_path: Path) -> None:
    with serving({"/movie/7": document(SMALL)}) as server:
        with pytest.raises(EngineError, match="TMDB was not asked, since there is no key") as caught:
            tmdb(server.url, tmp_path, key="").film("7")
        assert "TMDB_TOKEN" in caught.value.hint
        assert not server.asked
