"""A film's audio track as mono 16 kHz samples on disk, and the map from sample time to film time.

Memory does not grow with the film: about a second of sound is held at a time.
"""

from __future__ import annotations

import contextlib
import wave
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx import publish
from cp_whisperx.errors import EngineError, MediaError
from cp_whisperx.media import downmix
from cp_whisperx.media.probe import describe, in_words, opened, packets
from cp_whisperx.timeline import SAMPLE_RATE, Anchor, Span, TimeMap

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

JUMP_S = 0.03
"""Time stamps may stray this far from the sample count (rounding, jitter) before the map follows them.

Less than a frame at 25 per second. Containers round to 1 ms; a real hole is longer than a codec's frame (20 ms).
"""
_SETTLED_S = 0.3
"""A jump counts once the stamps have kept to it for so long: one damaged stamp must not move the film."""
_OVERLAP_MIN_S = 0.2
"""A step back by at least this is sound stored twice, and cut at once; by less it may be jitter, and must settle."""
_OVERLAP_MAX_S = 10.0
"""A step back by more is a clock that starts anew, not sound stored twice."""
_HOLES_TOLD_S = 0.5
"""Holes of less in all are nothing that a person would want to know."""
_BLOCK_S = 1.0
_SEEK_EARLY_S = 2.0


@dataclass(frozen=True)
class Extracted:
    samples: int
    time_map: TimeMap
    rule: str
    reason: str
    levels_dbfs: dict[str, float]
    warnings: tuple[str, ...]


