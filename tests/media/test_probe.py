"""What a film says of itself, and what is no film."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from cp_whisperx.errors import MediaError
from cp_whisperx.media import probe
from scenes import Scene, SceneSpec, SubtitleSpec, TrackSpec
from tests.media.helpers import remux, scene

Make = Callable[[SceneSpec], Scene]


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_streams_of_a_film(make_scene: Make, container: str) -> None:
    film = make_scene(scene(container=container, audio_codec="aac", cover_art=True, chapters=True,
                            tracks=(TrackSpec("eng", "Main", default=True), TrackSpec("hin", "Talk", comment=True)),
                            subtitles=(SubtitleSpec("hin", "Hindi", forced=True),)))
    media = probe.probe(film.film)
    assert media.duration_s == pytest.approx(film.duration_s, abs=0.1)
    assert media.origin_s == 0
    main, talk = media.audio
    assert (main.codec, main.language, main.title, main.channels) == ("aac", "eng", "Main", "stereo")
    assert (talk.language, talk.title) == ("hin", "Talk")
    assert "default" in main.flags and "comment" in talk.flags and "comment" not in main.flags
    (text,) = (stream for stream in media.streams if stream.kind == "subtitle")
    assert (text.codec, text.language, text.title) == ("subrip" if container == "mkv" else "mov_text", "hin", "Hindi")
    assert "forced" in text.flags
    assert media.picture is not None
    assert (media.picture.codec, media.picture.frame_rate) == ("mpeg4", 12.0)
    covers = [stream for stream in media.streams if stream.kind == "video" and not stream.is_picture]
    assert len(covers) == 1 and "attached_pic" in covers[0].flags


def test_a_cover_before_the_picture_is_no_picture(make_scene: Make, tmp_path: Path) -> None:
    film = tmp_path / "song.mp4"
    with av.open(make_scene(scene(container="mp4", audio_codec="aac", cover_art=True)).film) as reader, \
            av.open(film, "w") as writer:
        streams = {stream.index: writer.add_stream_from_template(stream, opaque=True)
                   for stream in reversed(reader.streams.get(video=1, audio=0))}
        streams[reader.streams.video[1].index].disposition = reader.streams.video[1].disposition
        for packet in reader.demux(reader.streams.audio[0]):
            if packet.size:
                packet.stream = streams[packet.stream.index]
                writer.mux(packet)
    assert probe.probe(film).picture is None


def test_a_codec_has_one_name_whichever_decoder_serves_it(shared_media: Path) -> None:
    names = {path.name: [stream.codec for stream in probe.probe(path).streams]
             for path in (shared_media / "containers").iterdir() if path.name.endswith(("5.1.mp4", "no_duration.webm"))}
    assert names == {"mp4_two_audio_tracks_stereo_and_5.1.mp4": ["h264", "mp3", "ac3"],
                     "webm_no_duration.webm": ["vp9", "opus"]}


def test_a_transport_stream_starts_at_its_origin(make_scene: Make, tmp_path: Path) -> None:
    late = remux(make_scene(scene(audio_codec="ac3")).film, tmp_path / "late.ts", shift_s=47_000.0)
    assert probe.probe(late).origin_s == pytest.approx(47_000, abs=2)


@pytest.mark.parametrize(("metadata", "title"), [
    ({"title": "Main"}, "Main"), ({"name": "Main", "handler_name": "SoundHandler"}, "Main"),
    ({"handler_name": "Director's cut"}, "Director's cut"), ({}, None), ({"handler_name": ""}, None),
    *(({"handler_name": name}, None) for name in (
        "SoundHandler", "SoundHandle", "VideoHandler", "L-SMASH Audio Handler", "Core Media Audio",
        "*srt@GPAC0.5.1-DEV-rev5456", "ISO Media file produced by Google Inc."))])
def test_titles(metadata: dict[str, str], title: str | None) -> None:
    assert probe._title(metadata) == title


def test_names_that_look_like_something_else(make_scene: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_scene(scene()).film.read_bytes()
    monkeypatch.chdir(tmp_path)
    for name in ("-dash.mkv", "http:film.mkv", "concat:a|b", "pipe:0", "file:film.mkv", "o'ut \"q\".mkv", "😀.mkv",
                 "new\nline.mkv", "pct%d.mkv", "रात.mkv", "no suffix", "film.jpg", "film.txt", os.fsdecode(b"\xff.mkv"),
                 "x" * 251 + ".mkv"):
        Path(name).write_bytes(data)
        for path in (Path(name), tmp_path / name):
            assert probe.probe(path).duration_s == pytest.approx(16.0, abs=0.1), name


_NO_FILM = {
    "missing.mkv": "there is no file",
    "empty.mkv": "is empty",
    "text.mkv": "cannot be read as a film",
    "noise.mp4": "cannot be read as a film",
    "folder.mkv": "is not a file",
    "fifo.mkv": "is not a file",
    "loop.mkv": "cannot be opened",
    "dangling.mkv": "there is no file",
    "text.mkv/film.mkv": "cannot be opened",
    "zero\0byte.mkv": "cannot be opened",
    "y" * 300: "cannot be opened",
}


@pytest.fixture
def no_films(tmp_path: Path) -> Path:
    (tmp_path / "empty.mkv").touch()
    (tmp_path / "text.mkv").write_text("1\n00:00:01,000 --> 00:00:02,000\nI am no film\n" * 50)
    (tmp_path / "noise.mp4").write_bytes(os.urandom(100_000))
    (tmp_path / "folder.mkv").mkdir()
    os.mkfifo(tmp_path / "fifo.mkv")
    (tmp_path / "loop.mkv").symlink_to("loop2.mkv")
    (tmp_path / "loop2.mkv").symlink_to("loop.mkv")
    (tmp_path / "dangling.mkv").symlink_to("nothing.mkv")
    return tmp_path


@pytest.mark.parametrize(("name", "said"), _NO_FILM.items(), ids=[name[:20] for name in _NO_FILM])
def test_what_is_no_film(no_films: Path, name: str, said: str) -> None:
    if name == "text.mkv":
        # Subtitles are a kind of film to the library: one without sound or picture.
        assert not probe.probe(no_films / name).audio
        return
    with pytest.raises(MediaError, match=said) as caught:
        probe.probe(no_films / name)
    assert caught.value.hint
    assert caught.value.message.count("\n") == 0


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(make_scene: Make, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(make_scene(scene()).film.read_bytes())
    film.chmod(0)
    with pytest.raises(MediaError, match="may not be read"):
        probe.probe(film)


def test_a_pipe_does_not_hang(no_films: Path) -> None:
    command = [sys.executable, "-c", "import sys; from pathlib import Path; from cp_whisperx.media import probe;"
               "probe.probe(Path(sys.argv[1]))", str(no_films / "fifo.mkv")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "is not a file" in done.stderr


def test_real_films(shared_media: Path) -> None:
    for film in sorted((shared_media / "containers").iterdir()):
        if film.name == "mkv_truncated_corrupt.mkv":
            with pytest.raises(MediaError, match="cannot be read"):
                probe.probe(film)
            continue
        media = probe.probe(film)
        assert media.streams
        assert len(media.audio) == {"mp4_two_audio_tracks_stereo_and_5.1.mp4": 2, "mkv_no_audio_with_srt.mkv": 0,
                                    "ts_teletext.ts": 0}.get(film.name, 1)
