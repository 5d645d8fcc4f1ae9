"""Small ONNX models in the shapes of other makers' exports, in a folder with their manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write(folder: Path, manifest: str, nodes: list[Any], weights: dict[str, Any], given: tuple[str, list[Any]],
          made: tuple[str, list[Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        nodes, "small", [helper.make_tensor_value_info(given[0], TensorProto.FLOAT, given[1])],
        [helper.make_tensor_value_info(made[0], TensorProto.FLOAT, made[1])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    (folder / "model.toml").write_text(manifest)
    return folder


def segmentation(folder: Path, *, window_s: float, frames: int, classes: np.ndarray, manifest: str = "") -> Path:
    """The mean of each frame's piece of the sound, times a weight for each class: what is heard is known.

    `classes`: shape (2, n): a weight and a bias for each class, as logits.
    """
    hop = round(window_s * 16_000) // frames
    nodes = [helper.make_node("Slice", ["x", "begin", "end", "axis"], ["cut"]),
             helper.make_node("AveragePool", ["cut"], ["level"], kernel_shape=[hop], strides=[hop]),
             helper.make_node("Transpose", ["level"], ["turned"], perm=[0, 2, 1]),
             helper.make_node("MatMul", ["turned", "weight"], ["scaled"]),
             helper.make_node("Add", ["scaled", "bias"], ["y"])]
    weights = {"begin": np.array([0]), "end": np.array([hop * frames]), "axis": np.array([2]),
               "weight": classes[:1].astype(np.float32), "bias": classes[1].astype(np.float32)}
    text = f'kind = "segmentation"\nfile = "model.onnx"\nlicence = "MIT"\nwindow_s = {window_s}\nframes = {frames}\n'
    return write(folder, text + manifest, nodes, weights, ("x", ["n", 1, "t"]), ("y", ["n", "f", classes.shape[1]]))


def speaker(folder: Path, *, bands: int, size: int, manifest: str) -> Path:
    """The mean over the frames times a matrix, which is all that an average pooling encoder ends in."""
    matrix = np.random.default_rng(3).normal(0, 1, (bands, size)).astype(np.float32)
    nodes = [helper.make_node("ReduceMean", ["feats"], ["mean"], axes=[1], keepdims=0),
             helper.make_node("MatMul", ["mean", "matrix"], ["embs"])]
    text = f'kind = "speaker"\nfile = "model.onnx"\nlicence = "CC-BY-4.0"\nsize = {size}\n'
    return write(folder, text + manifest, nodes, {"matrix": matrix}, ("feats", ["n", "t", bands]),
                 ("embs", ["n", size]))


def waveform_speaker(folder: Path, *, size: int, manifest: str) -> Path:
    """On samples: the mean of the sound and of its square, in two of the numbers."""
    nodes = [helper.make_node("Mul", ["wav", "wav"], ["power"]),
             helper.make_node("ReduceMean", ["power"], ["level"], axes=[1], keepdims=1),
             helper.make_node("ReduceMean", ["wav"], ["offset"], axes=[1], keepdims=1),
             helper.make_node("Concat", ["level", "offset", *["level"] * (size - 2)], ["embs"], axis=1)]
    text = f'kind = "speaker"\nfile = "model.onnx"\nlicence = "MIT"\nfeatures = "waveform"\nsize = {size}\n'
    return write(folder, text + manifest, nodes, {}, ("wav", ["n", "t"]), ("embs", ["n", size]))
