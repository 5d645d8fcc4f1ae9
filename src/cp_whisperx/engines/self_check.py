"""Does a converted model compute here what torch computed? A few seconds of made-up sound against stored answers.

The bytes of a catalogued model are right, or the store would not have them; what is open is whether this
onnxruntime, on this processor, with these providers, computes rightly. That costs 20 to 50 ms at each load. The
answers are made by bench/reference_vectors.py.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING

from cp_whisperx.errors import EngineError
from cp_whisperx.timeline import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOLERANCE = 1e-3
DECISION = 0.5
_FORMANTS_HZ = ((730.0, 90.0), (1090.0, 110.0), (2440.0, 170.0))
_VOICES = ((120.0, 0.35, 0.55), (190.0, 0.7, 0.95))
"""Pitch, and the share of the sound in which it is heard."""
_SOUND_S = 3
_POWERSET_S = 10
POWERSET_EVERY = 8
"""Frames: of a whole window every eighth is compared."""


def sound() -> NDArray[np.float32]:
    """Two sung vowels one after the other, each a sum of harmonics under three formants, shape (48000,).

    Two local speakers are heard in it, with no probability near the decision.
    """
    import numpy as np

    time = np.arange(_SOUND_S * SAMPLE_RATE, dtype=np.float64) / SAMPLE_RATE
    wave = np.zeros(time.size)
    for pitch, begins, ends in _VOICES:
        heard = (time > begins * _SOUND_S) & (time < ends * _SOUND_S)
        for harmonic in range(1, 31):
            gain = sum(1 / (1 + ((harmonic * pitch - centre) / width) ** 2) for centre, width in _FORMANTS_HZ)
            wave += gain * heard * np.sin(2 * np.pi * harmonic * pitch * time * (1 + 0.05 * time))
    wave = 0.2 * wave * np.abs(np.sin(2 * np.pi * 4 * time)) + 1e-3 * np.sin(2 * np.pi * 1000 * time * time)
    return np.asarray(wave, np.float32)


def window() -> NDArray[np.float32]:
    """The sound again and again, shape (160000,): the network with a powerset was trained on windows of ten seconds."""
    import numpy as np

    return np.resize(sound(), _POWERSET_S * SAMPLE_RATE).astype(np.float32)


def features() -> NDArray[np.float32]:
    """160 mel frames with peaks that wander, shape (160, 40)."""
    import numpy as np

    frame, band = np.arange(160.0)[:, None], np.arange(40.0)[None, :]
    peak = 12 + 8 * np.sin(frame / 15)
    return np.asarray(0.05 * np.exp(-((band - peak) / 3) ** 2) + 0.01 * np.exp(-band / 10), np.float32)


def require_segmentation(labels: str, run: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
    """`run`: a waveform of shape (1, samples) to probabilities of shape (1, frames, speakers). Raises EngineError."""
    if labels == "powerset":
        require("segmentation-powerset", run(window()[None])[0, ::POWERSET_EVERY])
    else:
        require("segmentation", run(sound()[None])[0])


def require_speaker(kind: str, hear: Callable[[NDArray[np.float32]], NDArray[np.float32]],
                    embed: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
    """`hear`: a waveform to features, shape (frames, bands); `embed`: features of shape (1, frames, bands) to an
    embedding, shape (1, size). `kind`: what the features are. Raises EngineError.
    """
    if kind == "fbank":
        require("speaker-fbank", embed(hear(sound())[None])[0])
    else:
        require("speaker", embed(features()[None])[0])


def require(kind: str, computed: NDArray[np.float32]) -> None:
    """Raises EngineError if `computed` is off by more than the tolerance, or decides differently."""
    import numpy as np

    with resources.files("cp_whisperx.engines").joinpath("reference", f"{kind}.npy").open("rb") as file:
        wanted = np.load(file, allow_pickle=False)
    flipped = int(((computed > DECISION) != (wanted > DECISION)).sum()) if computed.shape == wanted.shape else -1
    if flipped or float(np.abs(computed - wanted).max()) > TOLERANCE:
        raise EngineError(f"the {kind} model does not compute here what it was trained to compute",
                          hint="onnxruntime may not fit this processor: try another version, or device = \"cpu\"")
