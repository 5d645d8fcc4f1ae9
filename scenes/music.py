"""The music bed: a soft arpeggio over four chords, our own, synthesised once and looped without a seam."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scenes.schedule import MusicSpan

BEAT_S = 0.6
_BEATS_PER_CHORD = 4
_RAMP_S = 0.3
_SILENT_DB = -120.0
_SHIFT_S = 0.013

# MIDI notes: a minor progression in D, with its bass first.
_CHORDS = (
    (38, 57, 62, 65, 69),
    (34, 58, 62, 65, 70),
    (41, 57, 60, 65, 69),
    (36, 55, 60, 64, 67),
    (38, 57, 62, 65, 69),
    (43, 58, 62, 67, 70),
    (34, 58, 62, 65, 70),
    (33, 57, 61, 64, 69),
)
_ARPEGGIO = (1, 2, 3, 4, 3, 2, 4, 3)


@lru_cache(maxsize=4)
def bed(rate_hz: int) -> NDArray[np.float32]:
    """One loop of the bed, (n,) float32 with RMS 1.0, about 19 s; its end runs on into its beginning."""
    beat = round(BEAT_S * rate_hz)
    loop = np.zeros(beat * _BEATS_PER_CHORD * len(_CHORDS), dtype=np.float64)
    for number, chord in enumerate(_CHORDS):
        start = number * _BEATS_PER_CHORD * beat
        for note in chord:
            _add(loop, start, 0.28 * _pad_note(note, rate_hz, beat * _BEATS_PER_CHORD))
        for step, which in enumerate(_ARPEGGIO):
            _add(loop, start + step * beat // 2, 0.55 * _plucked(chord[which] + 12, rate_hz))
    rms = float(np.sqrt(np.mean(np.square(loop))))
    return np.asarray(loop / rms, dtype=np.float32)


def music(
    spans: tuple[MusicSpan, ...], rate_hz: int, start: int, size: int, voices: int
) -> NDArray[np.float32]:
    """The music from sample position `start`: (voices, size), relative to speech at RMS 1.0.

    Voices are the same bed some ms apart, so that channels are alike but not equal.
    """
    if not spans:
        return np.zeros((voices, size), dtype=np.float32)
    loop = bed(rate_hz)
    gain = _gain(spans, rate_hz, start, size)
    positions = np.arange(start, start + size)
    shift = round(_SHIFT_S * rate_hz)
    return np.stack([loop[(positions + voice * shift) % len(loop)] * gain for voice in range(voices)])


def _gain(spans: tuple[MusicSpan, ...], rate_hz: int, start: int, size: int) -> NDArray[np.float32]:
    """Linear gain (size,): level with each span, ramping over _RAMP_S into the next one."""
    ramp = round(_RAMP_S * rate_hz)
    near = [span for span in spans if span.end + ramp >= start and span.start - ramp <= start + size]
    at: list[int] = []
    level: list[float] = []
    for span in near:
        ramp_in = min(ramp, (span.end - span.start) // 2)
        at += [span.start + (ramp_in if span.start else 0), span.end]
        level += [span.level_db, span.level_db]
    db = np.interp(np.arange(start, start + size), at, level, right=_SILENT_DB if not near else level[-1])
    return (10 ** (db / 20)).astype(np.float32)


def _add(loop: NDArray[np.float64], start: int, note: NDArray[np.float64]) -> None:
    """Adds `note` (m,) to `loop` (n,) from `start`, wrapping round its end."""
    np.add.at(loop, np.arange(start, start + len(note)) % len(loop), note)


def _hertz(midi: int) -> float:
    return float(440.0 * 2 ** ((midi - 69) / 12))


def _pad_note(midi: int, rate_hz: int, size: int) -> NDArray[np.float64]:
    release = size // 3
    t = np.arange(size + release) / rate_hz
    fade = np.minimum(1.0, (size + release - np.arange(size + release)) / release)
    envelope = np.minimum(t / 0.5, 1.0) * fade
    tone = sum(np.sin(2 * np.pi * _hertz(midi) * detune * t) for detune in (0.998, 1.0, 1.002))
    return np.asarray(tone * envelope / 3)


def _plucked(midi: int, rate_hz: int) -> NDArray[np.float64]:
    t = np.arange(round(1.4 * rate_hz)) / rate_hz
    attack = np.minimum(t / 0.008, 1.0)
    tone = sum(np.sin(2 * np.pi * _hertz(midi) * h * t) * np.exp(-2.6 * h * t) / h**1.6 for h in (1, 2, 3))
    return np.asarray(tone * attack)
