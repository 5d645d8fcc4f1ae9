"""The truth is what a player presents, at the time it presents it."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from scenes import Scene, SceneSpec
from tests.scenes.conftest import Build, Heard, listen, worst_error_s

EXACT_S = 0.002
LOSSY_S = 0.030


@pytest.mark.parametrize("container", ["mkv", "mp4"])
@pytest.mark.parametrize(
    ("codec", "tolerance_s"),
    [("flac", EXACT_S), ("pcm", EXACT_S), ("aac", LOSSY_S), ("ac3", LOSSY_S), ("opus", LOSSY_S)],
)
def test_lines_are_heard_where_the_truth_says(
    make: Build, container: str, codec: str, tolerance_s: float
) -> None:
    scene = make(container=container, audio_codec=codec)
    assert len(scene.lines) >= 2
    assert worst_error_s(scene, scene.lines) < tolerance_s


@pytest.mark.parametrize("codec", ["flac", "aac"])
@pytest.mark.parametrize("start_s", [-1.0, 0.0, 0.5, 5.0])
def test_audio_start_in_mkv(make: Build, start_s: float, codec: str) -> None:
    scene = make(audio_start_s=start_s, audio_codec=codec)
    assert worst_error_s(scene, scene.lines) < (EXACT_S if codec == "flac" else LOSSY_S)
    # Matroska has no time before 0, so the picture starts later instead.
    assert scene.video_start_s == pytest.approx(max(0.0, -start_s), abs=EXACT_S)
    assert scene.tracks[0].clock.start_s == pytest.approx(max(0.0, start_s), abs=EXACT_S)
    assert scene.lines[0].start_s == pytest.approx(2.0 + max(0.0, start_s), abs=EXACT_S)


@pytest.mark.parametrize("codec", ["flac", "aac"])
@pytest.mark.parametrize("start_s", [-1.0, 0.5])
def test_audio_start_in_mp4(make: Build, start_s: float, codec: str) -> None:
    scene = make(container="mp4", audio_start_s=start_s, audio_codec=codec)
    assert worst_error_s(scene, scene.lines) < (EXACT_S if codec == "flac" else LOSSY_S)
    assert scene.video_start_s == 0.0
    assert scene.lines[0].start_s == pytest.approx(2.0 + start_s, abs=EXACT_S)


def test_mp4_hides_what_sounds_before_zero(make: Build) -> None:
    scene = make(container="mp4", audio_start_s=-3.0)
    cut = scene.lines[0]
    assert cut.start_s == pytest.approx(-1.0, abs=EXACT_S)
    assert 0.0 < cut.presented_fraction < 1.0
    assert cut.presented_fraction == pytest.approx(cut.end_s / (cut.end_s - cut.start_s), abs=0.001)
    assert scene.lines[1].presented_fraction == 1.0
    heard = listen(scene.film)
    assert heard.times[0] == pytest.approx(0.0, abs=EXACT_S)
    assert worst_error_s(scene, scene.lines[1:]) < EXACT_S
    assert scene.truth_srt.read_text(encoding="utf-8").startswith("1\n00:00:00,000 --> ")


@pytest.mark.parametrize(
    ("container", "codec"), [("mkv", "aac"), ("mkv", "flac"), ("mp4", "aac"), ("mp4", "flac")]
)
def test_hole_moves_later_lines(make: Build, container: str, codec: str) -> None:
    scene = make(container=container, audio_codec=codec, hole_at_s=5.0, hole_s=2.0)
    clock = scene.tracks[0].clock
    (jump,) = clock.jumps
    before = [line for line in scene.lines if line.end_sample <= jump.at_sample]
    after = [line for line in scene.lines if line.start_sample >= jump.at_sample]
    assert before and after and len(before) + len(after) == len(scene.lines)
    assert after[0].start_s == pytest.approx(after[0].start_sample / 48_000 + 2.0, abs=1e-5)
    assert worst_error_s(scene, scene.lines) < (EXACT_S if codec == "flac" else LOSSY_S)
    steps = np.diff(listen(scene.film).times)
    assert steps.max() == pytest.approx(2.0, abs=0.005)


@pytest.mark.parametrize("picture", ["moving", "none"])
def test_overlap_brings_later_lines_forward(make: Build, picture: str) -> None:
    scene = make(overlap_at_s=5.0, overlap_s=0.6, picture=picture)
    after = [line for line in scene.lines if line.start_sample >= scene.tracks[0].clock.jumps[0].at_sample]
    assert after[0].start_s == pytest.approx(after[0].start_sample / 48_000 - 0.6, abs=1e-5)
    heard = listen(scene.film)
    flac_frame = 4608
    later = slice(scene.tracks[0].clock.jumps[0].at_sample + flac_frame, None)
    heard_later = Heard(heard.times[later], heard.samples[:, later], heard.channels)
    for line in after:
        assert heard_later.onset_and_end_s(line)[0] == pytest.approx(line.start_s, abs=EXACT_S)
    with av.open(scene.film) as container:
        packets = list(container.demux(container.streams.audio[0]))
    stamps = [float(packet.pts * packet.time_base) for packet in packets if packet.pts is not None]
    step = np.diff(stamps)
    assert step.min() == pytest.approx(-0.6, abs=0.1)
    assert np.count_nonzero(step < 0) == 1


def test_hole_and_overlap_together(make: Build) -> None:
    scene = make(overlap_at_s=9.0, overlap_s=0.3, hole_at_s=5.0, hole_s=1.0, audio_start_s=-0.5)
    assert [jump.by_s for jump in scene.tracks[0].clock.jumps] == [1.0, -0.3]
    assert worst_error_s(scene, scene.lines[:1]) < EXACT_S


def test_one_line_lasts_as_long_as_its_voice(make: Build) -> None:
    scene = make()
    for line in scene.lines:
        assert line.end_s - line.start_s == pytest.approx(
            (line.end_sample - line.start_sample) / 48_000, abs=2e-6
        )
        assert 0.5 < line.end_s - line.start_s < 8.0


def test_given_pauses_are_kept(make: Build) -> None:
    scene = make(pauses_s=(0.7, 1.9), length_s=None, music_every=0)
    gaps = [b.start_s - a.end_s for a, b in pairwise(scene.lines)]
    assert gaps == pytest.approx([0.7, 1.9] * 7 + [0.7], abs=1e-4)


def test_same_spec_same_bytes(make: Build) -> None:
    options = {"music": True, "audio_codec": "aac", "chapters": True, "cover_art": True, "attachment": True}
    for container in ("mkv", "mp4"):
        chosen = {**options, "attachment": container == "mkv", "container": container}
        first, again = make("first", **chosen), make("again", **chosen)
        assert first.film.read_bytes() == again.film.read_bytes()
        assert first.lines == again.lines
        other = make("other", **chosen, seed=2)
        assert [line.start_s for line in other.lines] != [line.start_s for line in first.lines]


def test_command_line_in_another_process_gives_the_same_film(make: Build, tmp_path: Path) -> None:
    scene = make("here", length_s=12.0, fps=2, hole_at_s=6.0, hole_s=1.5)
    command = (
        f"-m scenes {tmp_path} --name there --no-music --length-s 12 --lead-in-s 2 --width 96 --height 54"
        " --fps 2 --audio-codec flac --hole-at-s 6 --hole-s 1.5"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, *command.split()], cwd=root, check=True, capture_output=True, timeout=120)
    there = Scene.load(tmp_path / "there.truth.json")
    assert there.film.read_bytes() == scene.film.read_bytes()
    assert there.lines == scene.lines


def test_truth_file_round_trip(make: Build) -> None:
    scene = make(hole_at_s=5.0, hole_s=0.5, music=True)
    loaded = Scene.load(scene.truth_json)
    assert loaded.lines == scene.lines
    assert loaded.tracks == scene.tracks
    assert (loaded.film, loaded.truth_srt, loaded.duration_s) == (
        scene.film,
        scene.truth_srt,
        scene.duration_s,
    )
    assert loaded.spec["hole_s"] == 0.5


def test_long_scene_covers_its_length_and_repeats_the_dialogue(make: Build) -> None:
    scene = make(
        length_s=600.0, picture="still", fps=1, channels="mono", audio_codec="pcm", sample_rate_hz=16_000
    )
    assert scene.duration_s == pytest.approx(600.0)
    assert 560 < scene.lines[-1].end_s <= 600
    assert len({line.text for line in scene.lines}) == 16 < len(scene.lines)
    starts = [line.start_s for line in scene.lines]
    assert starts == sorted(starts)
    assert worst_error_s(scene, scene.lines) < EXACT_S


@pytest.mark.parametrize(
    "wrong",
    [
        {"tracks": ()},
        {"overlap_s": 1.0, "container": "mp4"},
        {"attachment": True, "container": "mp4"},
        {"hole_s": -1.0},
        {"sample_rate_hz": 22_050},
        {"width": 95},
        {"audio_start_s": -31.0},
    ],
)
def test_impossible_scenes_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        SceneSpec(**wrong)
