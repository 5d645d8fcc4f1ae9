"""What the file holds: tracks, channels, subtitles, extras, music and picture."""

from __future__ import annotations

from itertools import pairwise

import av
import numpy as np
import pytest
from av.stream import Disposition

from scenes import SubtitleSpec, TrackSpec
from tests.scenes.conftest import Build, listen, worst_error_s

TWO_TRACKS = (
    TrackSpec(language="hin", title="Film", default=True),
    TrackSpec(language="eng", title="Commentary", content="dialogue_b", comment=True),
    TrackSpec(language="pan", title="Described", content="music", visual_impaired=True),
)


def level_db(samples: np.ndarray) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))) + 1e-12))


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_tracks_have_their_languages_and_dispositions(make: Build, container: str) -> None:
    scene = make(container=container, tracks=TWO_TRACKS, music=True)
    with av.open(scene.film) as film:
        streams = film.streams.audio
        assert [stream.language for stream in streams] == ["hin", "eng", "pan"]
        wanted = [Disposition.default, Disposition.comment, Disposition.visual_impaired]
        for stream, flag in zip(streams, wanted, strict=True):
            assert stream.disposition & flag
        assert [bool(stream.disposition & Disposition.default) for stream in streams] == [True, False, False]
        title = "title" if container == "mkv" else "name"
        assert [stream.metadata[title] for stream in streams] == ["Film", "Commentary", "Described"]


def test_each_track_has_its_own_lines(make: Build) -> None:
    scene = make(tracks=TWO_TRACKS)
    film, commentary, described = scene.tracks
    assert scene.lines == film.lines
    assert not {line.text for line in film.lines} & {line.text for line in commentary.lines}
    assert described.lines == ()
    assert worst_error_s(scene, film.lines, audio_index=0) < 0.002
    assert worst_error_s(scene, commentary.lines, audio_index=1) < 0.002


@pytest.mark.parametrize("codec", ["flac", "ac3"])
def test_five_one_with_dialogue_in_the_centre(make: Build, codec: str) -> None:
    scene = make(channels="5.1", audio_codec=codec, music=True)
    heard = listen(scene.film)
    assert heard.channels[:3] == ("FL", "FR", "FC") and len(heard.channels) == 6
    line = scene.lines[0]
    during = (heard.times >= line.start_s) & (heard.times < line.end_s)
    centre = level_db(heard.samples[2][during])
    assert centre == pytest.approx(line.level_dbfs, abs=0.5)
    for side in (0, 1, 4, 5):
        assert level_db(heard.samples[side][during]) < centre - 18
    silent = heard.times < 1.0
    assert level_db(heard.samples[2][silent]) < -90
    assert level_db(heard.samples[0][silent]) > -45


def test_five_one_with_silent_centre(make: Build) -> None:
    scene = make(channels="5.1_silent_centre")
    heard = listen(scene.film)
    assert np.abs(heard.samples[2]).max() == 0.0
    assert worst_error_s(scene, scene.lines, channel=0) < 0.002
    assert worst_error_s(scene, scene.lines, channel=1) < 0.002


def test_inverted_stereo_cancels(make: Build) -> None:
    heard = listen(make(channels="stereo_inverted", music=True).film)
    assert np.abs(heard.samples[0]).max() > 0.1
    assert np.abs(heard.samples.sum(axis=0)).max() < 1e-4


def test_line_and_music_levels(make: Build) -> None:
    scene = make(length_s=40.0, quiet_every=3, music=True, channels="mono", lead_in_s=3.5)
    assert [line.level_dbfs for line in scene.lines[:3]] == [-20.0, -20.0, -32.0]
    heard = listen(scene.film)
    alone = scene.tracks[0].music[0]
    assert (alone.role, alone.level_db) == ("alone", -8.0)
    during = (heard.times > 0.5) & (heard.times < alone.end_s - 0.5)
    assert level_db(heard.samples[0][during]) == pytest.approx(-28.0, abs=3.0)
    quiet = scene.lines[2]
    spans = [
        span for span in scene.tracks[0].music if span.start_s < quiet.end_s and span.end_s > quiet.start_s
    ]
    assert [span.level_db for span in spans] == [-18.0]


