"""Where the film's picture cuts from one shot to the next, in film time, to the frame.

Two neighbouring frames of one shot resemble each other; across a cut they do not. Resemblance is measured on frames
scaled to 64 x 36 and to one contrast, as their mean difference (0 for the same picture, about 1.1 for unrelated ones):
dark shots count like bright ones, and a fade does not count. A cut is a difference that is large in itself and against
those around it, as in the adaptive detectors of the field (PySceneDetect's is one): a pan has large differences
everywhere. What looks as before again within a quarter of a second was a flash; a dissolve has no large difference.
"""

from __future__ import annotations

import statistics
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cp_whisperx.media.probe import describe, opened, packets
from cp_whisperx.timeline import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Small = NDArray[np.float32]
    """Y, U and V planes, each without its mean: shape (3, 18, 32), and shape (36, 64) for Y, in one flat array."""

Mode = Literal["fast", "full"]

_WIDTH, _HEIGHT = 64, 36
_GREY = 6.0
"""Contrast, of 255, below which differences are noise and not structure."""

UNLIKE = 0.35
"""Difference of two neighbouring frames from which on it may be a cut."""
_TIMES = 3.0
"""A cut stands out by so much against the frames around it."""
_AROUND_S = 0.5
_FLASH_S = 0.25
_FLASH_SHARE = 0.5
_SETTLE = 2
"""Frames over which one cut may be spread, by interlacing or a damaged frame."""

_CHANGED = 0.25
_REPLACED = 0.4
_SPIKE = 2.5
_NEAR = 8
_NOISY = 0.4
_OUT_OF_ORDER = 8
_EARLY_S = (0.0, 3.0, 15.0)
_REGULAR_SHARE = 0.2
_DUE_S = 4.0
"""A whole frame so long after the last one may be there because one was due, not because of a cut."""


@dataclass(frozen=True, slots=True)
class Shots:
    """`cuts`: film times, seconds, of the first frame of each shot but the film's first."""

    cuts: tuple[float, ...]
    frames: int
    """Pictures that were decoded."""


@dataclass
class _Differences:
    """Takes the frames of a stretch in order and finds the cuts in it."""

    times: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    """`steps[i]`: from frame i - 1 to frame i."""
    back: dict[int, float] = field(default_factory=dict)
    """Of each large step: the smallest difference between a frame soon before it and one soon after it."""
    _recent: deque[tuple[float, Small]] = field(default_factory=deque)
    _open: list[tuple[int, Small, float]] = field(default_factory=list)

    def add(self, at_s: float, small: Small) -> None:
        number = len(self.times)
        while len(self._recent) > 1 and self._recent[0][0] < at_s - _FLASH_S:
            self._recent.popleft()
        step = unlike(self._recent[-1][1], small) if self._recent else 0.0
        for position, before, _ in self._open:
            self.back[position] = min(self.back[position], unlike(before, small))
        self._open = [entry for entry in self._open if at_s < entry[2]]
        if step >= UNLIKE:
            self.back[number] = min(unlike(before, small) for _, before in self._recent)
            self._open.append((number, self._recent[-1][1], at_s + _FLASH_S))
        self.times.append(at_s)
        self.steps.append(step)
        self._recent.append((at_s, small))

    def cuts(self) -> list[float]:
        found = []
        for number, back in self.back.items():
            step = self.steps[number]
            near = range(max(1, number - _SETTLE), min(len(self.steps), number + _SETTLE + 1))
            if step < max(self.steps[other] for other in near) or any(
                    other < number and self.steps[other] == step for other in near):
                continue
            around = self._around(number)
            usual = sum(around) / len(around) if around else 0.0
            if step >= _TIMES * usual and back >= _FLASH_SHARE * step:
                found.append(self.times[number])
        return found

    def _around(self, number: int) -> list[float]:
        """Steps within half a second, without the frame itself, its neighbours, and repeated frames."""
        at_s, found = self.times[number], []
        for direction in (-1, 1):
            other = number + 2 * direction
            while 1 <= other < len(self.times) and abs(self.times[other] - at_s) <= _AROUND_S:
                if self.steps[other] > 0:
                    found.append(self.steps[other])
                other += direction
        return found


def unlike(one: Small, other: Small) -> float:
    """0 for the same picture, about 1.1 for two that have nothing in common."""
    import numpy as np

    luma = _WIDTH * _HEIGHT
    return max(float(np.mean(np.abs(_even(one[part]) - _even(other[part]))))
               for part in (slice(0, luma), slice(luma, None)))


