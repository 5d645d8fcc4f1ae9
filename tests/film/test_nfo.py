from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.artifacts import Credit
from cp_whisperx.errors import MediaError
from cp_whisperx.film import nfo
from cp_whisperx.film.facts import FilmFacts

FULL = """<?xml version="1.0" encoding="{encoding}" standalone="yes"?>
<movie>
  <title>Dil Café</title><originaltitle>दिल</originaltitle>
  <premiered>1995-10-20</premiered><year>1996</year><runtime>190</runtime>
  <uniqueid type="imdb">tt0112870</uniqueid><uniqueid type="tmdb" default="true">19404</uniqueid>
  <plot>Raj &amp; Simran.</plot><tag>wedding</tag><director>A. Chopra,</director><credits>J. Siddiqui</credits>
  <actor><name>Kajol</name><role>Young Simran / Simmi (voice)</role><order>1</order></actor>
  <actor><name>Shah Rukh Khan</name><role>Raj</role><order>0</order></actor>
  <actor><name>A. Bakshi</name><type>Lyricist</type></actor>
  <actor><role>Nobody</role></actor>
</movie>
"""
HINDI = FULL.format(encoding="UTF-8")


def parse(text: str | bytes) -> FilmFacts:
    return nfo.parse(text if isinstance(text, bytes) else text.encode(), "Film.nfo")


def test_everything_that_is_asked_of_it() -> None:
    assert parse(HINDI) == FilmFacts(
        title="Dil Café", original_title="दिल", year=1995, runtime_s=190 * 60.0,
        ids={"imdb": "tt0112870", "tmdb": "19404"}, keywords=("wedding",), overview="Raj & Simran.",
        credits=(Credit(person="Kajol", characters=("Simran", "Simmi"), order=1),
                 Credit(person="Shah Rukh Khan", characters=("Raj",), order=0),
                 Credit(person="A. Bakshi", job="lyricist", order=2),
                 Credit(person="A. Chopra", job="director"), Credit(person="J. Siddiqui", job="writer")))


LATIN = FULL.replace("दिल", "Dil")
SAME: dict[str, bytes] = {
    "a mark in front": b"\xef\xbb\xbf" + HINDI.encode(),
    "UTF-16": FULL.format(encoding="UTF-16").encode("utf-16"),
    "UTF-16 that says UTF-8": HINDI.encode("utf-16"),
    "an address behind it": HINDI.encode() + b"\nhttps://www.themoviedb.org/movie/5\n",
    "an address in front": b"https://www.imdb.com/title/tt0112870/\n" + HINDI.encode(),
    "another film behind it": HINDI.encode() + b"<movie><title>Two</title></movie>",
    "broken behind it": HINDI.encode() + b"<movie><title>&oops;",
    "a bare ampersand": HINDI.replace("&amp;", "&").encode(),
    "an entity of HTML": HINDI.replace("é", "&eacute;").encode(),
    "names in capitals": HINDI.replace("title", "TITLE").replace("uniqueid", "UniqueId").encode(),
}


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_the_many_ways_of_writing_the_same(data: bytes) -> None:
    assert parse(data) == parse(HINDI)


@pytest.mark.parametrize("data", [
    LATIN.format(encoding="ISO-8859-1").encode("latin-1"),
    LATIN.format(encoding="windows-1252").encode("cp1252"),
    LATIN.format(encoding="UTF-8").encode("cp1252"),
    LATIN.split("?>", 1)[1].encode("cp1252"),
    LATIN.format(encoding="klingon").encode("utf-8"),
])
def test_encodings_that_are_declared_or_not(data: bytes) -> None:
    assert (parse(data).title, parse(data).original_title) == ("Dil Café", "Dil")


@pytest.mark.parametrize(("text", "ids"), [
    ("https://www.themoviedb.org/movie/583689\nhttps://www.imdb.com/title/tt4154796",
     {"tmdb": "583689", "imdb": "tt4154796"}),
    ("https://www.themoviedb.org/movie/19404-dilwale-dulhania-le-jayenge", {"tmdb": "19404"}),
    ("https://www.imdb.com/title/tt0112870/", {"imdb": "tt0112870"}),
    ("tt0112870", {"imdb": "tt0112870"}),
    ("<https://www.imdb.com/title/tt0112870/>", {"imdb": "tt0112870"}),
    ("<movie><tmdbid>19404</tmdbid><imdbid>tt0112870</imdbid></movie>", {"tmdb": "19404", "imdb": "tt0112870"}),
    ("<movie><tmdbId>19404</tmdbId></movie>", {"tmdb": "19404"}),
    ("<movie><id>tt0112870</id></movie>", {"imdb": "tt0112870"}),
    ('<movie><id TMDB="19404">tt0112870</id></movie>', {"tmdb": "19404", "imdb": "tt0112870"}),
    ('<movie><title>x</title><uniqueid type="tmdb">1/../../2?</uniqueid><uniqueid>9</uniqueid></movie>', {}),
])
def test_ids(text: str, ids: dict[str, str]) -> None:
    assert parse(text).ids == ids


