"""What speaker encoders hear: a frame of spectral bands every 10 ms, in numpy."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cp_whisperx.timeline import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cp_whisperx.engines.protocols import Waveform

HOP = 160
_WINDOW = 400
_KALDI_FFT = 512
_KALDI_LOW_HZ = 20.0
_PREEMPHASIS = 0.97
_POVEY = 0.85
_BLOCK = 4096
"""Frames that are transformed at a time: 7 MB."""


def mel(wave: Waveform, bands: int) -> NDArray[np.float32]:
    """Mel power of each frame, shape (1 + n // 160, bands); frame i is centred on sample 160 i.

    As librosa's melspectrogram with its defaults: Hann window of 400, zeros around the sound, Slaney's scale with
    each band scaled to equal area.
    """
    import numpy as np

    frames = np.lib.stride_tricks.sliding_window_view(np.pad(wave, _WINDOW // 2), _WINDOW)[::HOP]
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    return _bands(frames, window, _slaney(bands), _WINDOW)


def fbank(wave: Waveform, bands: int, *, povey: bool = False) -> NDArray[np.float32]:
    """Log mel energies as Kaldi's compute-fbank-feats gives them without dither; shape (frames, bands).

    Hamming window of 400, or Povey's (Hann to the power .85, Kaldi's default), only frames that lie wholly in the
    sound, samples scaled as 16-bit integers, the mean of each frame taken off, pre-emphasis .97, bands from 20 Hz to
    8 kHz.
    """
    import numpy as np

    if wave.size < _WINDOW:
        return np.zeros((0, bands), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(wave * np.float32(32768), _WINDOW)[::HOP]
    window = (np.hanning(_WINDOW) ** _POVEY if povey else np.hamming(_WINDOW)).astype(np.float32)
    energies = np.empty((len(frames), bands), np.float32)
    for start in range(0, len(frames), _BLOCK):
        block = frames[start:start + _BLOCK] - frames[start:start + _BLOCK].mean(axis=1, keepdims=True)
        before = np.concatenate([block[:, :1], block[:, :-1]], axis=1)
        energies[start:start + len(block)] = _bands(block - np.float32(_PREEMPHASIS) * before, window, _htk(bands),
                                                    _KALDI_FFT)
    return np.log(np.maximum(energies, np.finfo(np.float32).eps))


def raised(wave: Waveform, level_dbfs: float) -> Waveform:
    """The sound, raised to this level (RMS) if it is quieter, never lowered; digital silence stays."""
    import numpy as np

    level = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)))) if wave.size else 0.0
    gain = 10 ** (level_dbfs / 20) / level if level else 1.0
    return wave * np.float32(gain) if gain > 1 else wave


def _bands(frames: NDArray[np.float32], window: NDArray[np.float32], filters: NDArray[np.float32],
           size: int) -> NDArray[np.float32]:
    import numpy as np

    found = np.empty((len(frames), len(filters)), np.float32)
    for start in range(0, len(frames), _BLOCK):
        spectrum = np.fft.rfft(frames[start:start + _BLOCK] * window, size, axis=1)
        power = (spectrum.real ** 2 + spectrum.imag ** 2).astype(np.float32)
        found[start:start + len(power)] = power @ filters.T
    return found


@functools.cache
def _slaney(bands: int) -> NDArray[np.float32]:
    """Triangles on the scale of Slaney's Auditory Toolbox: linear below 1 kHz, logarithmic above."""
    import numpy as np

    linear, corner, step = 200 / 3, 1000.0, np.log(6.4) / 27
    top = corner / linear + np.log(SAMPLE_RATE / 2 / corner) / step
    mels = np.linspace(0, top, bands + 2)
    edges = np.where(mels < corner / linear, mels * linear, corner * np.exp(step * (mels - corner / linear)))
    bins = np.linspace(0, SAMPLE_RATE / 2, _WINDOW // 2 + 1)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    area = 2 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0, np.minimum(rise, fall)) * area[:, None], np.float32)


@functools.cache
def _htk(bands: int) -> NDArray[np.float32]:
    """Triangles in mel, of height 1, on the scale 1127 ln(1 + f / 700)."""
    import numpy as np

    def scale(hertz: float | NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        return np.asarray(1127 * np.log1p(np.asarray(hertz) / 700))

    edges = np.linspace(scale(_KALDI_LOW_HZ), scale(SAMPLE_RATE / 2), bands + 2)
    bins = scale(np.arange(_KALDI_FFT // 2 + 1) * (SAMPLE_RATE / _KALDI_FFT))
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(0, np.minimum(rise, fall))
    filters[:, -1] = 0
    return np.asarray(filters, np.float32)
