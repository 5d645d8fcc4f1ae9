"""The film with our subtitles in it: nothing lost in silence, nothing changed, nothing out of time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from cp_whisperx import languages
from cp_whisperx.errors import EngineError, MediaError
from cp_whisperx.media import mux, probe
from cp_whisperx.timeline import Cue
from scenes import Scene, SceneSpec, SubtitleSpec, TrackSpec
from tests.media.helpers import (
    CUES,
    Sound,
    contents,
    cues_in,
    listen,
    presented,
    remux,
    same_cues,
    scene,
    stored,
    vp8,
    worst_onset_s,
    write_wav,
)

Make = Callable[[SceneSpec], Scene]
_TRACKS = (TrackSpec("eng", "Main", default=True), TrackSpec("hin", "Commentary", content="dialogue_b", comment=True))
_SUBTITLES = (SubtitleSpec("eng", "English", default=True), SubtitleSpec("hin", "Signs", forced=True))
_RICH = scene(tracks=_TRACKS, subtitles=_SUBTITLES, chapters=True, cover_art=True)
_FILMS = {
    "mkv": scene(tracks=_TRACKS, subtitles=_SUBTITLES, chapters=True, cover_art=True, attachment=True),
    "mkv plain": scene(),
    "mkv 5.1": scene(channels="5.1", audio_codec="ac3"),
    "mkv h264": scene(video_codec="h264", audio_codec="aac"),
    "mkv hole": scene(hole_at_s=6.0, hole_s=3.0),
    "mp4": scene(container="mp4", audio_codec="aac", tracks=_TRACKS, subtitles=_SUBTITLES, chapters=True,
                 cover_art=True),
    "mp4 5.1": scene(container="mp4", channels="5.1", audio_codec="flac", video_codec="h264"),
    "mp4 late": scene(container="mp4", audio_codec="aac", audio_start_s=5.0),
    "mov": scene(container="mp4", audio_codec="aac", video_codec="h264"),
    "webm": scene(audio_codec="opus"),
    "ts aac": scene(container="mp4", audio_codec="aac", video_codec="h264"),
    "ts": scene(container="mp4", audio_codec="ac3", video_codec="h264"),
    "avi": scene(audio_codec="ac3"),
}
_SUFFIXES = {"mp4": ".mp4", "mp4 5.1": ".mp4", "mp4 late": ".mp4", "mov": ".mov"}


def film_of(name: str, make_scene: Make, folder: Path) -> Path:
    made = make_scene(_FILMS[name]).film
    if name == "webm":
        return vp8(made, folder / "film.webm")
    if name in ("ts", "ts aac", "avi", "mov"):
        return remux(made, folder / f"film.{name[:3].strip()}", shift_s=1000.0 if name == "ts" else 0.0)
    return made


def muxed(film: Path, folder: Path, cues: tuple[Cue, ...] = CUES, language: str = "hi") -> tuple[Path, mux.Plan]:
    planned = mux.plan(probe.probe(film))
    out = folder / f"out{planned.container.suffix}"
    assert mux.write(film, out, planned, cues, language=language) == ""
    return out, planned


def ours(film: Path) -> list[probe.StreamInfo]:
    return [stream for stream in probe.probe(film).streams if mux.MARK in (stream.title or "")]


def pictures(film: Path) -> list[int]:
    with av.open(film) as container:
        return [hash(frame.to_ndarray().tobytes()) for frame in container.decode(video=0)]


# Every stream is kept as it is, or named

@pytest.mark.parametrize("name", _FILMS)
def test_streams_arrive_bit_for_bit_and_in_time(name: str, make_scene: Make, tmp_path: Path) -> None:
    film = film_of(name, make_scene, tmp_path)
    before = probe.probe(film)
    out, planned = muxed(film, tmp_path)
    assert planned.container.suffix == _SUFFIXES.get(name, ".mkv")
    assert [fate.index for fate in planned.fates] == [stream.index for stream in before.streams]
    assert all(fate.reason for fate in planned.fates if fate.fate != "kept")
    assert {fate.kind for fate in planned.fates if fate.fate == "dropped"} <= {"data"}
    after = [stream for stream in probe.probe(out).streams if stream.is_picture or stream.kind in ("audio", "subtitle")]
    kept = [stream for stream in before.streams if stream.is_picture or stream.kind in ("audio", "subtitle")]
    assert len(after) == len(kept) + 1
    for source, copy in zip(kept, after, strict=False):
        assert (copy.kind, copy.codec, copy.channels) == (source.kind, source.codec, source.channels)
        assert languages.find(copy.language) == languages.find(source.language)
        assert copy.title == source.title
        assert copy.flags == source.flags, source
        if copy.kind == "subtitle":
            same_cues(cues_in(out, copy.index), cues_in(film, source.index), 0.0)
            continue
        was, now = stored(film, source.index), stored(out, copy.index)
        if name.startswith("ts") and copy.kind == "video":
            # H.264 is framed in another way in a transport stream: the pictures are the same.
            assert pictures(out) == pictures(film)
        elif name == "ts aac":
            # The ADTS header of each packet goes: its facts are in the track's header.
            assert [packet.data for packet in now] == [packet.data[7:] for packet in was]
        else:
            assert [packet.data for packet in now] == [packet.data for packet in was]
        moved = [packet.at_s - (origin.at_s - before.origin_s) for packet, origin in zip(now, was, strict=True)]
        assert np.abs(moved).max() <= 0.001 + 1e-9, source
    same_cues(cues_in(out, after[-1].index), CUES)
    assert after[-1] in ours(out)


@pytest.mark.parametrize("name", ["mkv", "mp4"])
def test_chapters_covers_and_attachments_arrive(name: str, make_scene: Make, tmp_path: Path) -> None:
    film = film_of(name, make_scene, tmp_path)
    out, _ = muxed(film, tmp_path)

    def extras(path: Path) -> tuple[object, ...]:
        with av.open(path) as container:
            chapters = [(float(chapter["start"] * chapter["time_base"]), float(chapter["end"] * chapter["time_base"]),
                         chapter["metadata"]["title"]) for chapter in container.chapters()]
            files = [(stream.name, stream.mimetype, bytes(stream.data)) for stream in container.streams.attachments]
            (cover,) = (stream.index for stream in container.streams.video
                        if stream.disposition & Disposition.attached_pic)
        return chapters, files, contents(path, cover)

    chapters, files, covers = extras(film)
    assert len(chapters) == 3 and len(covers) == 1 and len(files) == (name == "mkv")
    assert extras(out) == (chapters, files, covers)


@pytest.mark.parametrize("name", ["mkv", "mp4"])
def test_tags_of_the_film_are_kept(name: str, make_scene: Make, tmp_path: Path) -> None:
    film = film_of(name + " plain" if name == "mkv" else "mp4 late", make_scene, tmp_path)
    tagged = tmp_path / f"tagged.{name}"
    with av.open(film) as reader, av.open(tagged, "w") as writer:
        writer.metadata["title"] = "Raat — रात"
        streams = {stream.index: writer.add_stream_from_template(stream, opaque=True) for stream in reader.streams}
        for packet in reader.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                writer.mux(packet)
    out, _ = muxed(tagged, tmp_path)
    with av.open(out) as container:
        assert container.metadata["title"] == "Raat — रात"
        assert "major_brand" not in container.metadata or name == "mp4"


# Our own track

@pytest.mark.parametrize(("subtitles", "default"), [
    ((), True), ((SubtitleSpec("eng"),), True), ((SubtitleSpec("eng", default=True),), False)])
def test_our_track_is_default_only_where_no_other_is(subtitles: tuple[SubtitleSpec, ...], default: bool,
                                                     make_scene: Make, tmp_path: Path) -> None:
    out, _ = muxed(make_scene(scene(subtitles=subtitles)).film, tmp_path)
    (track,) = ours(out)
    assert track == probe.probe(out).streams[-1]
    assert track.flags == ({"default"} if default else frozenset())


@pytest.mark.parametrize(("language", "mkv", "mp4"), [
    ("hi", "hin", "hin"), ("de", "ger", "deu"), ("zh", "chi", "zho"), ("en", "eng", "eng"), ("xx", "und", "und")])
def test_language_codes_are_those_of_the_container(language: str, mkv: str, mp4: str, make_scene: Make,
                                                   tmp_path: Path) -> None:
    for name, code in (("mkv plain", mkv), ("mp4 late", mp4)):
        out, _ = muxed(film_of(name, make_scene, tmp_path), tmp_path, language=language)
        (track,) = ours(out)
        assert (track.language or "und") == code


@pytest.mark.parametrize("name", ["mkv", "mp4"])
def test_a_second_run_replaces_our_track_and_no_other(name: str, make_scene: Make, tmp_path: Path) -> None:
    first, _ = muxed(film_of(name, make_scene, tmp_path), tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    cues = (Cue(4.0, 5.0, ("another text",)),)
    second, planned = muxed(first, again, cues, language="en")
    assert [fate.codec for fate in planned.fates if fate.fate == "replaced"] == \
        ["subrip" if name == "mkv" else "mov_text"]
    (track,) = ours(second)
    assert track.language == "eng"
    same_cues(cues_in(second, track.index), cues)
    kinds = [sorted((s.kind, s.codec, s.title or "") for s in probe.probe(path).streams if s not in ours(path))
             for path in (first, second)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("name", ["mkv plain", "mp4 late"])
def test_the_decoder_gives_the_text_back(name: str, make_scene: Make, tmp_path: Path) -> None:
    out, _ = muxed(film_of(name, make_scene, tmp_path), tmp_path)
    (track,) = ours(out)
    texts = []
    with av.open(out) as container:
        for packet in container.demux(container.streams[track.index]):
            for rect in packet.decode() if packet.size > 2 else ():
                texts.append(rect.ass.split(b",", 8)[-1].decode())
    assert texts[1] == "नमस्ते दुनिया\\Nsecond line – “quoted”"
    assert len(texts) == len(CUES)


def test_cues_before_zero_and_after_the_end(make_scene: Make, tmp_path: Path) -> None:
    cues = (Cue(-0.006, 1.0, ("early",)), Cue(20.0, 21.5, ("late",)))
    for name in ("mkv plain", "mp4 late"):
        out, _ = muxed(film_of(name, make_scene, tmp_path), tmp_path, cues)
        same_cues(cues_in(out, ours(out)[0].index), (Cue(0.0, 1.0, ("early",)), cues[1]))


# Plans

def test_what_mp4_cannot_hold_makes_it_mkv(make_scene: Make, tmp_path: Path) -> None:
    film = _transcoded(make_scene(scene()).film, tmp_path / "film.mp4", "prores_ks", "pcm_s16le")
    out, planned = muxed(film, tmp_path)
    assert out.suffix == ".mkv"
    assert planned.reason == "mp4 cannot hold stream 0 (prores)"
    assert [fate.fate for fate in planned.fates] == ["kept", "kept"]
    assert pictures(out) == pictures(film)
    was, now = stored(film, 1), stored(out, 1)
    assert b"".join(packet.data for packet in now) == b"".join(packet.data for packet in was)


@pytest.mark.parametrize(("picture", "sound", "lost"), [
    ("mpeg4", "pcm_mulaw", "the sound (pcm_mulaw)"), ("qtrle", "pcm_s16le", "the picture (qtrle)")])
def test_a_film_without_its_picture_or_sound_is_none(picture: str, sound: str, lost: str, make_scene: Make,
                                                     tmp_path: Path) -> None:
    film = _transcoded(make_scene(scene()).film, tmp_path / "film.mp4", picture, sound)
    planned = mux.plan(probe.probe(film))
    assert planned.impossible == f"mkv cannot hold {lost}"


def _transcoded(source: Path, film: Path, picture: str, sound: str) -> Path:
    """The first second of a film in other codecs, as QuickTime under the name of an MP4."""
    with av.open(source) as reader, av.open(film, "w", format="mov") as writer:
        streams: dict[str, av.VideoStream | av.AudioStream] = {}
        streams["video"] = writer.add_stream(picture, rate=12)
        streams["video"].width, streams["video"].height = 160, 90
        streams["video"].pix_fmt = {"prores_ks": "yuv422p10le", "qtrle": "rgb24"}.get(picture, "yuv420p")
        streams["audio"] = writer.add_stream(sound, rate=48_000, layout="stereo")
        for packet in reader.demux(reader.streams.video[0], reader.streams.audio[0]):
            for frame in packet.decode():
                if frame.time < 1.0:
                    writer.mux(streams[packet.stream.type].encode(frame))
        for stream in streams.values():
            writer.mux(stream.encode(None))
    return film


def test_text_of_an_mp4_is_converted_for_mkv(make_scene: Make, tmp_path: Path) -> None:
    film = film_of("mp4", make_scene, tmp_path)
    media = probe.probe(film)
    planned = mux.plan_for(media, mux.MKV, "asked")
    out = tmp_path / "out.mkv"
    mux.write(film, out, planned, CUES, language="hi")
    assert [fate.reason for fate in planned.fates if fate.fate == "converted"] == \
        ["to subrip: matroska has no mov_text"] * 2
    was = [stream for stream in media.streams if stream.kind == "subtitle"]
    now = [stream for stream in probe.probe(out).streams if stream.kind == "subtitle"]
    assert [(s.codec, s.language, s.title) for s in now[:2]] == [("subrip", s.language, s.title) for s in was]
    for before, after in zip(was, now, strict=False):
        same_cues(cues_in(out, after.index), cues_in(film, before.index))
    covers = [stream for stream in probe.probe(out).streams if "attached_pic" in stream.flags]
    assert len(covers) == 1


# Time

def _heard_onsets(film: Path, folder: Path) -> Sound:
    return listen(film, folder / "heard.wav")


@pytest.mark.parametrize("codec", ["flac", "aac"])
@pytest.mark.parametrize("to", ["mp4", "mkv"])
def test_sound_before_zero_stays_hidden_and_all_stays_in_step(codec: str, to: str, make_scene: Make,
                                                              tmp_path: Path) -> None:
    made = make_scene(scene(container="mp4", audio_codec=codec, audio_start_s=-1.0, subtitles=_SUBTITLES))
    film, container = made.film, {"mp4": mux.MP4, "mkv": mux.MKV}[to]
    out = tmp_path / f"out.{to}"
    media = probe.probe(film)
    mux.write(film, out, mux.plan_for(media, container, "asked"), CUES, language="hi")
    # The picture is where it was, the lines are heard where they were, and our cues are on the same clock.
    pictures = presented(out, "video")
    assert pictures == pytest.approx(presented(film, "video"), abs=0.001)
    sound = _heard_onsets(out, tmp_path)
    assert worst_onset_s(sound, [line for line in made.lines if line.presented_fraction == 1.0]) < 0.03
    assert 0.0 <= sound.times[0] < 0.1
    same_cues(cues_in(out, ours(out)[0].index), CUES)
    foreign = next(stream.index for stream in probe.probe(out).streams if stream.kind == "subtitle")
    assert cues_in(out, foreign)[0].start == pytest.approx(made.lines[0].start_s, abs=0.002)


@pytest.mark.parametrize("codec", ["flac", "aac", "ac3", "opus"])
@pytest.mark.parametrize("start_s", [0.0, 0.5])
def test_mp4_to_mkv_moves_nothing(codec: str, start_s: float, make_scene: Make, tmp_path: Path) -> None:
    made = make_scene(scene(container="mp4", audio_codec=codec, audio_start_s=start_s))
    out = tmp_path / "out.mkv"
    mux.write(made.film, out, mux.plan_for(probe.probe(made.film), mux.MKV, "asked"), CUES,
              language="hi")
    assert presented(out, "video") == pytest.approx(presented(made.film, "video"), abs=0.001)
    assert worst_onset_s(_heard_onsets(out, tmp_path), made.lines) < 0.03
    same_cues(cues_in(out, ours(out)[0].index), CUES)


@pytest.mark.parametrize("start_s", [-1.0, 5.0])
def test_matroska_keeps_its_clock(start_s: float, make_scene: Make, tmp_path: Path) -> None:
    made = make_scene(scene(audio_start_s=start_s))
    out, _ = muxed(made.film, tmp_path)
    assert presented(out, "video") == presented(made.film, "video")
    assert presented(out, "audio") == presented(made.film, "audio")
    same_cues(cues_in(out, ours(out)[0].index), CUES)


def test_a_clock_that_steps_back_is_made_to_go_on(make_scene: Make, tmp_path: Path) -> None:
    made = make_scene(scene(overlap_at_s=6.0, overlap_s=0.6, pauses_s=(1.5,)))
    out, _ = muxed(made.film, tmp_path)
    assert [packet.data for packet in stored(out, 1)] == [packet.data for packet in stored(made.film, 1)]
    was = {packet.data: packet.at_s for packet in stored(made.film, 1)}
    now = stored(out, 1)
    stamps = [packet.at_s for packet in now]
    assert all(after > before for before, after in pairwise(stamps))
    moved = sum(abs(packet.at_s - was[packet.data]) > 0.001 for packet in now)
    # Only the packets inside the step are moved: 0.6 s of 0.096 s each.
    assert 5 <= moved <= 8
    same_cues(cues_in(out, ours(out)[0].index), CUES)


def test_films_put_end_to_end_go_on(make_scene: Make, tmp_path: Path) -> None:
    scenes = [make_scene(scene(container="mp4", audio_codec="ac3", video_codec="h264", seed=seed)) for seed in (1, 2)]
    parts = [remux(part.film, tmp_path / f"{number}.ts") for number, part in enumerate(scenes)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    cues = (*CUES, Cue(20.0, 21.0, ("in the second part",)))
    out, _ = muxed(joined, tmp_path, cues)
    same_cues(cues_in(out, ours(out)[0].index), cues)
    heard = listen(joined, tmp_path / "a.wav")
    for kind in ("video", "audio"):
        times = presented(out, kind)
        steps = np.diff(times)
        assert times[-1] == pytest.approx(32.0, abs=0.3)
        assert steps.min() > 0 and steps.max() < 0.3
    # What demux hears at a time is what the new film presents at that time.
    again = listen(out, tmp_path / "b.wav")
    for at_s in (line.start_s + 16.0 for line in scenes[1].lines):
        first, second = ((s.samples[(s.times > at_s - 0.3) & (s.times < at_s + 1.0)]) for s in (heard, again))
        size = 1 << 16
        product = np.fft.irfft(np.fft.rfft(first, size) * np.conj(np.fft.rfft(second, size)), size)
        lag = int(product.argmax())
        assert min(lag, size - lag) < 0.1 * 16_000


def test_avi_with_reordered_frames(make_scene: Make, tmp_path: Path) -> None:
    """AVI stores no presentation times: they are made from the order of the frames."""
    film = tmp_path / "film.avi"
    with av.open(film, "w") as writer:
        picture = writer.add_stream("mpeg4", rate=12)
        picture.width, picture.height, picture.pix_fmt = 160, 90, "yuv420p"
        picture.codec_context.max_b_frames = 2
        for number in range(48):
            frame = av.VideoFrame.from_ndarray(np.full((90, 160, 3), number * 5, np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 12)
            writer.mux(picture.encode(frame))
        writer.mux(picture.encode(None))
    out, _ = muxed(film, tmp_path)
    with av.open(out) as container:
        frames = [(frame.time, float(frame.to_ndarray(format="gray").mean())) for frame in container.decode(video=0)]
    greys = [grey for _, grey in frames]
    times = [time for time, _ in frames]
    assert greys == sorted(greys) and len(greys) >= 47
    assert np.diff(times) == pytest.approx(1 / 12, abs=0.002)


def test_a_turned_picture_stays_turned(make_scene: Make, tmp_path: Path) -> None:
    """Phones store the picture as the sensor saw it, and a matrix beside it."""
    plain = film_of("mov", make_scene, tmp_path)
    data = bytearray(plain.read_bytes())
    # The matrix of the first track header: 90 degrees clockwise in place of the identity.
    at = data.index(b"tkhd") + 4 + 40
    assert data[at:at + 4] == b"\0\1\0\0"
    one, minus, width = (number.to_bytes(4, "big", signed=True) for number in (1 << 16, -(1 << 16), 90 << 16))
    data[at:at + 36] = bytes(4) + one + bytes(4) + minus + bytes(8) + width + bytes(4) + (1 << 30).to_bytes(4, "big")
    film = tmp_path / "turned.mov"
    film.write_bytes(data)

    def turned(path: Path) -> int:
        with av.open(path) as container:
            return int(next(container.decode(video=0)).rotation)

    assert turned(film) == -90
    for container in (mux.MOV, mux.MKV):
        out = tmp_path / f"out{container.suffix}"
        mux.write(film, out, mux.plan_for(probe.probe(film), container, "asked"), CUES, language="hi")
        assert turned(out) == -90


def test_hevc_keeps_the_tag_that_apple_plays(tmp_path: Path) -> None:
    if "libx265" not in av.codecs_available:
        pytest.skip("this build of the media library has no HEVC encoder")
    film = tmp_path / "film.mp4"
    with av.open(film, "w") as writer:
        options = {"x265-params": "log-level=none", "preset": "ultrafast"}
        picture = writer.add_stream("libx265", rate=12, options=options)
        picture.width, picture.height, picture.pix_fmt = 160, 96, "yuv420p"
        picture.codec_context.codec_tag = "hvc1"
        for _ in range(24):
            writer.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((96, 160, 3), np.uint8), "rgb24")))
        writer.mux(picture.encode(None))
    out, _ = muxed(film, tmp_path)
    with av.open(out) as container:
        assert container.streams.video[0].codec_tag == "hvc1"


# Failures

def test_a_film_that_breaks_off_is_kept_as_far_as_it_goes(make_scene: Make, tmp_path: Path) -> None:
    made = make_scene(scene(audio_codec="ac3"))
    cut = tmp_path / "cut.mkv"
    data = made.film.read_bytes()
    cut.write_bytes(data[:len(data) * 6 // 10])
    out = tmp_path / "out.mkv"
    mux.write(cut, out, mux.plan(probe.probe(cut)), CUES, language="hi")
    assert [packet.data for packet in stored(out, 1)] == [packet.data for packet in stored(cut, 1)]
    same_cues(cues_in(out, ours(out)[0].index), CUES)


def test_damage_lets_nothing_leak_out(make_scene: Make, tmp_path: Path) -> None:
    for kind in ("mkv", "mp4", "ts"):
        made = make_scene(scene(container="mp4" if kind == "mp4" else "mkv", audio_codec="ac3", subtitles=_SUBTITLES
                                if kind != "ts" else ())).film
        data = (remux(made, tmp_path / "whole.ts") if kind == "ts" else made).read_bytes()
        for seed in range(15):
            random = np.random.default_rng(seed)
            wrong = bytearray(data)
            for _ in range(int(random.integers(1, 200))):
                reach = 2000 if random.random() < 0.5 else len(data)
                wrong[int(random.integers(0, reach))] = int(random.integers(0, 256))
            film = tmp_path / f"damaged.{kind}"
            film.write_bytes(wrong)
            out = tmp_path / "out"
            try:
                planned = mux.plan(probe.probe(film))
                out = tmp_path / f"out{planned.container.suffix}"
                mux.write(film, out, planned, CUES, language="hi")
            except (MediaError, EngineError) as error:
                assert error.hint and "\n" not in error.message and not out.exists()
            else:
                same_cues(cues_in(out, ours(out)[0].index), CUES, 0.002)
            out.unlink(missing_ok=True)


_FULL = """
import resource, signal, sys
from pathlib import Path
from cp_whisperx.media import mux, probe
film, out = map(Path, sys.argv[1:])
planned = mux.plan(probe.probe(film))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    mux.write(film, out, planned, (), language="hi")
except OSError as error:
    print(error.errno, out.exists())
