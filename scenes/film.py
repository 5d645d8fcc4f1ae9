"""The film file: picture, audio tracks, subtitles and extras encoded and muxed, block by block."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from scenes.extras import add_extras
from scenes.mix import LAYOUTS, Mixer
from scenes.picture import Painter
from scenes.schedule import Timeline
from scenes.spec import AudioCodec, SceneSpec, TrackSpec
from scenes.subtitles import SubtitleWriter
from scenes.truth import Jump, Line, TrackClock

_ENCODERS: dict[AudioCodec, tuple[str, str]] = {
    "aac": ("aac", "fltp"),
    "ac3": ("ac3", "fltp"),
    "flac": ("flac", "s16"),
    "pcm": ("pcm_s16le", "s16"),
    "opus": ("libopus", "s16"),
}
_BITRATE_PER_CHANNEL = 96_000
_BLOCK_S = 1


@dataclass(frozen=True)
class TrackPlan:
    """One audio track to write: what it is, what sounds in it, and the timestamps asked for."""

    spec: TrackSpec
    timeline: Timeline
    clock: TrackClock


@dataclass
class _Sounding:
    """A track while it is written; `boundaries` counts its packets up to each jump of its clock."""

    plan: TrackPlan
    stream: AudioStream
    mixer: Mixer
    position: int = 0
    packets: int = 0
    boundaries: dict[Jump, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """Packets of each audio track before each of its jumps: one dict per track."""

    boundaries: tuple[dict[Jump, int], ...]


def write_film(
    spec: SceneSpec,
    film: Path,
    plans: tuple[TrackPlan, ...],
    subtitles: tuple[tuple[Line, ...], ...],
    speaking: tuple[Line, ...],
    speakers: tuple[str, ...],
) -> Written:
    """Encodes the scene into `film`.

    subtitles: for each of `spec.subtitles` its lines, in time as asked for.
    speaking: the lines by which the picture lights the speakers.
    """
    with av.open(film, "w", options={"fflags": "+bitexact"}) as container:
        video = _add_video(container, spec)
        sounding = [_add_audio(container, spec, plan) for plan in plans]
        writers = [
            SubtitleWriter(container, sub, lines)
            for sub, lines in zip(spec.subtitles, subtitles, strict=True)
        ]
        add_extras(container, spec, _end_s(plans))
        moving = spec.picture == "moving"
        painter = Painter(spec.width, spec.height, spec.fps, speakers, moving=moving) if video else None
        screen = _Screen(container, video, painter, spec.fps, speaking) if video and painter else None

        while any(track.position < track.plan.timeline.samples for track in sounding):
            for track in sounding:
                _write_block(container, track, spec.sample_rate_hz * _BLOCK_S)
            reached = min(track.plan.clock.film_s(track.position) for track in sounding)
            for writer in writers:
                writer.write_until(reached)
            if screen:
                screen.write_until(reached)
        for track in sounding:
            _mux_audio(container, track, None)
        for writer in writers:
            writer.write_until(math.inf)
        if screen:
            screen.write_until(_end_s(plans))
            screen.flush()
    return Written(tuple(track.boundaries for track in sounding))


def _end_s(plans: tuple[TrackPlan, ...]) -> float:
    return max(plan.clock.film_s(plan.timeline.samples) for plan in plans)


class _Screen:
    """Writes the picture in step with the sound."""

    def __init__(
        self,
        container: OutputContainer,
        stream: VideoStream,
        painter: Painter,
        fps: int,
        lines: tuple[Line, ...],
    ) -> None:
        self._container, self._stream, self._painter, self._fps = container, stream, painter, fps
        self._starts = np.array([line.start_s for line in lines])
        self._lines = lines
        self._number = 0

    def write_until(self, film_s: float) -> None:
        """Frames whose time is before `film_s`."""
        while self._number / self._fps < film_s:
            pixels = self._painter.frame(self._number, self._speaking(self._number / self._fps))
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = self._number, Fraction(1, self._fps)
            self._container.mux(self._stream.encode(frame))
            self._number += 1

    def flush(self) -> None:
        """The encoder's last packets."""
        self._container.mux(self._stream.encode(None))

    def _speaking(self, film_s: float) -> str | None:
        index = int(np.searchsorted(self._starts, film_s, side="right")) - 1
        if index < 0 or film_s >= self._lines[index].end_s:
            return None
        return self._lines[index].speaker


