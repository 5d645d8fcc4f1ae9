from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx import pipeline, settings
from cp_whisperx.artifacts import Film
from cp_whisperx.engines.answers import Answers
from cp_whisperx.engines.fake import ListedCatalogue
from cp_whisperx.engines.tmdb import Tmdb
from cp_whisperx.errors import ConfigError
from cp_whisperx.film.clues import Clues
from cp_whisperx.film.facts import FilmFacts
from cp_whisperx.job import Job
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.runners.local import LocalRunner
from cp_whisperx.stage import Tools, is_current, run_stage
from cp_whisperx.stages.tmdb import STAGE, Options, identify
from tests.film.server import OLD_KEY, TOKEN, Behaviour, ddlj, document, dripping, raw, refused, serving, silent

NFO = """<movie><title>Dilwale</title><uniqueid type="tmdb">{id}</uniqueid>
<actor><name>Kajol</name><role>Simran / Simmi</role></actor>
<actor><name>Somebody</name><role>Pinky</role></actor></movie>
"""
SMALL = {"id": 7, "title": "Aag", "original_title": "आग", "release_date": "1948-08-06", "runtime": 138,
         "imdb_id": "tt0000007", "original_language": "hi",
         "credits": {"cast": [{"name": "Nargis", "character": "Nimmi (as Nargis)", "order": 0}]}}


