"""Small scenes, the sound that demux makes of them, and films as a player reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from cp_whisperx.media import decode, probe, tracks
from cp_whisperx.media.samples import Samples
from cp_whisperx.timeline import SAMPLE_RATE, Cue, Span
from scenes import Line, SceneSpec

SMALL = SceneSpec(length_s=16.0, lead_in_s=2.0, width=160, height=90, fps=12, video_codec="mpeg4",
                  audio_codec="flac", music=False)
"""Only voices sound in it, so that their onsets can be measured."""

CUES = (
    Cue(2.0, 3.5, ("Hello & <b>welcome</b>",)),
    Cue(3.5, 5.123, ("नमस्ते दुनिया", "second line – “quoted”")),
    Cue(6.001, 7.999, ("{\\an8} 1 < 2 > 0",)),
    Cue(14.2, 15.0, ("the end",)),
)


def scene(**changes: Any) -> SceneSpec:
    return replace(SMALL, **changes)


@dataclass(frozen=True)
class Sound:
    """What demux gives: `samples` (n,) float32 at 16 kHz, `times` (n,) their film times in seconds."""

    samples: NDArray[np.float32]
    times: NDArray[np.float64]
    told: decode.Extracted

    def onset_s(self, line: Line) -> float:
        """Film time of the first sample within 40 dB of the line's peak."""
        near = (self.times > line.start_s - 0.2) & (self.times < line.end_s + 0.2)
        loudness = np.abs(self.samples[near])
        assert loudness.size and loudness.max() > 0.05, f"{line.text!r} is not to be heard at {line.start_s} s"
        return float(self.times[near][np.flatnonzero(loudness >= loudness.max() * 0.01)[0]])


def listen(film: Path, wav: Path, clip: Span | None = None, track: int | None = None) -> Sound:
    index = track if track is not None else tracks.choose(probe.probe(film)).stream.index
    told = decode.extract(film, index, wav, clip=clip)
    mapped = Samples(wav)
    assert len(mapped) == told.samples
    samples = mapped.slice(0, len(mapped))
    positions = np.arange(told.samples) / SAMPLE_RATE
    times = positions.copy()
    for anchor in told.time_map.anchors:
        later = positions >= anchor.sample_s - 1e-9
        times[later] = anchor.film_s + positions[later] - anchor.sample_s
    return Sound(samples, times, told)


def worst_onset_s(sound: Sound, lines: Iterable[Line]) -> float:
    """The largest distance of a line's onset from the truth."""
    return max(abs(sound.onset_s(line) - line.start_s) for line in lines)


def remux(source: Path, target: Path, shift_s: float = 0.0) -> Path:
    """The same streams in the container that the target's suffix names."""
    with av.open(source) as reader, av.open(target, "w") as writer:
        streams = {stream.index: writer.add_stream_from_template(stream, opaque=True) for stream in reader.streams}
        for packet in reader.demux():
            if packet.size:
                packet.pts += round(shift_s / packet.time_base)
                packet.dts += round(shift_s / packet.time_base)
                packet.stream = streams[packet.stream.index]
                writer.mux(packet)
    return target


def vp8(source: Path, target: Path) -> Path:
    """A WebM film: the picture in VP8, the sound (Opus) copied."""
    with av.open(source) as reader, av.open(target, "w", format="webm") as writer:
        picture = writer.add_stream("libvpx", rate=12, options={"deadline": "realtime", "cpu-used": "8"})
        picture.width, picture.height, picture.pix_fmt = 160, 90, "yuv420p"
        sound = writer.add_stream_from_template(reader.streams.audio[0], opaque=True)
        for packet in reader.demux():
            if packet.stream.type == "audio" and packet.size:
                packet.stream = sound
                writer.mux(packet)
            elif packet.stream.type == "video":
                for frame in packet.decode():
                    writer.mux(picture.encode(frame))
        writer.mux(picture.encode(None))
    return target


@dataclass(frozen=True)
class Stored:
    """One packet as it is in a file."""

    at_s: float
    length_s: float
    data: bytes


def stored(film: Path, index: int, *, discarded: bool = True) -> list[Stored]:
    """Packets of one stream; without `discarded` only those that are presented."""
    with av.open(film, options={"fflags": "+genpts"}) as container:
        return [Stored(float(packet.pts * packet.time_base), float((packet.duration or 0) * packet.time_base),
                       bytes(packet))
                for packet in container.demux(container.streams[index])
                if packet.size and packet.pts is not None and (discarded or not packet.is_discard)]


def contents(film: Path, index: int) -> list[bytes]:
    """The packets of a stream that has no times, such as a cover."""
    with av.open(film) as container:
        return [bytes(packet) for packet in container.demux(container.streams[index]) if packet.size]


def presented(film: Path, kind: str) -> list[float]:
    """Times of the decoded frames of the first stream of a kind, in seconds."""
    with av.open(film) as container:
        stream = getattr(container.streams, kind)[0]
        return [float(frame.pts * frame.time_base) for frame in container.decode(stream) if frame.pts is not None]


def cues_in(film: Path, index: int) -> list[Cue]:
    """The cues of a text track; the empty ones with which MP4 fills gaps left out."""
    with av.open(film) as container:
        mov_text = container.streams[index].codec_context.name == "mov_text"
    found = []
    for packet in stored(film, index):
        text = packet.data[2:2 + int.from_bytes(packet.data[:2], "big")] if mov_text else packet.data
        if text:
            found.append(Cue(round(packet.at_s, 6), round(packet.at_s + packet.length_s, 6),
                             tuple(text.decode().split("\n"))))
    return found


def same_cues(found: Sequence[Cue], wanted: Sequence[Cue], within_s: float = 0.001) -> None:
    assert [cue.lines for cue in found] == [cue.lines for cue in wanted]
    for cue, want in zip(found, wanted, strict=True):
        assert abs(cue.start - want.start) <= within_s + 1e-9, (cue, want)
        assert abs(cue.end - want.end) <= within_s + 1e-9, (cue, want)


def write_wav(path: Path, samples: NDArray[np.float32], rate: int, layout: str | None = None) -> Path:
    """Float samples (channels, n) as a film of sound: WAV, or whatever the suffix asks for."""
    with av.open(path, "w") as writer:
        stream = writer.add_stream("pcm_s16le", rate=rate, layout=layout or {1: "mono", 2: "stereo"}[len(samples)])
        packed = np.ascontiguousarray((samples * 32767).round().astype(np.int16).T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, "s16", stream.codec_context.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        writer.mux([*stream.encode(frame), *stream.encode(None)])
    return path
