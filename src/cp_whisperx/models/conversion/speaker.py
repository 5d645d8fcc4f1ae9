"""The GE2E speaker encoder as ONNX: mel frames in, an embedding of 256 numbers out.

Architecture: Wan et al., "Generalized end-to-end loss for speaker verification", 2018, as implemented in Resemblyzer
(Apache-2.0): three LSTM layers, a linear one and ReLU on the last hidden state, length 1.
"""

from __future__ import annotations

from pathlib import Path

from cp_whisperx.models.conversion.checkpoint import Checkpoint
from cp_whisperx.models.conversion.graph import Graph

_SECTION = "model_state"
_BANDS = 40
_SIZE = 256
_LAYERS = 3


def convert(checkpoint: Path, target: Path) -> None:
    """Raises EngineError if the checkpoint does not hold this network."""
    import numpy as np

    weights = Checkpoint(checkpoint, _SECTION)
    graph = Graph("speaker-encoder")
    value = graph.node("Transpose", "features", perm=[1, 0, 2])
    for layer in range(_LAYERS):
        last = layer == _LAYERS - 1
        value = graph.lstm(
            f"lstm.{layer}", value,
            [weights.tensor(f"lstm.weight_ih_l{layer}", 4 * _SIZE, _SIZE if layer else _BANDS)],
            [weights.tensor(f"lstm.weight_hh_l{layer}", 4 * _SIZE, _SIZE)],
            [np.concatenate([weights.tensor(f"lstm.bias_{side}_l{layer}", 4 * _SIZE) for side in ("ih", "hh")])],
            outputs=2 if last else 1)
        # The axis of directions, of which there is one: second in the sequence, first in the last state.
        axis = graph.weight(f"axis.{layer}", np.array([0 if last else 1], np.int64))
        value = graph.node("Squeeze", value, axis)
    value = graph.node("Gemm", value, graph.weight("linear.weight", weights.tensor("linear.weight", _SIZE, _SIZE)),
                       graph.weight("linear.bias", weights.tensor("linear.bias", _SIZE)), transB=1)
    graph.node("LpNormalization", graph.node("Relu", value), output="embedding", axis=1, p=2)
    graph.save(target, ("features", ["batch", "frames", _BANDS]), ("embedding", ["batch", _SIZE]))
