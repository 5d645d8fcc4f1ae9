"""The speaker segmentation network PyanNet as ONNX: waveform in, activity of three local speakers out.

Architecture: Bredin and Laurent, "End-to-end speaker segmentation for overlap-aware resegmentation", 2021, and its
implementation in pyannote.audio (MIT); its first layer is that of SincNet (Ravanelli and Bengio, 2018).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from cp_whisperx.models.conversion.checkpoint import Checkpoint
from cp_whisperx.models.conversion.graph import Graph

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SECTION = "state_dict"
_BANDS = 40
_HALF = 125
_STRIDE = 10
_LEAST_HZ = 50.0
_MOST_HZ = 8000.0
_HIDDEN = 128
_LAYERS = 4
_SPEAKERS = 3
_POWERSET = 7
"""Nobody, each of three speakers alone, each two of them (pyannote's segmentation 3.0)."""
_SLOPE = 0.01
_EPSILON = 1e-5


def convert(checkpoint: Path, target: Path) -> None:
    """The network that answers with a probability for each speaker. Raises EngineError if it is not that."""
    _convert(checkpoint, target, "Sigmoid", _SPEAKERS)


def convert_powerset(checkpoint: Path, target: Path) -> None:
    """The network that answers with one probability for each set of speakers. Raises EngineError if it is not that."""
    _convert(checkpoint, target, "Softmax", _POWERSET)


def _convert(checkpoint: Path, target: Path, activation: str, classes: int) -> None:
    import numpy as np

    weights = Checkpoint(checkpoint, _SECTION)
    graph = Graph("speaker-segmentation")

    def norm(value: str, name: str, channels: int) -> str:
        return graph.node("InstanceNormalization", value, *(
            graph.weight(f"{name}.{part}", weights.tensor(f"{name}.{part}", channels)) for part in ("weight", "bias")),
            epsilon=_EPSILON)

    def linear(value: str, name: str, inputs: int, outputs: int) -> str:
        matrix = graph.weight(f"{name}.weight", weights.tensor(f"{name}.weight", outputs, inputs).T)
        return graph.node("Add", graph.node("MatMul", value, matrix),
                          graph.weight(f"{name}.bias", weights.tensor(f"{name}.bias", outputs)))

    value = norm("waveform", "sincnet.wav_norm1d", 1)
    value = graph.node("Conv", value, graph.weight("sincnet.conv1d.0.weight", _sinc_filters(weights)),
                       strides=[_STRIDE], kernel_shape=[2 * _HALF + 1])
    value = graph.node("Abs", value)
    for layer, (inputs, channels) in enumerate(((0, 80), (80, 60), (60, 60))):
        if inputs:
            name = f"sincnet.conv1d.{layer}"
            value = graph.node("Conv", value, graph.weight(f"{name}.weight",
                                                           weights.tensor(f"{name}.weight", channels, inputs, 5)),
                               graph.weight(f"{name}.bias", weights.tensor(f"{name}.bias", channels)), kernel_shape=[5])
        value = graph.node("MaxPool", value, kernel_shape=[3], strides=[3])
        value = graph.node("LeakyRelu", norm(value, f"sincnet.norm1d.{layer}", channels), alpha=_SLOPE)
    value = graph.node("Transpose", value, perm=[2, 0, 1])
    both = graph.weight("both_directions", np.array([0, 0, 2 * _HIDDEN], np.int64))
    for layer in range(_LAYERS):
        inputs = 2 * _HIDDEN if layer else 60
        names = [f"l{layer}", f"l{layer}_reverse"]
        value = graph.lstm(
            f"lstm.{layer}", value,
            [weights.tensor(f"lstm.weight_ih_{name}", 4 * _HIDDEN, inputs) for name in names],
            [weights.tensor(f"lstm.weight_hh_{name}", 4 * _HIDDEN, _HIDDEN) for name in names],
            [np.concatenate([weights.tensor(f"lstm.bias_{side}_{name}", 4 * _HIDDEN) for side in ("ih", "hh")])
             for name in names])
        value = graph.node("Reshape", graph.node("Transpose", value, perm=[0, 2, 1, 3]), both)
    for layer, inputs in enumerate((2 * _HIDDEN, _HIDDEN)):
        value = graph.node("LeakyRelu", linear(value, f"linear.{layer}", inputs, _HIDDEN), alpha=_SLOPE)
    value = graph.node(activation, linear(value, "classifier", _HIDDEN, classes))
    graph.node("Transpose", value, output="activity", perm=[1, 0, 2])
    graph.save(target, ("waveform", ["windows", 1, "samples"]), ("activity", ["windows", "frames", classes]))


def _sinc_filters(weights: Checkpoint) -> NDArray[np.float32]:
    """Band-pass filters of shape (80, 1, 251): 40 even ones, then 40 odd ones.

    Products are rounded as torch rounds them. Sines and cosines are taken in double precision by the C library
    and then rounded: numpy's own differ in the last bit from one processor to the next, and so would the file.
    """
    import numpy as np

    name = "sincnet.conv1d.0.filterbank"
    low = np.float32(_LEAST_HZ) + np.abs(weights.tensor(f"{name}.low_hz_", _BANDS, 1))
    high = np.clip(low + np.float32(_LEAST_HZ) + np.abs(weights.tensor(f"{name}.band_hz_", _BANDS, 1)),
                   np.float32(_LEAST_HZ), np.float32(_MOST_HZ))
    window = weights.tensor(f"{name}.window_", _HALF)
    angle = weights.tensor(f"{name}.n_", 1, _HALF)
    band = high - low

    def each(function: object, values: NDArray[np.float32]) -> NDArray[np.float32]:
        assert callable(function)
        return np.array([function(float(value)) for value in values.flat]).reshape(values.shape).astype(np.float32)

    below, above = low * angle, high * angle
    even = (each(math.sin, above) - each(math.sin, below)) / (angle / np.float32(2)) * window
    odd = (each(math.cos, below) - each(math.cos, above)) / (angle / np.float32(2)) * window
    centre = np.float32(2) * band
    filters = np.concatenate([np.concatenate([even, centre, even[:, ::-1]], axis=1),
                              np.concatenate([odd, np.zeros_like(centre), -odd[:, ::-1]], axis=1)])
    scaled = filters / np.concatenate([centre, centre])
    return np.asarray(scaled[:, None, :], np.float32)
