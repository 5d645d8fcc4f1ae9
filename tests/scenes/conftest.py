"""Listening to a made film: what a decoder presents, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from scenes import Line, Scene, SceneSpec, build


@dataclass(frozen=True)
class Heard:
    """One decoded audio stream: `times` (n,) in seconds of film time, `samples` (channels, n)."""

    times: NDArray[np.float64]
    samples: NDArray[np.float32]
    channels: tuple[str, ...]

    def onset_and_end_s(self, line: Line, channel: int = 0) -> tuple[float, float]:
        """First and last sample within 40 dB of the line's peak, looked for up to 0.2 s around it."""
        near = (self.times > line.start_s - 0.2) & (self.times < line.end_s + 0.2)
        times, loudness = self.times[near], np.abs(self.samples[channel][near])
        loud = np.flatnonzero(loudness >= loudness.max() * 0.01)
        return float(times[loud[0]]), float(times[loud[-1]])


def listen(film: Path, audio_index: int = 0) -> Heard:
    times, blocks, channels = [], [], ()
    with av.open(film) as container:
        for frame in container.decode(container.streams.audio[audio_index]):
            block = frame.to_ndarray()
            channels = tuple(channel.name for channel in frame.layout.channels)
            if not frame.format.is_planar:
                block = block.reshape(-1, len(channels)).T
            if block.dtype.kind == "i":
                block = block.astype(np.float32) / -float(np.iinfo(block.dtype).min)
            times.append(frame.time + np.arange(block.shape[1]) / frame.sample_rate)
            blocks.append(block.astype(np.float32))
    return Heard(np.concatenate(times), np.concatenate(blocks, axis=1), channels)


def worst_error_s(scene: Scene, lines: tuple[Line, ...], audio_index: int = 0, channel: int = 0) -> float:
    """The largest distance between a line's true onset or end and the heard one."""
    heard = listen(scene.film, audio_index)
    errors = []
    for line in lines:
        onset, end = heard.onset_and_end_s(line, channel)
        errors += [abs(onset - line.start_s), abs(end - line.end_s)]
    return max(errors)


Build = Callable[..., Scene]


@pytest.fixture
def make(tmp_path: Path) -> Build:
    """Makes a small, short scene without music, in which only the voices sound."""

    def small(name: str = "scene", **options: object) -> Scene:
        defaults: dict[str, object] = {
            "music": False,
            "length_s": 14.0,
            "lead_in_s": 2.0,
            "width": 96,
            "height": 54,
            "fps": 8,
            "audio_codec": "flac",
        }
        return build(SceneSpec(**{**defaults, **options}), tmp_path, name)

    return small
