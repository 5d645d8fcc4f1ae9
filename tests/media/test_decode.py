"""The sound of a film as samples, and where in the film each sample belongs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from cp_whisperx.errors import MediaError
from cp_whisperx.media import decode
from cp_whisperx.timeline import SAMPLE_RATE, Anchor, Span
from scenes import Line, Scene, SceneSpec
from tests.media.helpers import listen, remux, scene, worst_onset_s

Make = Callable[[SceneSpec], Scene]
EXACT_S = 0.010
LOSSY_S = 0.030


# Time

@pytest.mark.parametrize("container", ["mkv", "mp4"])
@pytest.mark.parametrize("start_s", [-1.0, 0.0, 0.5, 5.0])
def test_lines_are_where_the_film_has_them(make_scene: Make, tmp_path: Path, container: str, start_s: float) -> None:
    film = make_scene(scene(container=container, audio_start_s=start_s))
    sound = listen(film.film, tmp_path / "a.wav")
    assert len(film.lines) >= 3
    assert worst_onset_s(sound, film.lines) < EXACT_S
    assert len(sound.told.time_map.anchors) == 1
    assert sound.told.warnings == ()


@pytest.mark.parametrize("container", ["mkv", "mp4"])
@pytest.mark.parametrize("codec", ["aac", "ac3", "opus"])
def test_lossy_codecs_are_in_time(make_scene: Make, tmp_path: Path, container: str, codec: str) -> None:
    film = make_scene(scene(container=container, audio_codec=codec, audio_start_s=0.5))
    assert worst_onset_s(listen(film.film, tmp_path / "a.wav"), film.lines) < LOSSY_S


@pytest.mark.parametrize(("container", "start_s", "hidden"), [
    ("mkv", -1.0, 0), ("mkv", 0.5, 0), ("mkv", 5.0, 0), ("mp4", 0.5, 0), ("mp4", 5.0, 0),
    # MP4 hides what lies before 0.
    ("mp4", -1.0, SAMPLE_RATE)])
def test_a_shift_leaves_the_samples_alone(make_scene: Make, tmp_path: Path, container: str, start_s: float,
                                          hidden: int) -> None:
    plain = listen(make_scene(scene(container=container)).film, tmp_path / "a.wav").samples
    shifted = listen(make_scene(scene(container=container, audio_start_s=start_s)).film, tmp_path / "b.wav").samples
    # The hidden part is missing to the resampler at the edge as well.
    edge = 200 if hidden else 0
    assert np.array_equal(plain[hidden + edge:], shifted[edge:])


@pytest.mark.parametrize(("container", "codec", "within_s"), [
    ("mkv", "flac", EXACT_S), ("mp4", "flac", EXACT_S), ("mkv", "aac", LOSSY_S), ("mp4", "aac", LOSSY_S)])
def test_a_hole_moves_what_comes_after_it(make_scene: Make, tmp_path: Path, container: str, codec: str,
                                          within_s: float) -> None:
    film = make_scene(scene(container=container, audio_codec=codec, hole_at_s=6.0, hole_s=3.0))
    sound = listen(film.film, tmp_path / "a.wav")
    before, after = sound.told.time_map.anchors
    assert worst_onset_s(sound, film.lines) < within_s
    assert sound.told.time_map.jumps(1.0) == (after.sample_s,)
    assert (after.film_s - after.sample_s) - (before.film_s - before.sample_s) == pytest.approx(3.0, abs=0.01)
    assert any("holes of 3.0 s" in warning for warning in sound.told.warnings)
    samples = round(film.tracks[0].samples / 3)
    assert sound.told.samples == pytest.approx(samples, abs=1100 if codec == "aac" else 1)


@pytest.mark.parametrize("overlap_s", [0.3, 0.6])
def test_an_overlap_is_heard_once(make_scene: Make, tmp_path: Path, overlap_s: float) -> None:
    # The step back is in the middle of a pause, whose second half is longer than it: no line is cut into.
    film = make_scene(scene(overlap_at_s=6.0, overlap_s=overlap_s, pauses_s=(1.5,)))
    sound = listen(film.film, tmp_path / "a.wav")
    assert worst_onset_s(sound, film.lines) < EXACT_S
    assert any(f"{overlap_s:.2f} s of sound were stored twice" in warning for warning in sound.told.warnings)
    lost = film.tracks[0].samples / 3 - sound.told.samples
    assert lost == pytest.approx(overlap_s * SAMPLE_RATE, abs=0.01 * SAMPLE_RATE)


def test_hole_overlap_and_late_start_together(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(hole_at_s=5.0, hole_s=3.0, overlap_at_s=10.0, overlap_s=0.4, audio_start_s=5.0,
                            pauses_s=(0.9,)))
    sound = listen(film.film, tmp_path / "a.wav")
    assert worst_onset_s(sound, film.lines) < EXACT_S
    assert np.all(np.diff(sound.times) > 0)


def test_transport_stream_counts_from_its_own_start(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(audio_codec="ac3", audio_start_s=0.5))
    late = remux(film.film, tmp_path / "late.ts", shift_s=47_000.0)
    assert worst_onset_s(listen(late, tmp_path / "a.wav"), film.lines) < LOSSY_S


# How the clock judges stamps: frames of 20 ms as (claimed start, ms), one list per case.

def _follow(stamps_ms: list[float], frame_ms: float = 20.0) -> decode._Clock:
    clock = decode._Clock()
    for stamp in stamps_ms:
        dropped = clock.take(stamp / 1000, frame_ms / 1000)
        clock.heard_s += frame_ms / 1000 - dropped
    clock.finish()
    return clock


def test_jitter_neither_cuts_nor_jumps() -> None:
    clock = _follow([20 * i + (45 if i % 2 else -45) * (i > 3) for i in range(500)])
    assert clock.anchors == [Anchor(0.0, 0.0)]
    assert clock.overlap_s == 0


def test_one_damaged_stamp_does_not_move_the_film() -> None:
    for damage in (3_600_000.0, -3_600_000.0, 90.0):
        clock = _follow([20 * i + (damage if i == 50 else 0) for i in range(100)])
        assert (clock.anchors, clock.restarts, clock.overlap_s) == ([Anchor(0.0, 0.0)], 0, 0)


def test_a_short_hole_is_placed_where_it_began() -> None:
    clock = _follow([20 * i + (60 if i >= 50 else 0) for i in range(100)])
    assert clock.anchors == [Anchor(0.0, 0.0), Anchor(1.0, 1.06)]


def test_a_hole_just_before_the_end_counts() -> None:
    clock = _follow([20 * i + (3000 if i >= 95 else 0) for i in range(100)])
    assert clock.anchors == [Anchor(0.0, 0.0), Anchor(1.9, 4.9)]


def test_slow_drift_is_followed() -> None:
    clock = _follow([20.02 * i for i in range(30_000)])
    assert abs(clock.film_s - 20.02 * 30) < 0.7
    assert abs(clock.film_s - 20.02 * 30_000 / 1000) < 0.04
    assert clock.overlap_s == 0


def test_a_clock_that_starts_anew_goes_on_and_is_followed_again() -> None:
    clock = _follow([20 * i for i in range(1000)] + [20 * i + (3000 if i >= 500 else 0) for i in range(1000)])
    assert clock.restarts == 1
    assert clock.film_s == pytest.approx(43.0)
    assert clock.holes_s == pytest.approx(3.0)


# Clips

@pytest.fixture(scope="module", params=["mkv", "mp4", "ts", "avi", "mp3", "flv", "no index"])
def clipped(request: pytest.FixtureRequest, make_scene: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 40 s in each container: no other test looks this far into one."""
    kind = request.param
    film = make_scene(scene(container="mp4" if kind == "mp4" else "mkv", length_s=40.0,
                            audio_codec="ac3" if kind in ("ts", "avi") else "flac"))
    folder = tmp_path_factory.mktemp("clips")
    if kind in ("mp3", "flv"):
        return _as_mp3(film.film, folder / f"film.{kind}")
    if kind == "no index":
        # A film whose end, where the index is, has not arrived.
        cut = folder / "film.mkv"
        cut.write_bytes(film.film.read_bytes()[:-film.film.stat().st_size // 50])
        return cut
    return film.film if kind in ("mkv", "mp4") else remux(film.film, folder / f"film.{kind}")


@pytest.mark.parametrize("clip", [Span(0.0, 5.0), Span(1.5, 4.0), Span(12.25, 19.5), Span(33.0, 90.0)])
def test_a_clip_is_that_part_of_the_film(clipped: Path, tmp_path: Path, clip: Span) -> None:
    whole = listen(clipped, tmp_path / "whole.wav")
    part = listen(clipped, tmp_path / "part.wav", clip)
    (anchor,) = part.told.time_map.anchors
    assert anchor.film_s == pytest.approx(max(clip.start, whole.times[0]), abs=0.001)
    wanted = (whole.times >= clip.start) & (whole.times < clip.end)
    assert part.told.samples == pytest.approx(np.count_nonzero(wanted), abs=0.005 * SAMPLE_RATE)
    # A decoder that starts anew needs a frame or two before it gives the same bits. Where a container's stamps do not
    # fall on samples the clip lies beside the whole by up to their rounding: half a sample, in FLV half a millisecond.
    inner = part.samples[400:-400]
    start = int(np.argmax(wanted)) + 400
    reach = 9 if clipped.suffix == ".flv" else 1
    errors = [np.abs(inner - whole.samples[start + by:start + by + inner.size]).max()
              for by in range(-reach, reach + 1)]
    assert np.abs(inner).max() > 0.1
    assert min(errors) < (0.15 if clipped.suffix in (".mp3", ".flv") else 0.02)


def test_a_seek_that_lands_too_late_is_undone(make_scene: Make, tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    film = make_scene(scene()).film
    wanted = listen(film, tmp_path / "a.wav", Span(5.0, 9.0))
    frames_from = decode._Reader._frames_from
    monkeypatch.setattr(decode._Reader, "_frames_from", lambda reader, seek_s: frames_from(
        reader, None if seek_s is None else seek_s + 5.0))
    given = listen(film, tmp_path / "b.wav", Span(5.0, 9.0))
    assert given.told == wanted.told
    assert np.array_equal(given.samples, wanted.samples)


@pytest.mark.parametrize("start_s", [100.0, 16.5])
def test_a_clip_behind_the_end_is_refused(make_scene: Make, tmp_path: Path, start_s: float) -> None:
    film = make_scene(scene())
    with pytest.raises(MediaError, match="no sound between") as caught:
        listen(film.film, tmp_path / "a.wav", Span(start_s, start_s + 10))
    assert "--start" in caught.value.hint


def test_a_clip_before_late_sound(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(audio_start_s=5.0))
    with pytest.raises(MediaError, match="no sound between"):
        listen(film.film, tmp_path / "a.wav", Span(0.0, 4.0))
    sound = listen(film.film, tmp_path / "a.wav", Span(4.0, 12.0))
    assert sound.told.time_map.anchors == (Anchor(0.0, 5.0),)
    assert sound.told.samples == 7 * SAMPLE_RATE


@pytest.mark.parametrize("clip", [Span(1.0, 14.0), Span(9.0, 18.0)])
def test_a_clip_over_or_after_a_hole(make_scene: Make, tmp_path: Path, clip: Span) -> None:
    film = make_scene(scene(hole_at_s=6.0, hole_s=3.0))
    sound = listen(film.film, tmp_path / "a.wav", clip)
    lines = [line for line in film.lines if clip.start < line.start_s and line.end_s < clip.end]
    assert lines
    assert worst_onset_s(sound, lines) < EXACT_S
    assert sound.times[-1] < clip.end


def test_a_clip_that_ends_in_a_hole(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(hole_at_s=6.0, hole_s=3.0))
    (jump,) = film.tracks[0].clock.jumps
    begins_s = jump.at_sample / 48_000
    sound = listen(film.film, tmp_path / "a.wav", Span(1.0, begins_s + 1.5))
    assert sound.times[-1] == pytest.approx(begins_s, abs=0.1)


# Memory

_DEMUX = """
import json, resource, sys
from pathlib import Path
from cp_whisperx.media import decode
told = decode.extract(Path(sys.argv[1]), 0, Path(sys.argv[2]))
print(json.dumps([told.samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def test_memory_does_not_grow_with_the_film(make_scene: Make, tmp_path: Path) -> None:
    peaks_mb = []
    for minutes in (2, 20):
        film = make_scene(SceneSpec(picture="none", length_s=60.0 * minutes, channels="stereo", audio_codec="flac"))
        command = [sys.executable, "-c", _DEMUX, str(film.film), str(tmp_path / "a.wav")]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
        samples, peak_kb = json.loads(done.stdout)
        assert samples == minutes * 60 * SAMPLE_RATE
        peaks_mb.append(peak_kb / 1024)
    assert abs(peaks_mb[1] - peaks_mb[0]) < 15, peaks_mb


# Changes in mid-film, and damage

def test_layout_and_clock_change_in_mid_film(make_scene: Make, tmp_path: Path) -> None:
    first = make_scene(scene(audio_codec="ac3", channels="stereo"))
    second = make_scene(scene(audio_codec="ac3", channels="5.1", seed=2))
    joined = tmp_path / "joined.ts"
    parts = [remux(part.film, tmp_path / f"{number}.ts") for number, part in enumerate((first, second))]
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    sound = listen(joined, tmp_path / "a.wav")
    assert sound.told.samples == pytest.approx(32 * SAMPLE_RATE, abs=0.1 * SAMPLE_RATE)
    assert any("starts anew" in warning for warning in sound.told.warnings)
    assert worst_onset_s(sound, first.lines) < LOSSY_S
    apart = listen(parts[1], tmp_path / "b.wav").samples[:15 * SAMPLE_RATE]
    # The second film's lines follow at once, in its own mix.
    lag = _lag(sound.samples[16 * SAMPLE_RATE - 1600:], apart)
    assert abs(lag - 1600) < 0.05 * SAMPLE_RATE


def test_rate_changes_in_mid_film(make_scene: Make, tmp_path: Path) -> None:
    joined = tmp_path / "joined.ts"
    parts = [remux(make_scene(scene(audio_codec="ac3", sample_rate_hz=rate)).film, tmp_path / f"{rate}.ts")
             for rate in (48_000, 32_000)]
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    sound = listen(joined, tmp_path / "a.wav")
    assert sound.told.samples == pytest.approx(32 * SAMPLE_RATE, abs=0.1 * SAMPLE_RATE)


@pytest.mark.parametrize("kind", ["mkv", "mp4", "ts"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_film_cut_short(make_scene: Make, tmp_path: Path, kind: str, share: float) -> None:
    film, _ = _of_kind(make_scene, tmp_path, kind)
    cut = tmp_path / f"cut.{kind}"
    data = film.read_bytes()
    cut.write_bytes(data[:int(len(data) * share)])
    if kind == "mp4":
        # The index of an MP4 stands at its end.
        with pytest.raises(MediaError, match="cannot be read as a film"):
            listen(cut, tmp_path / "a.wav")
        return
    whole = listen(film, tmp_path / "whole.wav")
    part = listen(cut, tmp_path / "a.wav")
    assert part.told.samples == pytest.approx(whole.told.samples * share, rel=0.15)
    agree = slice(0, part.told.samples - 2 * SAMPLE_RATE)
    assert np.array_equal(part.samples[agree], whole.samples[agree])


@pytest.mark.parametrize("kind", ["mkv", "mp4", "ts"])
def test_damage_in_the_middle_is_bridged_or_told(make_scene: Make, tmp_path: Path, kind: str) -> None:
    film, _ = _of_kind(make_scene, tmp_path, kind)
    data = film.read_bytes()
    whole = listen(film, tmp_path / "whole.wav")
    reached = 0
    for seed in range(6):
        random = np.random.default_rng(seed)
        size = int(random.integers(50, len(data) // 20))
        at = int(random.integers(int(len(data) * 0.3), int(len(data) * 0.5)))
        damaged = tmp_path / f"damaged.{kind}"
        damaged.write_bytes(data[:at] + random.bytes(size) + data[at + size:])
        sound = listen(damaged, tmp_path / "a.wav")
        assert np.array_equal(sound.samples[:SAMPLE_RATE * 2], whole.samples[:SAMPLE_RATE * 2])
        if abs(sound.told.samples - whole.told.samples) > 0.55 * SAMPLE_RATE:
            assert sound.told.warnings, f"seed {seed}"
        # What comes after the damage is again where the film has it.
        late, true = (heard.samples[(heard.times > 11.0) & (heard.times < 12.0)] for heard in (sound, whole))
        if late.size > SAMPLE_RATE // 2:
            reached += 1
            assert abs(_lag(late, true)) < 0.04 * SAMPLE_RATE, f"seed {seed}"
    assert reached >= 3


@pytest.mark.parametrize("kind", ["mkv", "mp4", "ts"])
def test_no_damage_lets_the_media_library_leak_out(make_scene: Make, tmp_path: Path, kind: str) -> None:
    data = bytearray(_of_kind(make_scene, tmp_path, kind)[0].read_bytes())
    damaged = tmp_path / f"damaged.{kind}"
    for seed in range(25):
        random = np.random.default_rng(seed)
        wrong = bytearray(data)
        for _ in range(int(random.integers(1, 200))):
            # Half of the damage goes to the head, where the structure is.
            reach = 2000 if random.random() < 0.5 else len(data)
            wrong[int(random.integers(0, reach))] = int(random.integers(0, 256))
        damaged.write_bytes(wrong)
        try:
            sound = listen(damaged, tmp_path / "a.wav")
        except MediaError as error:
            assert "\n" not in error.message and error.hint
        else:
            assert sound.told.samples and np.all(np.diff(sound.times) > 0)


@pytest.mark.parametrize(("rate", "form"), [(16_000, "fltp"), (8_000, "s16"), (44_100, "s32"), (96_000, "flt"),
                                            (22_050, "u8")])
def test_any_rate_and_sample_format(tmp_path: Path, rate: int, form: str) -> None:
    codec = {"s16": "pcm_s16le", "s32": "pcm_s32le", "flt": "pcm_f32le", "u8": "pcm_u8", "fltp": "aac"}[form]
    film = tmp_path / "tone.mkv"
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate).astype(np.float32) * 0.5
    with av.open(film, "w") as writer:
        stream = writer.add_stream(codec, rate=rate, layout="mono")
        stream.codec_context.format = form
        frame = av.AudioFrame.from_ndarray(tone[None], "fltp", "mono")
        frame.sample_rate = rate
        for converted in av.AudioResampler(format=form, layout="mono", rate=rate).resample(frame):
            writer.mux(stream.encode(converted))
        writer.mux(stream.encode(None))
    sound = listen(film, tmp_path / "a.wav")
    assert sound.told.samples == pytest.approx(2 * SAMPLE_RATE, abs=1100)
    heard = np.abs(np.fft.rfft(sound.samples[4000:4000 + SAMPLE_RATE]))
    assert int(heard.argmax()) == 440
    assert np.abs(sound.samples[4000:-4000]).max() == pytest.approx(0.5, abs=0.03)


def test_a_track_that_holds_nothing(tmp_path: Path) -> None:
    film = tmp_path / "empty.mkv"
    with av.open(film, "w") as writer:
        picture = writer.add_stream("mpeg4", rate=12)
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        writer.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        for _ in range(12):
            writer.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")))
        writer.mux(picture.encode(None))
    with pytest.raises(MediaError, match="could not be decoded"):
        decode.extract(film, 1, tmp_path / "a.wav")


def _of_kind(make_scene: Make, folder: Path, kind: str) -> tuple[Path, tuple[Line, ...]]:
    film = make_scene(scene(container="mp4" if kind == "mp4" else "mkv", audio_codec="ac3"))
    return remux(film.film, folder / "film.ts") if kind == "ts" else film.film, film.lines


def _as_mp3(film: Path, target: Path) -> Path:
    with av.open(film) as reader, av.open(target, "w") as writer:
        stream = writer.add_stream("libmp3lame", rate=44_100, layout="stereo")
        resampler = av.AudioResampler(format="s16p", layout="stereo", rate=44_100)
        for frame in reader.decode(audio=0):
            frame.pts = None
            for converted in resampler.resample(frame):
                writer.mux(stream.encode(converted))
        writer.mux(stream.encode(None))
    return target


def _lag(where: np.ndarray, what: np.ndarray) -> int:
    """Where in `where` the sound of `what` begins, samples."""
    size = 1 << (len(where) + len(what)).bit_length()
    product = np.fft.irfft(np.fft.rfft(where, size) * np.conj(np.fft.rfft(what, size)), size)
    best = int(product.argmax())
    return best if best < size // 2 else best - size