"""


@pytest.mark.parametrize("name", ["mkv plain", "mp4 5.1"])
def test_a_disk_that_takes_no_more(name: str, make_scene: Make, tmp_path: Path) -> None:
    """A limit on the file's size stands for the full disk: the same call fails, with EFBIG for ENOSPC."""
    film = film_of(name, make_scene, tmp_path)
    out = tmp_path / f"out{film.suffix}"
    done = subprocess.run([sys.executable, "-c", _FULL, str(film), str(out)], capture_output=True, text=True,
                          timeout=120, check=True)
    assert done.stdout.split() == ["27", "False"], done.stderr


def test_a_folder_that_is_not_there(make_scene: Make, tmp_path: Path) -> None:
    film = film_of("mkv plain", make_scene, tmp_path)
    with pytest.raises((EngineError, OSError)):
        mux.write(film, tmp_path / "no" / "out.mkv", mux.plan(probe.probe(film)), CUES, language="hi")


def test_a_full_tmpfs(make_scene: Make, tmp_path: Path) -> None:
    film = film_of("mkv plain", make_scene, tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True,
                             text=True, timeout=30)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        with pytest.raises(OSError) as caught:
            mux.write(film, disk / "out.mkv", mux.plan(probe.probe(film)), CUES, language="hi")
        assert caught.value.errno == 28
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", str(disk)], check=True, timeout=30)