def test_music_spans_cover_the_film_in_order(make: Build) -> None:
    scene = make(length_s=60.0, music=True)
    spans = scene.tracks[0].music
    assert spans[0].start_s == 0.0 and spans[-1].end_s == pytest.approx(60.0)
    for before, after in pairwise(spans):
        assert before.start_s < before.end_s == pytest.approx(after.start_s)
    alone = [span for span in spans if span.role == "alone"]
    assert len(alone) >= 3
    for span in alone:
        assert not [line for line in scene.lines if line.start_s < span.end_s and line.end_s > span.start_s]


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_subtitles_repeat_the_lines(make: Build, container: str) -> None:
    subtitles = (SubtitleSpec("eng", "English", default=True), SubtitleSpec("hin", forced=True))
    scene = make(container=container, subtitles=subtitles, audio_start_s=0.5)
    with av.open(scene.film) as film:
        first, second = film.streams.subtitles
        assert [first.language, second.language] == ["eng", "hin"]
        assert first.disposition & Disposition.default
        assert second.disposition & Disposition.forced
        packets = [packet for packet in film.demux(first) if packet.size > 2]
    texts = [bytes(packet)[0 if container == "mkv" else 2 :].decode() for packet in packets]
    assert texts == [line.text for line in scene.lines]
    for packet, line in zip(packets, scene.lines, strict=True):
        assert float(packet.pts * packet.time_base) == pytest.approx(line.start_s, abs=0.002)
        assert float(packet.duration * packet.time_base) == pytest.approx(
            line.end_s - line.start_s, abs=0.002
        )


def test_extras_in_mkv(make: Build) -> None:
    scene = make(chapters=True, cover_art=True, attachment=True)
    with av.open(scene.film) as film:
        assert [chapter["metadata"]["title"] for chapter in film.chapters()] == [
            "The platform",
            "The letter",
            "The night train",
        ]
        covers = [stream for stream in film.streams.video if stream.disposition & Disposition.attached_pic]
        assert len(covers) == 1 and len(film.streams.video) == 2
        (font,) = film.streams.attachments
        assert (font.name, font.mimetype) == ("platform-sans.ttf", "font/ttf")


def test_extras_in_mp4(make: Build) -> None:
    scene = make(container="mp4", chapters=True, cover_art=True, audio_codec="aac")
    with av.open(scene.film) as film:
        assert len(film.chapters()) == 3
        covers = [stream for stream in film.streams.video if stream.disposition & Disposition.attached_pic]
        assert len(covers) == 1 and len(film.streams.video) == 2


@pytest.mark.parametrize("codec", ["h264", "mpeg4"])
def test_picture_has_the_length_of_the_film_and_lights_the_speaker(make: Build, codec: str) -> None:
    scene = make(video_codec=codec, width=320, height=180, hole_at_s=5.0, hole_s=1.0)
    with av.open(scene.film) as film:
        assert film.streams.video[0].codec_context.name == codec
        frames = [(frame.time, frame.to_ndarray(format="gray")) for frame in film.decode(video=0)]
    assert len(frames) == round(scene.duration_s * 8)
    assert frames[1][0] - frames[0][0] == pytest.approx(0.125, abs=0.002)
    line = scene.lines[0]
    lit = [image[30:].mean() for time, image in frames if line.start_s + 0.2 < time < line.end_s - 0.2]
    dark = [image[30:].mean() for time, image in frames if time < line.start_s - 0.2]
    assert min(lit) > max(dark) + 1


def test_sound_alone(make: Build) -> None:
    scene = make(picture="none", audio_start_s=-1.0)
    assert scene.video_start_s is None
    with av.open(scene.film) as film:
        assert not film.streams.video
    assert worst_error_s(scene, scene.lines) < 0.002
