"""mux as a stage: a film with subtitles, or the reason why there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.artifacts import SubtitledFilm, Subtitles
from cp_whisperx.errors import ConfigError, EngineError
from cp_whisperx.media import mux as media_mux
from cp_whisperx.media import probe
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Tools
from cp_whisperx.stages import mux
from cp_whisperx.timeline import Cue
from scenes import Scene, SceneSpec, SubtitleSpec
from tests.media.helpers import CUES, cues_in, same_cues, scene

Make = Callable[[SceneSpec], Scene]


def run(film: Path, work: Path, cues: tuple[Cue, ...] = CUES) -> tuple[SubtitledFilm, Tools]:
    log = logging.getLogger("test")
    tools = Tools(work, film, "My film", None, ModelStore(work), "cpu", 1, log, Progress("mux", log))
    inputs: Any = {Subtitles: Subtitles(language="hi", profile="netflix-hi", cues=cues, files=())}
    return mux.run(inputs, mux.Options(), tools), tools


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_a_film_with_subtitles(make_scene: Make, tmp_path: Path, container: str) -> None:
    film = make_scene(scene(container=container, subtitles=(SubtitleSpec("eng", default=True),)))
    before = film.film.read_bytes()
    made, tools = run(film.film, tmp_path)
    assert made.file == f"My film.{container}"
    assert made.reason == "as the film"
    assert [stream.fate for stream in made.streams] == ["kept"] * 3
    last = [stream for stream in probe.probe(tmp_path / made.file).streams if stream.kind == "subtitle"][-1]
    same_cues(cues_in(tmp_path / made.file, last.index), CUES)
    assert film.film.read_bytes() == before
    assert tools.warnings == []
    assert [path.name for path in tmp_path.iterdir()] == [made.file]


def test_the_same_film_gives_the_same_bytes(make_scene: Make, tmp_path: Path) -> None:
    for container in ("mkv", "mp4"):
        film = make_scene(scene(container=container)).film
        made = []
        for name in ("a", "b"):
            (tmp_path / container / name).mkdir(parents=True)
            done, _ = run(film, tmp_path / container / name)
            assert done.file
            made.append((tmp_path / container / name / done.file).read_bytes())
        assert made[0] == made[1]


def test_no_picture_no_film(make_scene: Make, tmp_path: Path) -> None:
    made, _ = run(make_scene(scene(picture="none")).film, tmp_path)
    assert (made.file, made.streams) == (None, ())
    assert "no picture" in made.reason
    assert not list(tmp_path.iterdir())


def test_nobody_speaks(make_scene: Make, tmp_path: Path) -> None:
    made, _ = run(make_scene(scene()).film, tmp_path, ())
    assert made.file is None and "nobody speaks" in made.reason


def test_a_picture_that_no_container_takes(tmp_path: Path) -> None:
    import av
    import numpy as np

    film = tmp_path / "old.avi"
    with av.open(film, "w") as writer:
        picture = writer.add_stream("wmv1", rate=12)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        for _ in range(12):
            writer.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        writer.mux(picture.encode(None))
    made, tools = run(film, tmp_path)
    assert made.file is None
    assert made.reason == "mkv cannot hold the picture (wmv1): the subtitle files are the result"
    assert tools.warnings == ["no film with subtitles is made: mkv cannot hold the picture (wmv1)"]


def test_chapters_of_an_mp4_are_no_loss(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(container="mp4", chapters=True)).film
    made, tools = run(film, tmp_path)
    dropped = [stream for stream in made.streams if stream.fate == "dropped"]
    assert [(stream.kind, stream.reason) for stream in dropped] == \
        [("data", "data is not copied; chapters are written anew")]
    assert tools.warnings == []


def test_a_muxer_that_refuses_falls_back_to_mkv(make_scene: Make, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    write = media_mux.write

    def refusing(film: Path, out: Path, planned: media_mux.Plan, *args: Any, **options: Any) -> str:
        if planned.container is not media_mux.MKV:
            raise EngineError("the subtitles could not be put into mp4 (refused)")
        return write(film, out, planned, *args, **options)

    monkeypatch.setattr(media_mux, "write", refusing)
    made, tools = run(make_scene(scene(container="mp4")).film, tmp_path)
    assert (made.file, made.container) == ("My film.mkv", "matroska")
    assert "refused" in made.reason and any("falling back to mkv" in warning for warning in tools.warnings)


def test_no_space(make_scene: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    with pytest.raises(ConfigError, match="no space left"):
        run(make_scene(scene()).film, tmp_path)
    assert not list(tmp_path.iterdir())


def test_streams_that_did_not_arrive(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(container="mkv")).film
    planned = media_mux.plan(probe.probe(film))
    with pytest.raises(EngineError, match="2 of 3 streams arrived"):
        mux._check_streams(film, planned)