def test_names_that_look_like_something_else(make_scene: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = film_of("mkv plain", make_scene, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("-dash.mkv", "http:out.mkv", "concat:a|b.mkv", "o'ut \"q\" 😀.mkv", "new\nline.mkv", "pct%d.mkv"):
        mux.write(film, Path(name), mux.plan(probe.probe(film)), CUES, language="hi")
        same_cues(cues_in(tmp_path / name, 2), CUES)


# Real films

def test_real_films(shared_media: Path, tmp_path: Path) -> None:
    done = 0
    for film in sorted((shared_media / "containers").iterdir()):
        try:
            media = probe.probe(film)
            planned = mux.plan(media)
            out = tmp_path / f"{film.stem}{planned.container.suffix}"
            mux.write(film, out, planned, CUES, language="hi")
        except MediaError as error:
            assert film.name == "mkv_truncated_corrupt.mkv" and error.hint
            continue
        done += 1
        before = [stream for stream in media.streams if planned.fates[stream.index].fate == "kept"]
        after = [stream for stream in probe.probe(out).streams if stream not in ours(out)]
        assert sorted((s.kind, s.codec, s.title or "") for s in before) == \
            sorted((s.kind, s.codec, s.title or "") for s in after), film.name
        same_cues(cues_in(out, ours(out)[0].index), CUES)
        for kind in ("video", "audio"):
            if any(stream.kind == kind for stream in before):
                was, now = presented(film, kind), presented(out, kind)
                assert now == pytest.approx([time - media.origin_s for time in was], abs=0.0016), film.name
    assert done >= 14


def test_sound_alone_is_still_a_film(tmp_path: Path) -> None:
    film = write_wav(tmp_path / "a.wav", np.zeros((1, 16_000), np.float32), 16_000)
    out, planned = muxed(film, tmp_path, (Cue(0.2, 0.8, ("hm",)),))
    assert [fate.fate for fate in planned.fates] == ["kept"] and out.suffix == ".mkv"