def _even(part: Small) -> Small:
    """With the contrast of all others: a fade changes nothing else."""
    import numpy as np

    return part / np.float32(np.sqrt(np.mean(part * part)) + _GREY)


def find(film: Path, stream: int, *, mode: Mode = "fast", clip: Span | None = None, threads: int = 1,
         progress: Callable[[float, float], None] = lambda done, total: None) -> Shots:
    """Cuts of one picture stream.

    full: every frame is decoded. fast: only the frames that are stored whole are, and between them what the sizes of
    the packets or the difference of two of those frames make suspicious; an encoder puts such a frame on most cuts
    (and on a flash: where the camera moves, that may be taken for a cut).
    Damaged frames are left out; a film that breaks off is searched up to there. The same film gives the same cuts
    with any number of threads. Raises MediaError if the film cannot be opened.
    """
    reader = _Reader(film, stream, threads, clip, progress)
    if mode == "full":
        found = reader.search(None)
    else:
        certain, ranges = _suspects(reader.outline())
        found = certain + [cut for span in ranges for cut in reader.search(span)]
    if clip:
        found = [cut for cut in found if clip.start <= cut < clip.end]
    return Shots(_once(found), reader.frames)


def _once(cuts: Sequence[float]) -> tuple[float, ...]:
    """In order, and none twice: two stretches that meet may both have found the cut between them."""
    result: list[float] = []
    for cut in sorted(cuts):
        if not result or cut - result[-1] > 0.07:
            result.append(round(cut, 6))
    return tuple(result)


@dataclass(frozen=True, slots=True)
class _Outline:
    """A film as its packets show it: times and sizes in order of presentation, and the frames stored whole."""

    times: list[float]
    sizes: list[int]
    whole: list[tuple[float, float]]
    """Film time, and the difference from the whole frame before it."""


def _suspects(outline: _Outline) -> tuple[list[float], list[Span]]:
    """Cuts that are certain without a further look, and the stretches that need one."""
    position = {at_s: number for number, at_s in enumerate(outline.times)}
    whole = [(position[at_s], at_s, changed) for at_s, changed in outline.whole if at_s in position]
    lengths = [after - before for (before, _, _), (after, _, _) in pairwise(whole)]
    often = max(3, _REGULAR_SHARE * len(lengths))
    regular = {length for length, times in Counter(lengths).items() if times >= often}
    if whole and max(end - start for (_, start, _), (_, end, _) in pairwise([*whole, whole[-1]])) >= _DUE_S:
        regular.add(max(lengths, default=0))
    hurried = {start for (_, start, _), (_, end, _) in pairwise(whole) if end - start < _FLASH_S}
    noisy = _noisy(outline.sizes, {first for first, _, _ in whole})
    cuts, ranges = [], []
    for ((first, start_s, _), (last, end_s, changed)), length in zip(pairwise(whole), lengths, strict=True):
        spike = _spike(outline.sizes[first:last])
        # Two whole frames so near each other may be the two sides of a flash.
        short = end_s - start_s < _FLASH_S or end_s in hurried
        unsure = short or length in regular or changed < _REPLACED
        if noisy or spike or (changed >= _CHANGED and unsure):
            ranges.append(Span(start_s, end_s))
        elif changed >= _REPLACED:
            cuts.append(end_s)
    if whole and (noisy or _spike(outline.sizes[whole[-1][0]:])):
        ranges.append(Span(whole[-1][1], outline.times[-1]))
    return cuts, _joined(ranges)


def _noisy(sizes: Sequence[int], whole: Collection[int]) -> bool:
    """True if grain fills the packets: then a frame that differs is no larger than one that does not."""
    others = [size for number, size in enumerate(sizes) if number not in whole]
    return bool(others and whole) and \
        statistics.median(others) > _NOISY * statistics.median(sizes[number] for number in whole)


def _spike(sizes: Sequence[int]) -> bool:
    """A packet, other than the whole frame at the start, that is much larger than all others near it."""
    for number in range(1, len(sizes)):
        near = [sizes[other] for other in range(max(1, number - _NEAR), min(len(sizes), number + _NEAR + 1))
                if abs(other - number) > 1]
        if near and sizes[number] > _SPIKE * max(near) / 2 and sizes[number] > _SPIKE * sum(near) / len(near) \
                and sizes[number] > sizes[0] / 6:
            return True
    return False


