"""The spoken lines: text to sound, with the acoustic onset and end of each line known to the sample."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scenes.dialogue import Speaker, WrittenLine, load_dialogue

TTS_RATE_HZ = 16_000
ONSET_BELOW_PEAK_DB = 40.0
"""A line begins at its first sample within this many dB of its peak and ends after the last one."""

_MARGIN_S = 0.03
_CHILD_TIMEOUT_S = 300


@dataclass(frozen=True)
class Clip:
    """One spoken line.

    samples: float32, shape (n,), RMS 1.0 over the voiced part, at the rate it was asked for.
    onset, end: first voiced sample and one past the last, as positions in `samples`. A few ms of the
        voice's own fainter sound are kept around them.
    """

    samples: NDArray[np.float32]
    onset: int
    end: int

    @property
    def peak(self) -> float:
        """Largest magnitude, relative to the RMS."""
        return float(np.abs(self.samples).max())


def voiced_span(samples: NDArray[np.float32]) -> tuple[int, int]:
    """First sample within ONSET_BELOW_PEAK_DB of the peak, and one past the last; `samples` is (n,)."""
    magnitude = np.abs(samples)
    loud = np.flatnonzero(magnitude >= magnitude.max() * 10 ** (-ONSET_BELOW_PEAK_DB / 20))
    return int(loud[0]), int(loud[-1]) + 1


def resample(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """`samples` (n,) from TTS_RATE_HZ to `rate_hz` without delay; n is padded to whole 10 ms."""
    if rate_hz == TTS_RATE_HZ:
        return samples
    step = TTS_RATE_HZ // 100
    padded = np.pad(samples, (0, -len(samples) % step + 4 * step))
    out_len = len(padded) * rate_hz // TTS_RATE_HZ
    spectrum = np.fft.rfft(padded)
    wide = np.zeros(out_len // 2 + 1, dtype=np.complex128)
    wide[: len(spectrum)] = spectrum
    return (np.fft.irfft(wide, out_len) * (rate_hz / TTS_RATE_HZ)).astype(np.float32)


@lru_cache(maxsize=8)
def spoken(rate_hz: int) -> dict[WrittenLine, Clip]:
    """Every line of the script, spoken, at `rate_hz`."""
    return {line: _clip(raw, rate_hz) for line, raw in _raw_lines().items()}


def _clip(raw: NDArray[np.float32], rate_hz: int) -> Clip:
    margin = int(_MARGIN_S * TTS_RATE_HZ)
    first, last = voiced_span(raw)
    cut = np.pad(raw, margin)[first : last + 2 * margin].copy()
    ramp = np.linspace(0.0, 1.0, margin // 2, dtype=np.float32)
    cut[: len(ramp)] *= ramp
    cut[-len(ramp) :] *= ramp[::-1]
    samples = resample(cut, rate_hz)
    onset, end = voiced_span(samples)
    rms = float(np.sqrt(np.mean(np.square(samples[onset:end], dtype=np.float64))))
    return Clip(samples=samples / np.float32(rms), onset=onset, end=end)


@lru_cache(maxsize=1)
def _raw_lines() -> dict[WrittenLine, NDArray[np.float32]]:
    """Every line as the synthesiser gives it, (n,) float32 at TTS_RATE_HZ."""
    dialogue = load_dialogue()
    lines = list(dict.fromkeys(dialogue.lines + dialogue.lines_b))
    requests = [(line.text, *_manner(dialogue.speaker(line.speaker))) for line in lines]
    # The synthesiser reads memory that it never wrote, so its output would vary with what the process
    # did before. In a child whose allocator clears what it hands out, it is the same every time.
    child = subprocess.run(
        [sys.executable, "-c", "from scenes.voices import speak_requests; speak_requests()"],
        input=json.dumps(requests).encode(),
        stdout=subprocess.PIPE,
        env={**os.environ, "MALLOC_PERTURB_": "255", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        timeout=_CHILD_TIMEOUT_S,
        check=True,
    )
    spoken_lines: dict[WrittenLine, NDArray[np.float32]] = {}
    offset = 0
    for line in lines:
        (size,) = struct.unpack_from("<I", child.stdout, offset)
        pcm = np.frombuffer(child.stdout, dtype="<i2", count=size // 2, offset=offset + 4)
        spoken_lines[line] = pcm.astype(np.float32) / np.float32(32768.0)
        offset += 4 + size
    return spoken_lines


def _manner(speaker: Speaker) -> tuple[str, float, float]:
    return speaker.voice, speaker.pitch, speaker.speed


def speak_requests() -> None:
    """In the child: read the requests as JSON on stdin, write each line's size and PCM on stdout."""
    from py_nanotts import NanoTTS

    synthesiser = NanoTTS()
    for text, voice, pitch, speed in json.load(sys.stdin):
        # Full volume clips the loudest vowels.
        pcm = synthesiser.speak(text, voice=voice, pitch=pitch, speed=speed, volume=0.5)
        sys.stdout.buffer.write(struct.pack("<I", len(pcm)) + pcm)