@dataclass
class _Clock:
    """Follows the time stamps of the decoded frames and decides which samples are kept."""

    heard_s: float = 0.0
    anchors: list[Anchor] = field(default_factory=list)
    overlap_s: float = 0.0
    holes_s: float = 0.0
    restarts: int = 0
    _offset_s: float = 0.0
    _cutting: bool = False
    _stray: tuple[float, float] | None = None
    """Where in the samples the stamps left the map, and by how much: followed when it has settled."""

    @property
    def film_s(self) -> float:
        """Film time of the next sample, as the map has it so far."""
        return self._film_time(self.heard_s)

    def take(self, at_s: float, length_s: float) -> float:
        """Takes a frame that claims to start at `at_s`; returns how many seconds of its start to drop."""
        if not self.anchors:
            self.anchors.append(Anchor(self.heard_s, round(at_s, 6)))
        ahead = at_s + self._offset_s - self.film_s
        if -_OVERLAP_MAX_S <= ahead < (0.0 if self._cutting else -_OVERLAP_MIN_S):
            return self._cut(-ahead, length_s)
        self._cutting = False
        if abs(ahead) <= JUMP_S:
            self._stray = None
            return 0.0
        if self._stray is None or abs(ahead - self._stray[1]) > JUMP_S:
            self._stray = (self.heard_s, ahead)
        if self.heard_s + length_s - self._stray[0] < _SETTLED_S:
            return 0.0
        if ahead < -_OVERLAP_MAX_S:
            self._offset_s -= ahead
            self.restarts += 1
            self._stray = None
            return 0.0
        if ahead < 0:
            return self._cut(-ahead, length_s)
        self._jump()
        return 0.0

    def finish(self) -> None:
        """A hole just before the end has had no time to settle."""
        if self._stray and self._stray[1] > _OVERLAP_MIN_S:
            self._jump()

    def _cut(self, behind_s: float, length_s: float) -> float:
        drop = min(behind_s, length_s)
        self.overlap_s += drop
        # What is left to drop when the frame is used up comes off the next ones, however little it is.
        self._cutting = drop == length_s
        self._stray = None
        return drop

    def _jump(self) -> None:
        assert self._stray
        (sample_s, ahead), self._stray = self._stray, None
        self.holes_s += ahead
        self.anchors.append(Anchor(round(sample_s, 6), round(self._film_time(sample_s) + ahead, 6)))

    def _film_time(self, sample_s: float) -> float:
        last = self.anchors[-1]
        return last.film_s + (sample_s - last.sample_s)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A decoded frame: float32 `samples` of shape (n_channels, n), and the film time its stamp claims."""

    samples: Samples
    at_s: float
    channels: tuple[str, ...]
    rate: int


def extract(film: Path, stream: int, wav: Path, *, clip: Span | None = None,
            progress: Callable[[float, float], None] = lambda done, total: None) -> Extracted:
    """Writes `wav` (16-bit). `clip` is in film time. `progress` is given seconds done and in all.

    Raises MediaError if the track cannot be decoded or holds nothing, EngineError if the decoder fails.
    """
    from av.error import FFmpegError

    reader = _Reader(film, stream, clip)
    with ExitStack() as files:
        writer = files.enter_context(_Writer(wav))
        try:
            for block, channels, rate in reader.blocks():
                writer.write(block, channels, rate)
                progress(reader.clock.heard_s, reader.total_s)
        except FFmpegError as error:
            raise EngineError(f"the sound of {film} could not be converted ({in_words(error)})",
                              hint="please report it with the film's format") from error
    if not writer.samples:
        raise MediaError(_nothing(film, clip), hint="check --start and --end" if clip else
                         "the track may be damaged or in a codec we do not know: try another with --track")
    rule, reason = writer.keep()
    return Extracted(writer.samples, TimeMap(tuple(reader.clock.anchors)), rule, reason,
                     {name: writer.levels.dbfs(name) for name in writer.levels.power}, reader.warnings())


def _nothing(film: Path, clip: Span | None) -> str:
    return (f"there is no sound between {clip.start:g} s and {clip.end:g} s of {film}" if clip
            else f"the audio track of {film} could not be decoded")


class _Reader:
    """Decoded sound in blocks of about a second, after overlaps were cut and the clip was applied."""

    def __init__(self, film: Path, stream: int, clip: Span | None) -> None:
        self.film, self.stream, self.clip = film, stream, clip
        self.clock = _Clock()
        self.total_s = clip.duration if clip else 0.0
        self.broken_packets = 0
        self.ended: str = ""

    def blocks(self) -> Iterator[tuple[Samples, tuple[str, ...], int]]:
        """Yields float32 samples of shape (n_channels, n), their channel names and their rate in Hz."""
        import numpy as np

        pending: list[Samples] = []
        shape: tuple[tuple[str, ...], int] | None = None
        length = 0
        for heard in self._frames():
            kept = self._within(heard)
            if kept is None:
                break
            if not kept.shape[1]:
                continue
            if shape and (shape != (heard.channels, heard.rate) or length >= _BLOCK_S * shape[1]):
                yield np.concatenate(pending, axis=1), *shape
                pending, length = [], 0
            shape = (heard.channels, heard.rate)
            pending.append(kept)
            length += kept.shape[1]
        self.clock.finish()
        if shape and pending:
            yield np.concatenate(pending, axis=1), *shape

    def _frames(self) -> Iterator[_Heard]:
        """From just before the clip where the container can seek to it, else from the start of the film."""
        if self.clip and self.clip.start > _SEEK_EARLY_S:
            with contextlib.closing(self._frames_from(self.clip.start - _SEEK_EARLY_S)) as frames:
                first = next(frames, None)
                # Seeking without an index may fail, or land too late.
                if first and first.at_s <= self.clip.start:
                    yield first
                    yield from frames
                    return
            self.broken_packets, self.ended = 0, ""
        yield from self._frames_from(None)

    def _frames_from(self, seek_s: float | None) -> Generator[_Heard, None, None]:
        from av.audio.resampler import AudioResampler
        from av.error import FFmpegError

        with opened(self.film) as container:
            media = describe(self.film, container)
            track = container.streams[self.stream]
            # Other streams are not even read where the container allows it.
            for other in container.streams:
                other.discard = _discard(other.index != self.stream)
            if self.clip is None:
                self.total_s = media.duration_s or 0.0
            if seek_s is not None:
                try:
                    container.seek(round((seek_s + media.origin_s) * 1_000_000), any_frame=False, backward=True)
                except FFmpegError:
                    return
            packed: AudioResampler | None = None
            form: tuple[Any, ...] = ()
            next_s: float | None = None
            for frame in self._decoded(container, track):
                if form != (frame.format.name, frame.layout.name, frame.rate):
                    form = (frame.format.name, frame.layout.name, frame.rate)
                    packed = AudioResampler(format="flt", layout=frame.layout, rate=frame.rate)
                if frame.pts is not None:
                    next_s = float(frame.pts * frame.time_base) - media.origin_s
                elif next_s is None:
                    if seek_s is not None:
                        return
                    next_s = 0.0
                at_s, next_s = next_s, next_s + frame.samples / frame.rate
                channels = tuple(channel.name for channel in frame.layout.channels)
                assert packed
                frame.pts = None
                # Packed: the library crashes over the planes of frames with eight channels or more.
                samples = packed.resample(frame)[0].to_ndarray().reshape(-1, len(channels)).T
                yield _Heard(samples.astype("float32", copy=False), at_s, channels, frame.rate)

    def _decoded(self, container: Any, track: Any) -> Iterator[Any]:
        """Frames of the track; what cannot be decoded is counted and left out."""
        from av.error import FFmpegError

        for packet in packets(container, [track], self._end):
            try:
                yield from packet.decode()
            except (FFmpegError, ValueError):
                self.broken_packets += 1

    def _end(self, reason: str) -> None:
        self.ended = reason

    def _within(self, heard: _Heard) -> Samples | None:
        """What is left of a frame after the clip and overlaps; None after the end of the clip."""
        samples, at_s, rate = heard.samples, heard.at_s, heard.rate
        if self.clip:
            if not self.clock.anchors:
                early = max(0, round((self.clip.start - at_s) * rate))
                samples, at_s = samples[:, early:], at_s + early / rate
                if not samples.shape[1]:
                    return samples
            if at_s >= self.clip.end or (self.clock.anchors and self.clock.film_s >= self.clip.end):
                return None
        kept = samples[:, round(self.clock.take(at_s, samples.shape[1] / rate) * rate):]
        if self.clip:
            kept = kept[:, :max(0, round((self.clip.end - self.clock.film_s) * rate))]
        self.clock.heard_s += kept.shape[1] / rate
        return kept

    def warnings(self) -> tuple[str, ...]:
        clock = self.clock
        said = []
        if self.ended:
            said.append(f"the film breaks off after {clock.film_s:.1f} s ({self.ended}): what was there is used")
        if self.broken_packets:
            said.append(f"{self.broken_packets} packets of sound could not be decoded and were left out")
        if clock.overlap_s > JUMP_S:
            said.append(f"{clock.overlap_s:.2f} s of sound were stored twice and heard once")
        if clock.holes_s >= _HOLES_TOLD_S:
            said.append(f"the sound has holes of {clock.holes_s:.1f} s in all; cues keep the film's time")
        if clock.restarts:
            said.append("the film's clock starts anew in the middle; times after that follow the sound")
        return tuple(said)


class _Writer:
    """The candidate mixes as 16-bit WAV files; `keep` gives the chosen one its name and deletes the other."""

    def __init__(self, wav: Path) -> None:
        self.wav = wav
        self.levels = downmix.Levels()
        self.samples = 0
        self._files: dict[str, wave.Wave_write] = {}
        self._names: tuple[str, ...] = ()
        self._shape: tuple[tuple[str, ...], int] | None = None
        self._resampler: Any = None
        self._mixes: downmix.Mixes | None = None

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._resample(None)
        for file in self._files.values():
            file.close()

    def write(self, block: Samples, channels: tuple[str, ...], rate: int) -> None:
        """Mixes at the film's own rate, where there are fewer samples to touch than after it per channel."""
        from av import AudioFrame

        if self._shape != (channels, rate):
            self._reshape(channels, rate)
        assert self._mixes
        mixed = self._mixes.weights @ block
        if downmix.CENTRE in self._mixes.names:
            self.levels.add(downmix.FC_ALONE, block[channels.index("FC")])
        for name, samples in zip(self._mixes.names, mixed, strict=True):
            self.levels.add(name, samples)
        frame = AudioFrame.from_ndarray(mixed.clip(-1.0, 1.0), "fltp", _layout(len(mixed)))
        frame.rate = rate
        self._resample(frame)

    def keep(self) -> tuple[str, str]:
        rule, reason = downmix.decide(self._names, self.levels)
        publish.rename(self._path(rule), self.wav)
        for name in self._names:
            self._path(name).unlink(missing_ok=True)
        return rule, reason

    def _reshape(self, channels: tuple[str, ...], rate: int) -> None:
        """The layout or rate changes, at the start or in mid-film: the mixes of the first layout are kept."""
        from av.audio.resampler import AudioResampler

        self._resample(None)
        mixes = downmix.candidates(channels)
        if not self._names:
            self._names = mixes.names
            for name in self._names:
                file = wave.open(str(self._path(name)), "wb")  # noqa: SIM115 - closed by __exit__
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(SAMPLE_RATE)
                self._files[name] = file
        self._mixes = mixes
        self._shape = (channels, rate)
        self._resampler = AudioResampler(format="fltp", layout=_layout(len(mixes.names)), rate=SAMPLE_RATE)

    def _resample(self, frame: Any) -> None:
        """Converts and writes; None flushes what the resampler still holds."""
        import numpy as np

        if self._resampler is None:
            return
        for converted in self._resampler.resample(frame):
            samples = converted.to_ndarray()
            whole = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2")
            assert self._mixes
            for position, name in enumerate(self._names):
                # After a change of layout a mix of the first one may have no counterpart: the first stands in.
                row = self._mixes.names.index(name) if name in self._mixes.names else 0
                self._files[name].writeframesraw(whole[row].tobytes())
                if position == 0:
                    self.samples += whole.shape[1]

    def _path(self, name: str) -> Path:
        return self.wav.with_suffix(f".{name}.wav")


def _layout(channels: int) -> str:
    return {1: "mono", 2: "stereo"}[channels]


def _discard(unwanted: bool) -> Any:
    from av.stream import Discard

    return Discard.all if unwanted else Discard.default
