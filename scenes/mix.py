"""The sound of one audio track, block by block: voices and music put into the channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.music import music
from scenes.schedule import Timeline
from scenes.spec import Channels
from scenes.voices import spoken

LAYOUTS: dict[Channels, str] = {
    "mono": "mono",
    "stereo": "stereo",
    "stereo_inverted": "stereo",
    "5.1": "5.1",
    "5.1_silent_centre": "5.1",
}
"""FFmpeg's name of each channel layout; 5.1 is in the order FL FR FC LFE BL BR."""

_LFE = 3
_CENTRE = 2


class Mixer:
    """Renders a timeline. Blocks may be asked for in any order; nothing is kept between them."""

    def __init__(self, timeline: Timeline, channels: Channels, speech_dbfs: float) -> None:
        self._timeline = timeline
        self._channels = channels
        self._speech_dbfs = speech_dbfs
        self._clips = spoken(timeline.rate_hz)
        clips = [self._clips[cue.line] for cue in timeline.cues]
        starts = [cue.onset - clip.onset for cue, clip in zip(timeline.cues, clips, strict=True)]
        self._from = np.array(starts, dtype=np.int64)
        self._to = self._from + np.array([len(clip.samples) for clip in clips], dtype=np.int64)

    def block(self, start: int, size: int) -> NDArray[np.float32]:
        """Samples `start` up to `start + size`, (channels, size), full scale 1.0."""
        voice = self._voice(start, size)
        spans, rate = self._timeline.music, self._timeline.rate_hz
        scale = np.float32(10 ** (self._speech_dbfs / 20))
        if self._channels == "mono":
            return voice[None, :] + music(spans, rate, start, size, voices=1) * scale
        if self._channels == "stereo":
            return voice[None, :] + music(spans, rate, start, size, voices=2) * scale
        if self._channels == "stereo_inverted":
            left = voice + music(spans, rate, start, size, voices=1)[0] * scale
            return np.stack([left, -left])
        out = music(spans, rate, start, size, voices=6) * scale
        out[_CENTRE] = voice if self._channels == "5.1" else 0.0
        out[_LFE] = 0.0
        if self._channels == "5.1_silent_centre":
            out[:2] += voice
        return out

    def _voice(self, start: int, size: int) -> NDArray[np.float32]:
        out = np.zeros(size, dtype=np.float32)
        for index in np.flatnonzero((self._to > start) & (self._from < start + size)):
            cue = self._timeline.cues[index]
            first, last = max(start, int(self._from[index])), min(start + size, int(self._to[index]))
            offset = int(self._from[index])
            piece = self._clips[cue.line].samples[first - offset : last - offset]
            out[first - start : last - start] += piece * np.float32(10 ** (cue.level_dbfs / 20))
        return out
