"""The speaker encoder CAM++ as ONNX: filter banks in, what a voice sounds like out.

Architecture: Wang et al., "CAM++: a fast and efficient network for speaker verification using context-aware masking",
2023, and its implementation in 3D-Speaker (Apache-2.0): a small residual network over time and frequency, then three
blocks of densely connected time-delay layers, each masked by its context, then the mean and deviation over time.
Normalisations that follow a convolution are folded into it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx.models.conversion.checkpoint import Checkpoint
from cp_whisperx.models.conversion.graph import Graph

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BANDS = 80
_SIZE = 192
_HEAD = 32
_FIRST = 128
_GROWTH = 32
_BOTTLENECK = 128
_BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of each block."""
_CONTEXT = 100
"""Frames over which the context of a mask is pooled: 2 s, as the first layer halves the rate."""
_EPSILON = 1e-5


class _Network:
    """Writes the layers, each under the name that its weights have in the checkpoint."""

    def __init__(self, weights: Checkpoint, graph: Graph) -> None:
        import numpy as np

        self._weights, self._graph = weights, graph
        self._integers = {name: graph.weight(name, np.array(values, np.int64)) for name, values in (
            ("zero", [0]), ("one", [1]), ("two", [2]), ("three", [3]), ("context", [1, 1, 1, _CONTEXT]),
            ("joined", [0, 0, -1]))}

    def convolution(self, value: str, name: str, shape: tuple[int, ...], normalised: str = "", *,
                    biased: bool = False, **attributes: Any) -> str:
        """`normalised` names the normalisation that follows, if one does."""
        import numpy as np

        kernel = self._weights.tensor(f"{name}.weight", *shape)
        bias = self._weights.tensor(f"{name}.bias", shape[0]) if biased else None
        if normalised:
            scale, shift = self.normalisation(normalised, shape[0])
            kernel, bias = np.asarray(kernel * scale.reshape(-1, *(1,) * (len(shape) - 1)), np.float32), shift
        inputs = [value, self._graph.weight(f"{name}.weight", kernel)]
        if bias is not None:
            inputs.append(self._graph.weight(f"{name}.bias", bias))
        return self._graph.node("Conv", *inputs, kernel_shape=list(shape[2:]), **attributes)

    def normalisation(self, name: str, channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scale and shift of a batch normalisation; the last of the network has no weights of its own."""
        import numpy as np

        mean, variance = (self._weights.tensor(f"{name}.running_{part}", channels).astype(np.float64)
                          for part in ("mean", "var"))
        scale = 1 / np.sqrt(variance + _EPSILON)
        shift = -mean * scale
        if f"{name}.weight" in self._weights:
            own = self._weights.tensor(f"{name}.weight", channels).astype(np.float64)
            scale, shift = scale * own, shift * own + self._weights.tensor(f"{name}.bias", channels)
        return scale.astype(np.float32), shift.astype(np.float32)

    def activation(self, value: str, name: str, channels: int) -> str:
        """Normalisation that no convolution precedes, and ReLU."""
        scale, shift = self.normalisation(name, channels)
        scaled = self._graph.node("Mul", value, self._graph.weight(f"{name}.scale", scale[:, None]))
        return self._graph.node("Relu", self._graph.node(
            "Add", scaled, self._graph.weight(f"{name}.shift", shift[:, None])))

    def residual(self, value: str, name: str, stride: int) -> str:
        shape = (_HEAD, _HEAD, 3, 3)
        inner = self._graph.node("Relu", self.convolution(
            value, f"{name}.conv1", shape, f"{name}.bn1", strides=[stride, 1], pads=[1, 1, 1, 1]))
        inner = self.convolution(inner, f"{name}.conv2", shape, f"{name}.bn2", pads=[1, 1, 1, 1])
        if stride > 1:
            value = self.convolution(value, f"{name}.shortcut.0", (_HEAD, _HEAD, 1, 1), f"{name}.shortcut.1",
                                     strides=[stride, 1])
        return self._graph.node("Relu", self._graph.node("Add", inner, value))

    def dense(self, value: str, name: str, inputs: int, dilation: int) -> str:
        """One time-delay layer with its mask; its output is added to the channels."""
        node, integer = self._graph.node, self._integers
        inner = self.activation(value, f"{name}.nonlinear1.batchnorm", inputs)
        inner = node("Relu", self.convolution(inner, f"{name}.linear1", (_BOTTLENECK, inputs, 1),
                                              f"{name}.nonlinear2.batchnorm"))
        mask = f"{name}.cam_layer"
        local = self.convolution(inner, f"{mask}.linear_local", (_GROWTH, _BOTTLENECK, 3), dilations=[dilation],
                                 pads=[dilation, dilation])
        pooled = node("AveragePool", inner, kernel_shape=[_CONTEXT], strides=[_CONTEXT], ceil_mode=1)
        pooled = node("Expand", node("Unsqueeze", pooled, integer["three"]), integer["context"])
        pooled = node("Slice", node("Reshape", pooled, integer["joined"]), integer["zero"], self.length(inner),
                      integer["two"])
        context = node("Add", node("ReduceMean", inner, axes=[2]), pooled)
        context = node("Relu", self.convolution(context, f"{mask}.linear1", (_BOTTLENECK // 2, _BOTTLENECK, 1),
                                                biased=True))
        context = node("Sigmoid", self.convolution(context, f"{mask}.linear2", (_GROWTH, _BOTTLENECK // 2, 1),
                                                   biased=True))
        return node("Concat", value, node("Mul", local, context), axis=1)

    def length(self, value: str) -> str:
        return self._graph.node("Slice", self._graph.node("Shape", value), self._integers["two"],
                                self._integers["three"])

    def statistics(self, value: str) -> str:
        """Mean and unbiased standard deviation over time, (batch, 2 * channels, 1)."""
        node = self._graph.node
        mean = node("ReduceMean", value, axes=[2])
        squares = node("ReduceSumSquare", node("Sub", value, mean), axes=[2])
        count = node("Cast", node("Sub", self.length(value), self._integers["one"]), to=1)
        return node("Concat", mean, node("Sqrt", node("Div", squares, count)), axis=1)


def convert(checkpoint: Path, target: Path) -> None:
    """Raises EngineError if the checkpoint does not hold this network."""
    import numpy as np

    weights = Checkpoint(checkpoint, "")
    graph = Graph("speaker-encoder")
    network = _Network(weights, graph)
    value = graph.node("Unsqueeze", graph.node("Transpose", "features", perm=[0, 2, 1]),
                       graph.weight("channel", np.array([1], np.int64)))
    value = graph.node("Relu", network.convolution(value, "head.conv1", (_HEAD, 1, 3, 3), "head.bn1",
                                                   pads=[1, 1, 1, 1]))
    for name in ("head.layer1", "head.layer2"):
        value = network.residual(network.residual(value, f"{name}.0", 2), f"{name}.1", 1)
    value = graph.node("Relu", network.convolution(value, "head.conv2", (_HEAD, _HEAD, 3, 3), "head.bn2",
                                                   strides=[2, 1], pads=[1, 1, 1, 1]))
    channels = _HEAD * _BANDS // 8
    value = graph.node("Reshape", value, graph.weight("bands_joined", np.array([0, channels, -1], np.int64)))
    value = graph.node("Relu", network.convolution(value, "xvector.tdnn.linear", (_FIRST, channels, 5),
                                                   "xvector.tdnn.nonlinear.batchnorm", strides=[2], pads=[2, 2]))
    channels = _FIRST
    for number, (layers, dilation) in enumerate(_BLOCKS, 1):
        for layer in range(1, layers + 1):
            value = network.dense(value, f"xvector.block{number}.tdnnd{layer}", channels, dilation)
            channels += _GROWTH
        name = f"xvector.transit{number}"
        value = network.convolution(network.activation(value, f"{name}.nonlinear.batchnorm", channels),
                                    f"{name}.linear", (channels // 2, channels, 1))
        channels //= 2
    value = network.statistics(network.activation(value, "xvector.out_nonlinear.batchnorm", channels))
    value = network.convolution(value, "xvector.dense.linear", (_SIZE, 2 * channels, 1),
                                "xvector.dense.nonlinear.batchnorm")
    graph.node("Squeeze", value, graph.weight("time", np.array([2], np.int64)), output="embedding")
    graph.save(target, ("features", ["batch", "frames", _BANDS]), ("embedding", ["batch", _SIZE]))