def _joined(ranges: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in ranges:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return joined


class _Reader:
    def __init__(self, film: Path, stream: int, threads: int, clip: Span | None,
                 progress: Callable[[float, float], None]) -> None:
        self._film, self._stream, self._threads, self._clip = film, stream, threads, clip
        self._progress = progress
        self.frames = 0

    def outline(self) -> _Outline:
        stamps: list[tuple[float, int]] = []
        whole: list[tuple[float, float]] = []
        # Decoders that leave frames out may give the others in the order of the file.
        waiting: list[tuple[float, Small]] = []
        before: Small | None = None

        def settle(at_most: int) -> None:
            nonlocal before
            waiting.sort(key=lambda frame: frame[0])
            while len(waiting) > at_most:
                at_s, small = waiting.pop(0)
                whole.append((at_s, 0.0 if before is None else unlike(before, small)))
                before = small

        for at_s, found in self._read(self._clip.start if self._clip else None, whole_only=True):
            if isinstance(found, int):
                stamps.append((at_s, found))
            else:
                waiting.append((at_s, found))
                settle(_OUT_OF_ORDER)
            if self._clip and at_s > self._clip.end + 1:
                break
        settle(0)
        stamps.sort()
        return _Outline([at_s for at_s, _ in stamps], [size for _, size in stamps], whole)

    def search(self, span: Span | None) -> list[float]:
        """The cuts within `span`, and on its end; all those of the film, or of the clip, without one."""
        span = span or self._clip
        found = _Differences()
        for at_s, small in self._from(span.start) if span else self._read(None, whole_only=False):
            if span and at_s > span.end + _AROUND_S:
                break
            if not span or at_s >= span.start - _AROUND_S:
                found.add(at_s, small)
        return [cut for cut in found.cuts() if not span or cut <= span.end + 1e-6]

    def _from(self, start_s: float) -> Iterator[tuple[float, Any]]:
        """Frames from `start_s` or before: where the container seeks too far, from further back, or from its start."""
        for early_s in _EARLY_S:
            frames = self._read(max(0.0, start_s - early_s), whole_only=False)
            first = next(frames, None)
            if first and first[0] <= start_s + 1e-3:
                yield first
                yield from frames
                return
        yield from self._read(None, whole_only=False)

    def _read(self, seek_s: float | None, *, whole_only: bool) -> Iterator[tuple[float, Any]]:
        """Film time with the small picture of each frame; with `whole_only` also with the size of each packet."""
        from av.error import FFmpegError
        from av.stream import Discard
        from av.video.reformatter import Interpolation, VideoReformatter

        with opened(self._film) as container:
            media = describe(self._film, container)
            track: Any = container.streams[self._stream]
            for other in container.streams:
                other.discard = Discard.default if other.index == self._stream else Discard.all
            context = track.codec_context
            context.thread_type, context.thread_count = "AUTO", self._threads
            # Blocks at 1/30 of the size do not show their edges.
            context.options = {"skip_loop_filter": "all"}
            if whole_only:
                context.skip_frame = "NONINTRA"
            if seek_s and seek_s > 0:
                try:
                    container.seek(round((seek_s + media.origin_s) / track.time_base), stream=track, backward=True)
                except FFmpegError:
                    container.seek(0)
            total_s = self._clip.duration if self._clip else media.duration_s or 0.0
            scaler, told_s = VideoReformatter(), -1.0
            for packet in packets(container, [track], lambda reason: None):
                if whole_only and packet.size and packet.pts is not None:
                    yield float(packet.pts * packet.time_base) - media.origin_s, packet.size
                try:
                    frames = packet.decode()
                except (FFmpegError, ValueError):
                    continue
                for frame in frames:
                    if frame.pts is None or (whole_only and frame.pict_type != 1):
                        continue
                    at_s = float(frame.pts * frame.time_base) - media.origin_s
                    self.frames += 1
                    yield at_s, _small(scaler.reformat(frame, _WIDTH, _HEIGHT, "yuv420p",
                                                       interpolation=Interpolation.AREA))
                    if at_s > told_s + 1:
                        told_s = at_s
                        self._progress(at_s, total_s)


def _small(frame: Any) -> Small:
    import numpy as np

    planes = np.split(frame.to_ndarray().reshape(-1).astype(np.float32),
                      [_WIDTH * _HEIGHT, _WIDTH * _HEIGHT * 5 // 4])
    return np.concatenate([plane - plane.mean() for plane in planes])
