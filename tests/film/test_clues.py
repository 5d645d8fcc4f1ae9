from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.errors import ConfigError
from cp_whisperx.film import nfo
from cp_whisperx.film.clues import Clues, gather

NFO = "<movie><title>{}</title><uniqueid type='tmdb'>1</uniqueid></movie>"


def clues(film: Path, **changes: Any) -> Clues:
    return gather(film, **{"cast_file": None, "duration_s": 60.0, "tracks": ["hin", None, "xx", "eng", "hi"],
                           "may_ask": False, **changes})


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "Sholay (1975)" / "Sholay.mkv"
    path.parent.mkdir()
    path.touch()
    return path


def test_a_film_alone(film: Path) -> None:
    assert clues(film) == Clues(title="Sholay", year=1975, duration_s=60.0, languages=("en", "hi"))


def test_the_nfo_of_the_film_comes_before_that_of_the_folder(film: Path) -> None:
    (film.parent / "movie.nfo").write_text(NFO.format("Folder"))
    found = clues(film)
    assert found.nfo and (found.nfo.title, found.nfo_file, found.title) == ("Folder", "movie.nfo", None)
    (film.parent / "SHOLAY.NFO").write_text(NFO.format("Film"))
    found = clues(film)
    assert found.nfo and (found.nfo.title, found.nfo_file) == ("Film", "SHOLAY.NFO")


def test_the_nfo_of_a_folder_is_not_that_of_each_film_in_it(film: Path) -> None:
    (film.parent / "movie.nfo").write_text(NFO.format("Folder"))
    (film.parent / "Sholay-trailer.mkv").touch()
    assert clues(film).nfo
    (film.parent / "Don.mkv").touch()
    found = clues(film)
    assert found.nfo is None
    assert found.problems == ("movie.nfo was not used: it may be about Don.mkv, which is in the same folder",)
    assert found.title == "Sholay"


@pytest.mark.parametrize(("data", "problem"), [
    (b"<tvshow/>", "Sholay.nfo is about something else than a film (<tvshow>)"),
    (b" " * (nfo.MAX_BYTES + 1), "Sholay.nfo is larger than 1 MB, which no .nfo of a film is"),
])
def test_an_nfo_that_cannot_be_used_is_told_and_no_error(film: Path, data: bytes, problem: str) -> None:
    (film.parent / "Sholay.nfo").write_bytes(data)
    assert clues(film).problems == (problem,)
    assert clues(film).title == "Sholay"


def test_what_is_no_file_is_not_opened(film: Path) -> None:
    """A pipe would never answer."""
    os.mkfifo(film.parent / "Sholay.nfo")
    (film.parent / "movie.nfo").mkdir()
    assert clues(film).nfo is None


def test_an_episode_is_not_searched_as_a_film(tmp_path: Path) -> None:
    found = clues(tmp_path / "Show" / "Show.S01E02.mkv")
    assert found.title is None and "episode of a series" in found.problems[0]


def test_ids_and_cast(film: Path, tmp_path: Path) -> None:
    cast = tmp_path / "names.txt"
    cast.write_text("Gabbar = Amjad Khan\n")
    found = clues(film.rename(film.with_name("Sholay [tmdbid-9].mkv")), cast_file=cast, may_ask=True)
    assert found.path_ids == {"tmdb": "9"} and found.may_ask
    assert found.cast and found.cast.credits[0].characters == ("Gabbar",) and found.cast_file == "names.txt"
    with pytest.raises(ConfigError, match="there is no cast file"):
        clues(film, cast_file=tmp_path / "none")


def test_a_name_that_is_no_text_can_be_written(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/S\xff"
    os.mkdir(folder)  # noqa: PTH102
    path = Path(os.fsdecode(folder + b"/Dil\xfe (1990).mkv"))
    path.touch()
    path.with_suffix(".nfo").write_text("<tvshow/>")
    found = clues(path)
    assert Clues.model_validate_json(found.model_dump_json()) == found
    assert found.year == 1990
