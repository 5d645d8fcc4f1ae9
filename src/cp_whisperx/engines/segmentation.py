"""Speaker segmentation: who of a few local speakers speaks, some 60 times a second, window by window.

The models are pyannote's: one gives each speaker a probability (Bredin and Laurent, "End-to-end speaker segmentation
for overlap-aware resegmentation", 2021), one answers in powerset classes (Plaquet and Bredin, 2023). Exports of other
makers fit as well, and checkpoints of pyannote.audio where that is installed.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx.engines import manifest as manifests
from cp_whisperx.engines import self_check
from cp_whisperx.errors import EngineError
from cp_whisperx.timeline import SAMPLE_RATE, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cp_whisperx.media.samples import Samples

BATCH = 8
"""Windows per call: 8 take half the time of as many calls of one; more gain nothing."""


def load(model: Path, *, threads: int = 1) -> Segmenter:
    """The engine that the manifest in the folder asks for. Raises ConfigError or EngineError if it cannot be used."""
    manifest = manifests.read(model, manifests.SegmentationManifest)
    if manifest.engine == "pyannote.audio":
        from cp_whisperx.engines.pyannote_audio import PyannoteSegmenter

        return PyannoteSegmenter(model, threads=threads)
    return OnnxSegmenter(model, threads=threads)


class Segmenter:
    """What a network answers, as speakers of windows; the network itself is that of a subclass."""

    def __init__(self, model: Path, *, threads: int, engine: str) -> None:
        """`model` is a folder with a manifest. Raises ConfigError if it has none."""
        self.manifest = manifests.read(model, manifests.SegmentationManifest)
        self._threads = max(1, threads)
        self._folder = model
        self.window_samples = round(self.manifest.window_s * SAMPLE_RATE)
        self.frame_samples = self.manifest.frame
        self.first_frame_samples = self.manifest.first_frame
        self.frames = self.manifest.frames
        self.speakers = self.manifest.speakers
        self.version = f"{self.manifest.labels} segmentation, {engine}"

    def activity(self, batches: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        waiting: deque[Future[NDArray[np.float32]]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for batch in batches:
                waiting.append(pool.submit(self._checked, batch))
                if len(waiting) > self._threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _checked(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        found = self._run(batch)
        if found.shape != (len(batch), self.frames, self.speakers):
            raise EngineError(f"the segmentation model in {self._folder} gives {found.shape[1:]} for a window, not "
                              f"{(self.frames, self.speakers)} as its {manifests.FILE} says")
        return found

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Waveforms of shape (n, samples) to probabilities of shape (n, frames, speakers)."""
        import numpy as np

        try:
            found = self._answer(batch[:, None])
        except Exception as error:
            raise EngineError(f"the segmentation model in {self._folder} failed ({first_line(error)})") from error
        if self.manifest.labels == "multilabel":
            return np.asarray(1 / (1 + np.exp(-found)), np.float32) if self.manifest.outputs == "logits" else found
        if self.manifest.outputs == "logits":
            found = np.exp(found - found.max(axis=-1, keepdims=True))
            found /= found.sum(axis=-1, keepdims=True)
        members = powerset(self.manifest.speakers, self.manifest.simultaneous)
        if found.shape[-1] != len(members):
            raise EngineError(f"the segmentation model in {self._folder} has {found.shape[-1]} classes, not "
                              f"{len(members)} as its {manifests.FILE} says")
        return np.asarray(found @ members, np.float32)

    def _answer(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        """Waveforms of shape (n, 1, samples) to what the network says, shape (n, frames, classes)."""
        raise NotImplementedError


class OnnxSegmenter(Segmenter):
    def __init__(self, model: Path, *, threads: int = 1) -> None:
        """`model` is a folder with a manifest. Raises ConfigError or EngineError if it cannot be used here."""
        import onnxruntime

        super().__init__(model, threads=threads, engine=f"onnxruntime {onnxruntime.__version__}")
        self._session: Any = manifests.session(model, self.manifest)
        if self.manifest.self_check:
            self_check.require_segmentation(self.manifest.labels, self._run)

    def _answer(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        return np.asarray(self._session.run(None, {self._session.get_inputs()[0].name: waves})[0], np.float32)


def powerset(speakers: int, simultaneous: int) -> NDArray[np.float32]:
    """Which speakers speak in each class: nobody, each alone, each two…; shape (classes, speakers), 0 or 1."""
    import numpy as np

    sets = [chosen for count in range(simultaneous + 1) for chosen in itertools.combinations(range(speakers), count)]
    members = np.zeros((len(sets), speakers), np.float32)
    for row, chosen in enumerate(sets):
        members[row, list(chosen)] = 1
    return members


def window_count(samples: int, window: int, step: int) -> int:
    """Windows of `window` samples, `step` apart, that cover the sound; the last may reach beyond its end."""
    return 0 if not samples else max(0, -(-(samples - window) // step)) + 1


def windows_of(speech: Sequence[Span], samples: int, window: int, step: int) -> NDArray[np.int64]:
    """Which windows hear any of the speech."""
    import numpy as np

    count = window_count(samples, window, step)
    wanted = np.zeros(count, bool)
    for span in speech:
        first = (round(span.start * SAMPLE_RATE) - window) // step + 1
        wanted[max(0, first):max(0, round(span.end * SAMPLE_RATE) // step + 1)] = True
    return np.flatnonzero(wanted)


def chosen(samples: Samples, window: int, step: int, places: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    """The windows of these numbers, in batches as below."""
    import numpy as np

    for first in range(0, len(places), BATCH):
        some = places[first:first + BATCH].tolist()
        waves = np.zeros((len(some), window), np.float32)
        for wave, place in zip(waves, some, strict=True):
            heard = samples.slice(place * step, place * step + window)
            wave[:heard.size] = heard
        yield waves


def batches(samples: Samples, window: int, step: int) -> Iterator[NDArray[np.float32]]:
    """The windows in batches of shape (at most BATCH, window); zeros after the end of the sound."""
    import numpy as np

    count = window_count(len(samples), window, step)
    for first in range(0, count, BATCH):
        size = min(BATCH, count - first)
        wave = np.zeros((size - 1) * step + window, np.float32)
        heard = samples.slice(first * step, first * step + wave.size)
        wave[:heard.size] = heard
        yield np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(wave, window)[::step])


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class OverlapAdd:
    """Speech and overlap along the film, as windows come in: the mean over the windows that hear a frame.

    The middle of a window counts more than its ends (Hamming weights), where the network lacks context. Speech is the
    probability of the likeliest local speaker, overlap that of the second. Both sums take 12 bytes a frame.
    """

    def __init__(self, windows: int, frames: int, step_frames: int) -> None:
        import numpy as np

        self._step = step_frames
        self._weight = np.hamming(frames).astype(np.float32)
        length = (windows - 1) * step_frames + frames if windows else 0
        self._sums = np.zeros((length, 2), np.float32)
        self._weights = np.zeros(length, np.float32)
        self._added = 0

    def add(self, activity: NDArray[np.float32]) -> None:
        """The next windows, shape (n, frames, speakers)."""
        import numpy as np

        likeliest = np.sort(activity, axis=-1)[..., ::-1][..., :2]
        if likeliest.shape[-1] < 2:
            likeliest = np.concatenate([likeliest, np.zeros_like(likeliest)], axis=-1)
        for window in likeliest:
            place = slice(self._added * self._step, self._added * self._step + len(window))
            self._sums[place] += self._weight[:, None] * window
            self._weights[place] += self._weight
            self._added += 1

    def mean(self) -> NDArray[np.float32]:
        """Shape (frames, 2): the probability of speech, and of two or more voices."""
        import numpy as np

        return np.asarray(self._sums / np.maximum(self._weights, 1e-9)[:, None], np.float32)
