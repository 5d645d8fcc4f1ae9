"""Silent films whose shot changes are known: pictures that share nothing, moved, cut, flashed, faded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
_MARGIN = 96


@dataclass(frozen=True)
class CutSpec:
    """A film of shots.

    shots_s: their lengths. `pan`: pixels per frame that the camera moves in each shot (shaken if `shake`).
    flashes_s: times of two white frames. fades: each shot fades to black at its end and in at its start, so that
    there is no cut. `dissolve_s`: each shot melts into the next. `grain`: deviation of the noise, of 255.
    dark: brightness of every other shot, 1 for none. start_s: time stamp of the first frame. variable: frames last
    1 to 3 times their length. hole_s: in the middle of the second shot the time stamps jump. interlaced: cuts fall
    between two fields. repeat: every so many frames one is shown twice (0: never).
    """

    shots_s: tuple[float, ...] = (2.0, 1.2, 3.1, 0.9, 2.4)
    width: int = 192
    height: int = 108
    fps: int = 24
    seed: int = 1
    pan: float = 0.6
    shake: bool = False
    flashes_s: tuple[float, ...] = ()
    fades: bool = False
    dissolve_s: float = 0.0
    grain: float = 2.0
    dark: float = 1.0
    start_s: float = 0.0
    variable: bool = False
    hole_s: float = 0.0
    interlaced: bool = False
    repeat: int = 0
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=lambda: {"preset": "veryfast", "crf": "23", "threads": "1"},
                                    hash=False)


def build_cuts(spec: CutSpec, film: Path) -> tuple[float, ...]:
    """Writes `film` and returns the film times of the first frame of each shot but the first."""
    cuts: list[float] = []
    with av.open(film, "w") as container:
        stream = container.add_stream(spec.codec, rate=spec.fps, options=spec.options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = spec.width, spec.height
        stream.pix_fmt = "yuvj420p" if spec.codec == "mjpeg" else "yuv420p"
        base = Fraction(1, spec.fps * 4)
        stream.codec_context.time_base = base
        at = round(spec.start_s / base)
        for number, (pixels, first) in enumerate(_frames(spec)):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = at, base
            if first:
                cuts.append(float(at * base))
            container.mux(stream.encode(frame))
            at += 4 * (1 + number * 7 % 3) if spec.variable else 4
            if spec.hole_s and number == round((spec.shots_s[0] + spec.shots_s[1] / 2) * spec.fps):
                at += round(spec.hole_s / base)
        container.mux(stream.encode(None))
    return () if spec.fades or spec.dissolve_s else tuple(cuts[1:])


def _frames(spec: CutSpec) -> Iterator[tuple[Pixels, bool]]:
    """Each frame, and whether it is the first of a shot."""
    rng = np.random.default_rng(spec.seed)
    grain = rng.normal(0, spec.grain, (5, spec.height, spec.width, 1))
    lengths = [round(length * spec.fps) for length in spec.shots_s]
    worlds = [_world(spec, rng) * (spec.dark if number % 2 else 1.0) for number in range(len(lengths))]
    flashes = {round(at_s * spec.fps) + more for at_s in spec.flashes_s for more in (0, 1)}
    melt = round(spec.dissolve_s * spec.fps)
    shown, last = 0, None
    for shot, length in enumerate(lengths):
        for frame in range(length):
            picture = _view(spec, worlds[shot], frame, rng)
            left = length - frame
            if spec.fades:
                picture = picture * min(1.0, frame / 12, (left - 1) / 12)
            if melt and left <= melt and shot + 1 < len(lengths):
                picture = picture + (_view(spec, worlds[shot + 1], 0, rng) - picture) * (1 - left / (melt + 1))
            if spec.interlaced and shot and not frame:
                picture[1::2] = _view(spec, worlds[shot - 1], lengths[shot - 1], rng)[1::2]
            if shown in flashes:
                picture = picture * 0.1 + 225
            if not spec.repeat or last is None or not frame or shown % spec.repeat:
                last = (picture + grain[shown % 5]).clip(0, 255).astype(np.uint8)
            yield last, not frame
            shown += 1


def _view(spec: CutSpec, world: NDArray[np.float32], frame: int, rng: np.random.Generator) -> NDArray[np.float32]:
    moved = spec.pan * frame
    # There and back again: a jump at the edge would be a cut.
    x = int(abs((moved + _MARGIN) % (2 * _MARGIN) - _MARGIN))
    x, y = (x, int(rng.integers(0, 1 + spec.height // 27))) if spec.shake else (x, 0)
    return world[y:y + spec.height, x:x + spec.width].copy()


def _world(spec: CutSpec, rng: np.random.Generator) -> NDArray[np.float32]:
    """Coloured clouds and a few hard edges, wider than the film."""
    width, height = spec.width + _MARGIN, spec.height + spec.height // 20 + 8
    total = np.zeros((height, width, 3), np.float32)
    for cells, weight in ((3, 1.0), (8, 0.5), (24, 0.25), (72, 0.2)):
        coarse = rng.uniform(0, 255, (cells, cells * 2, 3)).astype(np.uint8)
        total += weight * np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    for _ in range(6):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        total[y:y + height // 4, x:x + width // 6] += rng.uniform(-120, 120, 3)
    total -= total.min()
    scaled: NDArray[np.float32] = total * np.float32(255 / total.max())
    return scaled