@pytest.fixture(autouse=True)
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key and no cache of whoever runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in list(os.environ):
        if name.startswith("TMDB_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of a second; what plays in it does not matter here."""
    path = tmp_path / "shelf" / "Aag (1948)" / "Aag.1948.wav"
    path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    return path


def prepare(film: Path, tmp_path: Path, **options: object) -> Job:
    return pipeline.prepare(film, settings.load(
        {"jobs": tmp_path / "out", **{f"stages.tmdb.{name}": value for name, value in options.items()}},
        environment={}))


def run(film: Path, tmp_path: Path, **options: object) -> Film:
    job = prepare(film, tmp_path, **options)
    run_stage(STAGE, job, ModelStore(tmp_path / "models"))
    return Film.read(job.stage_folder("tmdb"))


def tools(folder: Path) -> Tools:
    log = logging.getLogger("cp_whisperx.tmdb")
    return Tools(folder, folder / "film.mkv", "film", None, ModelStore(folder), "cpu", 1, log, Progress("tmdb", log))


def told(clues: Clues, folder: Path, catalogue: ListedCatalogue, **options: Any) -> tuple[Film, list[str]]:
    given = tools(folder)
    return identify(catalogue, clues, Options(**options), given), given.warnings


# Which film it is

ONE = FilmFacts(title="Don", year=1978, ids={"tmdb": "1", "imdb": "tt0000001"}, runtime_s=10_000)
TWO = FilmFacts(title="Don", year=2006, ids={"tmdb": "2", "imdb": "tt0000002"}, runtime_s=8_000)
ABOUT_TWO = FilmFacts(title="Don", ids={"imdb": "tt0000002"})


@pytest.mark.parametrize(("film_id", "clues", "found", "source"), [
    ("tmdb:1", Clues(nfo=FilmFacts(title="Don"), path_ids={"tmdb": "2"}), "1", "tmdb:1 of the command line"),
    ("tt0000001", Clues(path_ids={"tmdb": "2"}), "1", "tt0000001 of the command line"),
    ("1", Clues(), "1", "tmdb:1 of the command line"),
    (None, Clues(nfo=ABOUT_TWO, nfo_file="a.nfo", path_ids={"tmdb": "1"}), "2", "tt0000002 of a.nfo"),
    (None, Clues(nfo=FilmFacts(title="x", ids={"tmdb": "99"}), nfo_file="a.nfo", path_ids={"tmdb": "1"}), "1",
     "tmdb:1 of the path"),
    (None, Clues(path_ids={"tmdb": "1"}, title="Don", year=2006, duration_s=10_000), "1", "tmdb:1 of the path"),
    (None, Clues(title="Don", duration_s=8_000), "2", "title and running time agree"),
    (None, Clues(title="Don", year=1978, duration_s=9_990), "1", "title, year and running time agree"),
    (None, Clues(title="Don", year=2005, duration_s=8_000), "2", "title, year and running time agree"),
    (None, Clues(nfo=FilmFacts(title="Don", year=1978), title="Aag", duration_s=10_000), "1",
     "title, year and running time agree"),
])
def test_the_first_source_that_answers_decides(film_id: str | None, clues: Clues, found: str, source: str,
                                               tmp_path: Path) -> None:
    film, _ = told(clues, tmp_path, ListedCatalogue([ONE, TWO]), film_id=film_id)
    assert film.ids["tmdb"] == found
    assert f"the list ({source})" in film.sources
    assert film.attribution == ListedCatalogue.notice


@pytest.mark.parametrize(("film_id", "clues", "lacked"), [
    ("tmdb:9", Clues(path_ids={"tmdb": "1"}), "the list knows no film 9, the id of the command line"),
    (None, Clues(title="Don", duration_s=60), "the list: “Don” runs 1:00, and “Don” (1978, tmdb:1) 2:46:40"),
    (None, Clues(title="Don", duration_s=8_900), "the list: “Don” runs"),
    (None, Clues(title="Aag", year=1948), "the list: no film called “Aag” (1948) is known there"),
])
def test_what_was_not_found_is_told(film_id: str | None, clues: Clues, lacked: str, tmp_path: Path) -> None:
    film, _ = told(clues, tmp_path, ListedCatalogue([ONE, TWO]), film_id=film_id)
    assert "tmdb" not in film.ids and not film.attribution
    assert any(one.startswith(lacked) for one in film.lacked), film.lacked


def test_after_one_failure_nothing_more_is_asked(tmp_path: Path) -> None:
    catalogue = ListedCatalogue([], offline=True)
    film, warnings = told(Clues(nfo=ABOUT_TWO, nfo_file="a.nfo", path_ids={"tmdb": "1"}, title="Don"), tmp_path,
                          catalogue)
    assert len(catalogue.asked) == 1
    assert film.lacked == ("the list could not be reached: no connection",)
    assert len(warnings) == 1 and "to ask again, delete the folder tmdb of this job" in warnings[0]
    assert (film.title, film.sources) == ("Don", ("a.nfo",))


def test_what_contradicts_is_told(tmp_path: Path) -> None:
    clues = Clues(nfo=ABOUT_TWO.model_copy(update={"title": "Do"}), nfo_file="a.nfo", duration_s=60.0)
    film, warnings = told(clues, tmp_path, ListedCatalogue([ONE, TWO]), film_id="tmdb:1")
    assert film.ids["imdb"] == "tt0000001" and film.alternative_titles == ()
    assert warnings[0].startswith("a.nfo is about another film")
    assert warnings[1].startswith("the list gives 2:46:40 for Don, and this film runs 1:00")


@pytest.mark.parametrize("film_id", ["Don", "tt12", "tmdb:", "imdb:5", "tmdb:1/../2", "tt0000001?api_key=x", "-1"])
def test_what_is_no_id_is_refused(film_id: str, film: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"setting stages\.tmdb\.film_id: .* is no id of a film"):
        prepare(film, tmp_path, film_id=film_id)


# The stage as a whole

@pytest.mark.media
def test_the_recorded_film_becomes_the_artifact(film: Path, shared_media: Path, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMDB_TOKEN", TOKEN)
    (film.with_suffix(".nfo")).write_text(NFO.format(id=19404))
    (tmp_path / "names.txt").write_text("Bauji = Amrish Puri\nPunjab\n")
    with serving({"/movie/19404": document(ddlj(shared_media))}) as server:
        first = run(film, tmp_path, base_url=server.url, cast=str(tmp_path / "names.txt"))
    assert (first.title, first.original_language, first.year) == ("Dilwale Dulhania Le Jayenge", "hi", 1995)
    by_person = {credit.person: credit.characters for credit in first.credits if credit.job == "actor"}
    assert by_person["Amrish Puri"] == ("Bauji",), "the user's own file is the strongest"
    assert by_person["Kajol"] == ("Simran Singh",), "the catalogue is stronger than the .nfo"
    assert by_person["Somebody"] == ("Pinky",), "which adds what it alone has"
    assert first.extra_names == ("Punjab",)
    assert first.sources == ("the cast file names.txt", "TMDB (tmdb:19404 of Aag.1948.nfo)", "Aag.1948.nfo")
    assert first.alternative_titles[-1] == "Dilwale"
    assert first.attribution == Tmdb.notice and "not endorsed" in first.attribution
    assert first.lacked == ()


@pytest.mark.media
@pytest.mark.parametrize(("title", "year", "minutes", "number"), [
    ("Parmanu The Story of Pokhran", 2018, 126, 465642),
    ("Perfume The Story of a Murderer", None, 147, 1427),
    ("The Story", None, 100, None),
])
def test_one_of_many_that_are_called_alike(title: str, year: int | None, minutes: int, number: int | None,
                                           shared_media: Path, tmp_path: Path) -> None:
    """A recorded page of results; the running times are ours, and all alike, so that the title decides."""
    page = json.loads((shared_media / "metadata" / "tmdb" / "search_the_story.json").read_bytes())
    answers = {"/search/movie": document(page), **{
        f"/movie/{one['id']}": document(one | {"runtime": minutes}) for one in page["results"]}}
    with serving(answers) as server:
        found = identify(Tmdb(TOKEN, Answers(tmp_path / "cache"), base_url=server.url),
                         Clues(title=title, year=year, duration_s=minutes * 60.0), Options(), tools(tmp_path))
    assert found.ids.get("tmdb") == (str(number) if number else None)
    assert len(server.paths) <= 7
    if number is None:
        assert "neither was used" in found.lacked[0] or "no film called" in found.lacked[0]


@pytest.mark.media
@pytest.mark.parametrize(("name", "duration_s", "found"), [
    ("Dilwale Dulhania Le Jayenge", 11_400.0, True),
    ("Dilwale Dulhaniya Le Jayenge", 10_944.0, True),
    ("दिलवाले दुल्हनिया ले जाएंगे", 11_400.0, True),
    ("Dilwale Dulhania Le Jayenge", 5_700.0, False),
    ("Dilwale", 11_400.0, False),
])
def test_a_film_is_found_by_its_name_and_confirmed_by_its_length(
        name: str, duration_s: float, found: bool, shared_media: Path, tmp_path: Path) -> None:
    movie = ddlj(shared_media)
    page = json.loads((shared_media / "metadata" / "tmdb" / "movie_19404_ddlj_1995_recommendations.json").read_bytes())
    others = [one for one in page["results"] if one["id"] != 19404]
    brief = {key: movie[key] for key in others[0] if key in movie}
    answers = {"/search/movie": document(page | {"results": [*others, brief]}), "/movie/19404": document(movie), **{
        f"/movie/{one['id']}": document(one | {"runtime": 190}) for one in others}}
    with serving(answers) as server:
        film = identify(Tmdb(TOKEN, Answers(tmp_path / "cache"), base_url=server.url),
                        Clues(title=name, year=1995, duration_s=duration_s), Options(), tools(tmp_path))
    assert (film.ids.get("imdb") == "tt0112870") is found
    assert found or (film.title == name and film.lacked)


TROUBLES: dict[str, tuple[Behaviour, str]] = {
    "401": (refused(7, 401), "TMDB refused the key (401, code 7)"),
    "404": (refused(34, 404), "TMDB knows no film 7, the id of Aag.1948.nfo"),
    "429": (refused(25, 429, Retry_After="4000"), "TMDB had too many requests (429, code 25) and wants 4000 s"),
    "500": (raw(b"", 500, Retry_After="0"), "TMDB is in trouble (500)"),
    "garbage": (raw(b"\x00\xff<html>"), "TMDB sent something that is no JSON"),
    "another form": (document(["Aag"]), "TMDB sent an answer that is not what it documents"),
    "cut off": (raw(b'{"id": 7, "ti', length=900), "TMDB cut its answer off or garbled it"),
    "silent": (silent, "TMDB sent no whole answer within 0.5 s"),
    "dripping": (dripping, "TMDB sent no whole answer within 0.5 s"),
}


@pytest.mark.parametrize(("behaviour", "sentence"), TROUBLES.values(), ids=TROUBLES)
def test_whatever_the_server_does_the_stage_succeeds_from_what_is_local(
        behaviour: Behaviour, sentence: str, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMDB_TOKEN", TOKEN)
    monkeypatch.setattr("time.sleep", lambda _: None)
    film.with_suffix(".nfo").write_text(NFO.format(id=7))
    with serving({"/movie/7": behaviour}) as server:
        found = run(film, tmp_path, base_url=server.url, connect_s=10, answer_s=0.5 if "within" in sentence else 10)
        record = prepare(film, tmp_path, base_url=server.url, film_id=None).record("tmdb")
    assert found.lacked and found.lacked[0].startswith(sentence)
    assert record and (bool(record.warnings) == (sentence != TROUBLES["404"][1]))
    assert found.title == "Dilwale" and found.credits[0].characters == ("Simran", "Simmi")
    assert found.sources == ("Aag.1948.nfo",) and found.attribution == ""


def test_after_too_many_requests_it_waits_as_it_is_asked(film: Path, tmp_path: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMDB_TOKEN", TOKEN)
    with serving({"/movie/7": [refused(25, 429, Retry_After="0"), document(SMALL)]}) as server:
        found = run(film, tmp_path, base_url=server.url, film_id="tmdb:7")
    assert server.paths == ["/movie/7", "/movie/7"]
    assert (found.title, found.lacked) == ("Aag", ())


def test_without_a_key_no_name_server_is_asked(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    for name in ("getaddrinfo", "gethostbyname", "create_connection", "socket"):
        monkeypatch.setattr(socket, name, forbidden)
    for loaded in ("httpx2", "httpcore2"):
        monkeypatch.setitem(sys.modules, loaded, None)
    film.with_suffix(".nfo").write_text(NFO.format(id=7))
    found = run(film, tmp_path)
    assert found.title == "Dilwale"
    assert found.lacked == ("TMDB was not asked, since there is no key (set TMDB_TOKEN or TMDB_TOKEN_FILE)",)


def test_a_name_server_that_says_nothing_costs_a_moment(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                       ) -> None:
    monkeypatch.setenv("TMDB_TOKEN", TOKEN)
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60))
    try:
        found = run(film, tmp_path, base_url="http://nobody.invalid/3", connect_s=0.2)
        assert not over.is_set()
    finally:
        over.set()
    assert found.lacked[0].startswith("TMDB could not be reached: no connection within 0.2 s")
    assert (found.title, found.year, found.sources) == ("Aag", 1948, ("the film's name",))


def test_the_network_may_be_gone_once_the_film_is_known(film: Path, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMDB_TOKEN", TOKEN)
    with serving({"/movie/7": document(SMALL)}) as server:
        first = run(film, tmp_path, base_url=server.url, film_id="tmdb:7")
    shutil.rmtree(tmp_path / "out")
    monkeypatch.delenv("TMDB_TOKEN")
    assert run(film, tmp_path, base_url=server.url, film_id="tmdb:7") == first


@pytest.mark.parametrize(("key", "variable"), [(TOKEN, "TMDB_TOKEN"), (OLD_KEY, "TMDB_API_KEY_FILE")])
def test_the_key_is_in_no_file_no_log_and_no_argument(
        key: str, variable: str, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str]) -> None:
    """As the command runs it: with an answer, with a refusal, and without a server."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text(key + "\n")
    monkeypatch.setenv(variable, str(tmp_path / "secret" / "key") if variable.endswith("_FILE") else key)
    arguments: list[str] = []
    popen = subprocess.Popen

    def watched(command: list[str], **rest: Any) -> Any:
        arguments.extend(command)
        return popen(command, **rest)

    monkeypatch.setattr(subprocess, "Popen", watched)
    store = ModelStore(tmp_path / "models")
    with serving({"/movie/7": document(SMALL), "/movie/8": refused(7, 401)}) as server:
        for base, film_id in ((server.url, "tmdb:7"), (server.url, "tmdb:8"), ("http://127.0.0.1:1/3", "tmdb:7")):
            job = prepare(film, tmp_path, base_url=base, film_id=film_id)
            pipeline.run(job, store, LocalRunner(store.root), only="tmdb")
            said = "".join(capfd.readouterr()) + (job.stage_folder("tmdb") / "log.jsonl").read_text()
            assert key not in said
            seen = [Film.read(job.stage_folder("tmdb")).lacked, *arguments]
            assert key not in str(seen)
            for path in tmp_path.rglob("*"):
                if path.is_file() and path.parent.name != "secret":
                    assert key.encode() not in path.read_bytes(), path
                    assert key not in path.name
    assert server.paths == ["/movie/7", "/movie/8"]
    assert "could not be reached" in said and "cp_whisperx.stages" in arguments
    assert key not in settings.example() + str(settings.load(environment=dict(os.environ)))


def test_other_stages_are_not_given_the_key(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMDB_TOKEN", TOKEN)
    monkeypatch.setenv("TMDB_API_KEY_FILE", "/run/secrets/key")
    given: dict[str, dict[str, str]] = {}
    popen = subprocess.Popen

    def watched(command: list[str], **rest: Any) -> Any:
        given[command[3]] = dict(rest["env"])
        return popen(command, **rest)

    monkeypatch.setattr(subprocess, "Popen", watched)
    store = ModelStore(tmp_path / "models")
    job = prepare(film, tmp_path, base_url="http://127.0.0.1:1/3")
    for name in ("demux", "tmdb"):
        pipeline.run(job, store, LocalRunner(store.root, quiet=True), only=name)
    assert {name for name in given["tmdb"] if name.startswith("TMDB_")} == {"TMDB_TOKEN", "TMDB_API_KEY_FILE"}
    assert not [name for name in given["demux"] if name.startswith("TMDB_")]


# What changes the key

def change_nfo(film: Path, _: Path, patch: pytest.MonkeyPatch) -> None:
    film.with_suffix(".nfo").write_text(NFO.format(id=8))


def change_cast(_: Path, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    (tmp_path / "names.txt").write_text("Raj\n")


def give_key(_: Path, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("TMDB_TOKEN", TOKEN)


@pytest.mark.parametrize("change", [change_nfo, change_cast, give_key])
def test_a_change_beside_the_film_has_the_stage_redone(change: Callable[[Path, Path, pytest.MonkeyPatch], None],
                                                       film: Path, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    film.with_suffix(".nfo").write_text(NFO.format(id=7))
    (tmp_path / "names.txt").write_text("Simran\n")
    options = {"cast": str(tmp_path / "names.txt"), "base_url": "http://127.0.0.1:1/3"}
    store = ModelStore(tmp_path / "models")
    run_stage(STAGE, prepare(film, tmp_path, **options), store)
    assert is_current(STAGE, prepare(film, tmp_path, **options), store)
    change(film, tmp_path, monkeypatch)
    assert not is_current(STAGE, prepare(film, tmp_path, **options), store)


def test_a_job_carries_all_that_it_needs(film: Path, tmp_path: Path) -> None:
    """As in a container or on another machine: the film's folder and the user's files are not there."""
    film.with_suffix(".nfo").write_text(NFO.format(id=7))
    (tmp_path / "names.txt").write_text("Simran = Kajol\n")
    job = prepare(film, tmp_path, cast=str(tmp_path / "names.txt"))
    shutil.rmtree(film.parent)
    (tmp_path / "names.txt").unlink()
    run_stage(STAGE, job, ModelStore(tmp_path / "models"))
    found = Film.read(job.stage_folder("tmdb"))
    assert [credit.person for credit in found.credits] == ["Kajol", "Somebody"]
    request = json.loads((job.folder / "request.json").read_text())
    assert request["gathered"]["tmdb"]["cast"]["credits"][0]["characters"] == ["Simran"]


def test_the_same_gives_the_same_bytes(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMDB_TOKEN", TOKEN)
    with serving({"/movie/7": document(SMALL)}) as server:
        written = []
        for _ in range(2):
            shutil.rmtree(tmp_path / "out", ignore_errors=True)
            job = prepare(film, tmp_path, base_url=server.url, film_id="tmdb:7")
            run_stage(STAGE, job, ModelStore(tmp_path / "models"))
            written.append((job.stage_folder("tmdb") / "artifact.json").read_bytes())
    assert len(server.asked) == 1 and written[0] == written[1]


def test_a_cast_file_that_cannot_be_used_stops_before_a_job_is_made(film: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no cast file"):
        prepare(film, tmp_path, cast="nowhere.txt")
    assert not (tmp_path / "out").exists()
