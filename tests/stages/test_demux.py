"""demux as a stage: the artifact it leaves and the errors it tells."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.artifacts import AudioTrack
from cp_whisperx.errors import ConfigError, MediaError
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Tools
from cp_whisperx.stages import demux
from cp_whisperx.timeline import Anchor, Span
from scenes import Scene, SceneSpec, TrackSpec
from tests.media.helpers import scene

Make = Callable[[SceneSpec], Scene]


def run(film: Path, work: Path, clip: Span | None = None, **options: Any) -> tuple[AudioTrack, Tools]:
    log = logging.getLogger("test")
    tools = Tools(work, film, film.stem, clip, ModelStore(work), "cpu", 1, log, Progress("demux", log))
    nothing: Any = {}
    return demux.run(nothing, demux.Options(**options), tools), tools


def test_the_artifact_names_what_is_there(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(tracks=(TrackSpec("eng", "Main"), TrackSpec("hin", "Hindi", content="dialogue_b")),
                            audio_start_s=0.5))
    artifact, tools = run(film.film, tmp_path, language="Hindi")
    assert artifact.track.index == 2
    assert (artifact.track.language, artifact.track.title) == ("hin", "Hindi")
    assert artifact.track.reason == "the language asked for"
    assert artifact.time_map.anchors == (Anchor(0.0, 0.5),)
    assert artifact.duration_s == pytest.approx(16.0)
    assert artifact.film_duration_s == pytest.approx(16.5, abs=0.1)
    assert (artifact.has_picture, artifact.frame_rate) == (True, 12.0)
    assert [path.name for path in tmp_path.iterdir()] == [artifact.file]
    assert tools.warnings == []


def test_the_same_film_gives_the_same_bytes(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(hole_at_s=6.0, hole_s=3.0))
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        artifact, _ = run(film.film, tmp_path / name)
        artifact.write(tmp_path / name)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1]


def test_doubts_and_damage_become_warnings(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(hole_at_s=6.0, hole_s=3.0))
    artifact, tools = run(film.film, tmp_path, language="hi")
    assert any("no track is marked Hindi" in warning for warning in tools.warnings)
    assert any("holes of 3.0 s" in warning for warning in tools.warnings)
    assert artifact.warnings == tuple(warning for warning in tools.warnings if "holes" in warning)


def test_sound_without_picture(make_scene: Make, tmp_path: Path) -> None:
    artifact, _ = run(make_scene(scene(picture="none")).film, tmp_path)
    assert (artifact.has_picture, artifact.frame_rate) == (False, None)


def test_shot_changes_are_looked_for_where_there_is_a_picture(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene())
    assert run(film.film, tmp_path)[0].shots == ()
    assert run(film.film, tmp_path, shots="off")[0].shots is None
    assert run(make_scene(scene(picture="none")).film, tmp_path)[0].shots is None


def test_a_clip(make_scene: Make, tmp_path: Path) -> None:
    artifact, _ = run(make_scene(scene()).film, tmp_path, Span(4.0, 9.0))
    assert artifact.duration_s == 5.0
    assert artifact.time_map.film_time(1.0) == 5.0


@pytest.mark.parametrize(("clip", "options", "error", "said"), [
    (Span(60.0, 70.0), {}, MediaError, "no sound between"),
    (None, {"track": 0}, ConfigError, "stream 0 of"),
    (None, {"track": 9}, ConfigError, "stream 9 of")])
def test_what_cannot_be_done(make_scene: Make, tmp_path: Path, clip: Span | None, options: dict[str, Any],
                             error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        run(make_scene(scene()).film, tmp_path, clip, **options)


def test_a_film_without_sound(shared_media: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="has no audio track"):
        run(shared_media / "containers" / "mkv_no_audio_with_srt.mkv", tmp_path)


def test_real_films(shared_media: Path, tmp_path: Path) -> None:
    heard = 0
    for film in sorted((shared_media / "containers").iterdir()):
        try:
            artifact, _ = run(film, tmp_path)
        except MediaError as error:
            assert error.hint
            continue
        heard += 1
        assert artifact.samples > 0
        if artifact.film_duration_s:
            end = artifact.time_map.film_time(artifact.duration_s)
            assert end == pytest.approx(artifact.film_duration_s, abs=0.2), film.name
    assert heard == 12