def _add_video(container: OutputContainer, spec: SceneSpec) -> VideoStream | None:
    if spec.picture == "none":
        return None
    # One thread: with more, x264's decisions depend on their timing.
    if spec.video_codec == "h264":
        options = {"preset": "veryfast", "crf": "26", "threads": "1"}
        stream = container.add_stream("libx264", rate=spec.fps, options=options)
    else:
        stream = container.add_stream("mpeg4", rate=spec.fps, options={"threads": "1"})
        stream.bit_rate = 4 * spec.width * spec.height
    stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, "yuv420p"
    stream.codec_context.gop_size = 2 * spec.fps
    stream.codec_context.time_base = Fraction(1, spec.fps)
    return stream


def _add_audio(container: OutputContainer, spec: SceneSpec, plan: TrackPlan) -> _Sounding:
    encoder, sample_format = _ENCODERS[spec.audio_codec]
    stream = container.add_stream(encoder, rate=spec.sample_rate_hz, layout=LAYOUTS[spec.channels])
    assert isinstance(stream, AudioStream)
    stream.codec_context.format = av.AudioFormat(sample_format)
    stream.codec_context.time_base = Fraction(1, spec.sample_rate_hz)
    if spec.audio_codec in ("aac", "ac3", "opus"):
        stream.bit_rate = _BITRATE_PER_CHANNEL * stream.layout.nb_channels
    stream.metadata["language"] = plan.spec.language
    if plan.spec.title:
        stream.metadata["title"] = plan.spec.title
    stream.disposition = disposition(plan.spec)
    mixer = Mixer(plan.timeline, spec.channels, spec.speech_dbfs)
    return _Sounding(plan, stream, mixer)


def disposition(track: TrackSpec) -> Disposition:
    """The disposition flags asked for."""
    flags = Disposition(0)
    if track.default:
        flags |= Disposition.default
    if track.comment:
        flags |= Disposition.comment
    if track.visual_impaired:
        flags |= Disposition.visual_impaired
    return flags


def _write_block(container: OutputContainer, track: _Sounding, size: int) -> None:
    size = min(size, track.plan.timeline.samples - track.position)
    if size <= 0:
        return
    block = track.mixer.block(track.position, size)
    encoder = track.stream.codec_context
    if encoder.format.is_planar:
        frame = av.AudioFrame.from_ndarray(block, "fltp", encoder.layout.name)
    else:
        whole = np.round(block * 32767.0).clip(-32768, 32767).astype(np.int16)
        packed = np.ascontiguousarray(whole.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, "s16", encoder.layout.name)
    frame.sample_rate = track.plan.timeline.rate_hz
    frame.time_base = Fraction(1, frame.sample_rate)
    frame.pts = track.position
    track.position += size
    _mux_audio(container, track, frame)


def _mux_audio(container: OutputContainer, track: _Sounding, frame: av.AudioFrame | None) -> None:
    clock = track.plan.clock
    for packet in track.stream.encode(frame):
        if packet.pts is None:
            raise RuntimeError(f"the {track.stream.codec_context.name} encoder gave a packet without time")
        shift = clock.start_s
        for jump in clock.jumps:
            if packet.pts >= jump.at_sample:
                track.boundaries.setdefault(jump, track.packets)
                # A muxer refuses to go back; scenes.matroska does it in the finished file.
                shift += max(0.0, jump.by_s)
        track.packets += 1
        packet.pts = packet.dts = packet.pts + round(shift * clock.rate_hz)
        container.mux(packet)
