"""Speaker embeddings in onnxruntime: what a voice sounds like, as a vector of length 1.

The default model is CAM++ (Wang et al., 2023), which hears filter banks, 1.5 s at a time; encoders on mel power,
as GE2E (Wan et al., "Generalized end-to-end loss for speaker verification", 2018), or on the waveform fit as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx.engines import features as frames
from cp_whisperx.engines import manifest as manifests
from cp_whisperx.engines import self_check
from cp_whisperx.errors import EngineError
from cp_whisperx.timeline import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cp_whisperx.engines.protocols import Waveform

_BATCH = 64


class OnnxEmbedder:
    frame_s = frames.HOP / SAMPLE_RATE

    def __init__(self, model: Path) -> None:
        """`model` is a folder with a manifest. Raises ConfigError or EngineError if it cannot be used here."""
        import onnxruntime

        self.manifest = manifests.read(model, manifests.SpeakerManifest)
        self._session: Any = manifests.session(model, self.manifest)
        self._folder = model
        self.size = self.manifest.size
        self.partial_frames = self.manifest.partial_frames
        if self.manifest.self_check:
            self_check.require_speaker(self.manifest.features, self.features, self.embed)
        self.version = f"{self.manifest.features} embedding, onnxruntime {onnxruntime.__version__}"

    def features(self, wave: Waveform) -> NDArray[np.float32]:
        import numpy as np

        if self.manifest.raise_to_dbfs is not None:
            wave = frames.raised(wave, self.manifest.raise_to_dbfs)
        if self.manifest.features == "mel":
            return frames.mel(wave, self.manifest.bands)
        if self.manifest.features == "fbank":
            return frames.fbank(wave, self.manifest.bands, povey=self.manifest.window == "povey")
        return np.ascontiguousarray(wave[:wave.size // frames.HOP * frames.HOP].reshape(-1, frames.HOP))

    def embed(self, partials: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        given = self._session.get_inputs()[0]
        found = np.zeros((len(partials), self.size), np.float32)
        for start in range(0, len(partials), _BATCH):
            part = partials[start:start + _BATCH]
            if self.manifest.mean_normalised:
                part = part - part.mean(axis=1, keepdims=True)
            if self.manifest.features == "waveform":
                part = part.reshape(len(part), -1)
            try:
                made = np.asarray(self._session.run(None, {given.name: part.astype(np.float32)})[0])
            except Exception as error:
                said = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise EngineError(f"the speaker model in {self._folder} failed ({said})") from error
            made = made.reshape(len(part), -1)
            if made.shape[1] != self.size:
                raise EngineError(f"the speaker model in {self._folder} gives {made.shape[1]} numbers, not {self.size} "
                                  f"as its {manifests.FILE} says")
            found[start:start + len(part)] = unit(made)
        return found

    def embed_waves(self, waves: Sequence[Waveform]) -> NDArray[np.float32]:
        import numpy as np

        cut = [partials(self.features(wave), self.partial_frames) for wave in waves]
        made = self.embed(np.concatenate(cut)) if cut else np.zeros((0, self.size), np.float32)
        ends = np.cumsum([len(parts) for parts in cut])
        return unit(np.stack([made[end - len(parts):end].mean(axis=0) for end, parts in zip(ends, cut, strict=True)])
                    ) if cut else made


def partials(heard: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Half-overlapping cuts of `size` frames, shape (n, size, bands), n >= 1; the last ends with the sound.

    Sound that is too short is repeated until it fills one.
    """
    import numpy as np

    if not len(heard):
        return np.zeros((1, size, heard.shape[1]), np.float32)
    if len(heard) < size:
        return np.resize(heard, (1, size, heard.shape[1])).astype(np.float32)
    starts = sorted({*range(0, len(heard) - size + 1, size // 2 or 1), len(heard) - size})
    return np.stack([heard[start:start + size] for start in starts])


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaled to length 1 along the last axis; zeros, and what is no number, become zeros."""
    import numpy as np

    clean = np.nan_to_num(vectors, nan=0.0, posinf=0.0, neginf=0.0)
    length = np.linalg.norm(clean, axis=-1, keepdims=True)
    return np.asarray(clean / np.where(length > 0, length, 1), np.float32)
