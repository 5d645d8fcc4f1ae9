"""Writes an ONNX file node by node, so that the same weights give the same bytes wherever it is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OPSET = 17
IR_VERSION = 8
_PRODUCER = "cp-whisperx"
_TORCH_GATES = (0, 3, 1, 2)
"""Where ONNX's input, output, forget and cell gates stand in torch's order input, forget, cell, output."""


class Graph:
    """Values are named by the order in which they are made; a weight by the name that it is given."""

    def __init__(self, name: str) -> None:
        """Raises EngineError where the onnx package is missing."""
        try:
            import onnx
        except ImportError:
            raise EngineError("the package onnx, which converts models, is not installed",
                              hint="install it: pip install onnx") from None
        self._onnx: Any = onnx
        self._name = name
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def weight(self, name: str, values: NDArray[Any]) -> str:
        import numpy as np

        kinds = {np.dtype(np.float32): "<f4", np.dtype(np.int64): "<i8"}
        tensor = self._onnx.TensorProto(name=name, dims=values.shape,
                                        data_type=self._onnx.helper.np_dtype_to_tensor_dtype(values.dtype))
        tensor.raw_data = np.ascontiguousarray(values, kinds[values.dtype]).tobytes()
        self._weights.append(tensor)
        return name

    def node(self, operation: str, *inputs: str, outputs: int = 1, output: str = "", **attributes: Any) -> str:
        """Returns the last of its outputs; the others get no name, as nobody uses them."""
        name = output or f"{operation.lower()}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operation, inputs, [""] * (outputs - 1) + [name], **attributes))
        return name

    def lstm(self, name: str, value: str, input_weights: list[NDArray[np.float32]],
             hidden_weights: list[NDArray[np.float32]], biases: list[NDArray[np.float32]], *, outputs: int = 1) -> str:
        """One layer over (time, batch, features), from torch's weights, one of each per direction.

        With one output it is that of every step, shape (time, directions, batch, hidden); with two it is the
        last hidden state, shape (directions, batch, hidden). `biases` hold torch's two, one behind the other.
        """
        import numpy as np

        hidden = hidden_weights[0].shape[1]
        packed = [np.stack([_gates(matrix) for matrix in matrices]) for matrices in (input_weights, hidden_weights)]
        bias = np.stack([np.concatenate([_gates(half) for half in np.split(both, 2)]) for both in biases])
        return self.node("LSTM", value, self.weight(f"{name}.W", packed[0]), self.weight(f"{name}.R", packed[1]),
                         self.weight(f"{name}.B", bias), outputs=outputs, hidden_size=hidden,
                         direction="bidirectional" if len(biases) == 2 else "forward")

    def save(self, path: Path, given: tuple[str, list[str | int]], made: tuple[str, list[str | int]]) -> None:
        """`given` and `made`: name and shape of the input and of the output, with names for what is open."""
        onnx = self._onnx
        sides = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
                 for name, shape in (given, made)]
        graph = onnx.GraphProto(name=self._name, node=self._nodes, initializer=self._weights,
                                input=sides[:1], output=sides[1:])
        model = onnx.ModelProto(ir_version=IR_VERSION, producer_name=_PRODUCER, graph=graph,
                                opset_import=[onnx.OperatorSetIdProto(domain="", version=OPSET)])
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString(deterministic=True))


def _gates(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    parts = np.split(matrix, 4)
    return np.concatenate([parts[gate] for gate in _TORCH_GATES])