LAUGHS = '<!DOCTYPE movie [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><movie><title>&b;</title></movie>'
OUTSIDE = '<!DOCTYPE movie [<!ENTITY x SYSTEM "file:///etc/passwd">]><movie><title>&x;</title></movie>'
WRONG: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "Film.nfo says nothing of a film"),
    "no title": ("<movie><thumb>x</thumb></movie>", "Film.nfo says nothing of a film"),
    "prose": ("Ripped by somebody", "Film.nfo says nothing of a film"),
    "a series": ("<tvshow><title>x</title></tvshow>", "something else than a film (<tvshow>)"),
    "entities of its own": (LAUGHS, "Film.nfo declares a document type"),
    "a file outside": (OUTSIDE, "Film.nfo declares a document type"),
    "cut off": (HINDI[:400], "Film.nfo is not well-formed XML"),
    "wrongly nested": ("<movie><title>a</movie></title>", "Film.nfo is not well-formed XML"),
    "too large": (b"<movie>" + b" " * nfo.MAX_BYTES, "Film.nfo is larger than 1 MB"),
    "too deep": ("<movie>" + "<a>" * 100, "more elements than"),
    "too many": ("<movie>" + "<a/>" * 60_000, "more elements than"),
    "a picture": (b"\x89PNG\r\n\x1a\n<\x00\xff", "Film.nfo"),
    "HTML": ("<html><body>themoviedb</body></html>", "something else than a film (<html>)"),
}


@pytest.mark.parametrize(("text", "sentence"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_one_sentence(text: str | bytes, sentence: str) -> None:
    with pytest.raises(MediaError) as caught:
        parse(text)
    assert sentence in caught.value.message
    assert "\n" not in caught.value.message


@given(st.one_of(
    st.binary(max_size=400),
    st.text(max_size=400).map(lambda text: f"<movie><title>{text}</title></movie>".encode("utf-8", "replace")),
    st.lists(st.sampled_from(["<movie>", "</movie>", "<actor>", "<name>", "</name>", "<role>", "a/b", "&", "&amp;", "<",
                              "<!DOCTYPE m>", "<![CDATA[", "]]>", "<?xml version='1.0' encoding='utf-16'?>", "\0", "é",
                              "<id>tt0112870</id>", "<year>1999", "tt0112870", "<!--", "&nbsp;"])
             ).map(lambda parts: "".join(parts).encode("latin-1"))))
def test_no_file_is_too_odd(data: bytes) -> None:
    try:
        facts = parse(data)
    except MediaError as error:
        assert "\n" not in error.message
    else:
        assert facts != FilmFacts()
        facts.model_dump_json()


@pytest.mark.media
def test_files_of_other_programs(shared_media: Path) -> None:
    said: dict[str, FilmFacts | str] = {}
    for path in (shared_media / "metadata" / "nfo").iterdir():
        try:
            said[path.name] = nfo.parse(path.read_bytes(), path.name)
        except MediaError as error:
            said[path.name] = error.message
    assert said.keys() == {"Fanart.nfo", "Imdb.nfo", "Radarr.nfo", "Justice League.nfo"}
    assert isinstance(said["Fanart.nfo"], str)
    assert said["Imdb.nfo"] == FilmFacts(ids={"imdb": "tt0944947"})
    assert said["Radarr.nfo"] == FilmFacts(ids={"tmdb": "583689", "imdb": "tt4154796"})
    league = said["Justice League.nfo"]
    assert isinstance(league, FilmFacts)
    assert (league.title, league.year, league.runtime_s) == ("Justice League", 2017, 7200.0)
    assert league.ids == {"tmdb": "141052", "imdb": "tt0974015"}
    assert league.credits[0] == Credit(person="Ben Affleck", characters=("Batman",), order=0)
    assert Credit(person="Zack Snyder", job="director") in league.credits
    assert Credit(person="Test Lyricist", job="lyricist", order=15) in league.credits
