"""Checkpoints become ONNX: the same bytes each time, and the numbers that torch computed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cp_whisperx.engines.segmentation import OnnxSegmenter
from cp_whisperx.engines.speaker_embedding import OnnxEmbedder
from cp_whisperx.errors import EngineError
from cp_whisperx.models import conversion
from cp_whisperx.models.catalog import Conversion, Model, ModelFile, catalog, find
from cp_whisperx.models.conversion.graph import IR_VERSION, OPSET
from cp_whisperx.models.sources import PackageSource
from cp_whisperx.models.store import ModelStore
from tests.models.conversion.pickles import Storage, archive, sequence, tensor

CONVERTED = [model for model in catalog().values() if model.conversion]
BY_NAME = pytest.mark.parametrize("model", CONVERTED, ids=lambda model: model.name)


def _lstm(layers: int, inputs: int, hidden: int, *, directions: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        for direction in directions:
            name = f"l{layer}{direction}"
            width = hidden * len(directions) if layer else inputs
            shapes |= {f"lstm.weight_ih_{name}": (4 * hidden, width), f"lstm.weight_hh_{name}": (4 * hidden, hidden),
                       f"lstm.bias_ih_{name}": (4 * hidden,), f"lstm.bias_hh_{name}": (4 * hidden,)}
    return shapes


def _campplus() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int, *, own: bool = True) -> None:
        parts = ("running_mean", "running_var", *(("weight", "bias") if own else ()))
        shapes.update({f"{name}.{part}": (channels,) for part in parts})

    def convolution(name: str, *shape: int, biased: bool = False) -> None:
        shapes.update({f"{name}.weight": shape} | ({f"{name}.bias": shape[:1]} if biased else {}))

    convolution("head.conv1", 32, 1, 3, 3)
    convolution("head.conv2", 32, 32, 3, 3)
    norm("head.bn1", 32)
    norm("head.bn2", 32)
    for block in ("layer1.0", "layer1.1", "layer2.0", "layer2.1"):
        for number in (1, 2):
            convolution(f"head.{block}.conv{number}", 32, 32, 3, 3)
            norm(f"head.{block}.bn{number}", 32)
        if block.endswith("0"):
            convolution(f"head.{block}.shortcut.0", 32, 32, 1, 1)
            norm(f"head.{block}.shortcut.1", 32)
    convolution("xvector.tdnn.linear", 128, 320, 5)
    norm("xvector.tdnn.nonlinear.batchnorm", 128)
    channels = 128
    for block, layers in enumerate((12, 24, 16), 1):
        for layer in range(1, layers + 1):
            name = f"xvector.block{block}.tdnnd{layer}"
            norm(f"{name}.nonlinear1.batchnorm", channels)
            convolution(f"{name}.linear1", 128, channels, 1)
            norm(f"{name}.nonlinear2.batchnorm", 128)
            convolution(f"{name}.cam_layer.linear_local", 32, 128, 3)
            convolution(f"{name}.cam_layer.linear1", 64, 128, 1, biased=True)
            convolution(f"{name}.cam_layer.linear2", 32, 64, 1, biased=True)
            channels += 32
        norm(f"xvector.transit{block}.nonlinear.batchnorm", channels)
        convolution(f"xvector.transit{block}.linear", channels // 2, channels, 1)
        channels //= 2
    norm("xvector.out_nonlinear.batchnorm", channels)
    convolution("xvector.dense.linear", 192, 2 * channels, 1)
    norm("xvector.dense.nonlinear.batchnorm", 192, own=False)
    return shapes


_BANK = "sincnet.conv1d.0.filterbank"
SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "pyannet": {
        "sincnet.wav_norm1d.weight": (1,), "sincnet.wav_norm1d.bias": (1,), f"{_BANK}.low_hz_": (40, 1),
        f"{_BANK}.band_hz_": (40, 1), f"{_BANK}.window_": (125,), f"{_BANK}.n_": (1, 125),
        "sincnet.conv1d.1.weight": (60, 80, 5), "sincnet.conv1d.1.bias": (60,),
        "sincnet.conv1d.2.weight": (60, 60, 5), "sincnet.conv1d.2.bias": (60,),
        **{f"sincnet.norm1d.{layer}.{part}": (80 if not layer else 60,) for layer in range(3)
           for part in ("weight", "bias")},
        **_lstm(4, 60, 128, directions=("", "_reverse")),
        "linear.0.weight": (128, 256), "linear.0.bias": (128,), "linear.1.weight": (128, 128), "linear.1.bias": (128,),
        "classifier.weight": (3, 128), "classifier.bias": (3,)},
    "ge2e": {**_lstm(3, 40, 256, directions=("",)), "linear.weight": (256, 256), "linear.bias": (256,)},
    "campplus": _campplus(),
}
SHAPES["pyannet-powerset"] = SHAPES["pyannet"] | {"classifier.weight": (7, 128), "classifier.bias": (7,)}


def made_up(kind: str, path: Path, *, without: str = "", seed: int = 1) -> Path:
    """A checkpoint of the right shapes, in the container that the real one of its kind has."""
    draw = np.random.default_rng(seed)
    shapes = {name: shape for name, shape in SHAPES[kind].items() if name != without}
    values = {name: draw.normal(0, 0.1, shape).astype("<f4") for name, shape in shapes.items()}
    values |= {name: np.abs(value) + np.float32(0.1) for name, value in values.items() if name.endswith("running_var")}
    data, tensors = b"", {}
    total = sum(value.size for value in values.values())
    for name, value in values.items():
        strides = tuple(int(stride) // 4 for stride in value.strides)
        tensors[name] = tensor(Storage(count=total), len(data) // 4, value.shape, strides)
        data += value.tobytes()
    if kind == "campplus":
        return archive(path, tensors, data)
    if kind != "ge2e":
        return archive(path, {"state_dict": tensors}, data)
    return sequence(path, {"model_state": tensors}, count=total, data=data)


@pytest.mark.parametrize("kind", SHAPES)
def test_the_bytes_are_the_same_each_time(kind: str, tmp_path: Path) -> None:
    checkpoint = made_up(kind, tmp_path / "c.bin")
    digests = set()
    for number in range(2):
        conversion.CONVERTERS[kind](checkpoint, tmp_path / f"{number}.onnx")
        digests.add(hashlib.sha256((tmp_path / f"{number}.onnx").read_bytes()).hexdigest())
    code = ("import sys; from pathlib import Path; from cp_whisperx.models.conversion import CONVERTERS; "
            f"CONVERTERS[{kind!r}](Path(sys.argv[1]), Path(sys.argv[2]))")
    for seed, feature in (("1", ""), ("2", "AVX512F AVX512_SKX AVX2")):
        subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(checkpoint), str(tmp_path / "p.onnx")],
                       check=True,
                       env={"PYTHONHASHSEED": seed, "NPY_DISABLE_CPU_FEATURES": feature,
                            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python" if seed == "2" else "upb"})
        digests.add(hashlib.sha256((tmp_path / "p.onnx").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_what_is_written_is_pinned(tmp_path: Path) -> None:
    import onnx

    conversion.CONVERTERS["ge2e"](made_up("ge2e", tmp_path / "c.bin"), tmp_path / "m.onnx")
    made = onnx.load(tmp_path / "m.onnx")
    assert (made.ir_version, [(one.domain, one.version) for one in made.opset_import]) == (IR_VERSION, [("", OPSET)])
    assert made.producer_version == "" and not made.metadata_props
    onnx.checker.check_model(made, full_check=True)


@pytest.mark.parametrize(("kind", "name"), [
    ("pyannet", "lstm.bias_hh_l3_reverse"), ("pyannet-powerset", "classifier.bias"), ("ge2e", "linear.bias"),
    ("campplus", "xvector.block3.tdnnd16.cam_layer.linear2.bias"), ("campplus", "head.bn1.running_var")])
def test_another_network_is_one_sentence(kind: str, name: str, tmp_path: Path) -> None:
    checkpoint = made_up(kind, tmp_path / "c.bin", without=name)
    with pytest.raises(EngineError, match=f"has no tensor {name}"):
        conversion.CONVERTERS[kind](checkpoint, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_without_onnx_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = made_up("ge2e", tmp_path / "c.bin")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EngineError, match="the package onnx, which converts models, is not installed"):
        conversion.CONVERTERS["ge2e"](checkpoint, tmp_path / "m.onnx")


def test_other_bytes_are_not_converted(tmp_path: Path) -> None:
    checkpoint = made_up("ge2e", tmp_path / "c.bin")
    wanted = Conversion(network="ge2e", file="model.onnx", manifest="", checkpoint=ModelFile(
        name="c.bin", size=checkpoint.stat().st_size, sha256="0" * 64))
    with pytest.raises(EngineError, match=r"c\.bin came with other bytes than catalogued; it was not converted"):
        conversion.convert(wanted, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["c.bin"]


# The real ones

@BY_NAME
def test_a_catalogued_conversion_is_whole(model: Model) -> None:
    made = model.conversion
    assert made and made.network in conversion.CONVERTERS
    assert {file.name for file in model.files} == {made.file, conversion.MANIFEST}
    manifest = next(file for file in model.files if file.name == conversion.MANIFEST)
    assert hashlib.sha256(made.manifest.encode()).hexdigest() == manifest.sha256


@pytest.mark.real
@BY_NAME
def test_the_real_checkpoint_becomes_the_catalogued_bytes(model: Model, tmp_path: Path) -> None:
    import os

    try:
        PackageSource().fetch(model, tmp_path)
    except EngineError as error:
        if os.environ.get("CI"):
            pytest.fail(error.message)
        pytest.skip(f"the package index cannot be reached: {error.message}")
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert found == {file.name: file.sha256 for file in model.files}


@pytest.mark.real
def test_torch_computed_the_same(models: ModelStore) -> None:
    """Loading compares with the stored answers of torch, and raises."""
    OnnxSegmenter(models.path("pyannote-segmentation"))
    OnnxSegmenter(models.path("pyannote-segmentation-3"))
    OnnxEmbedder(models.path("ge2e-speaker"))
    OnnxEmbedder(models.path("campplus-speaker"))


@pytest.mark.real
@pytest.mark.parametrize(("name", "engine", "weight"), [
    ("pyannote-segmentation", OnnxSegmenter, "lstm.2.R"),
    ("pyannote-segmentation", OnnxSegmenter, "sincnet.conv1d.0.weight"),
    ("pyannote-segmentation-3", OnnxSegmenter, "lstm.2.R"),
    ("pyannote-segmentation-3", OnnxSegmenter, "sincnet.conv1d.0.weight"),
    ("ge2e-speaker", OnnxEmbedder, "lstm.0.B"), ("ge2e-speaker", OnnxEmbedder, "linear.weight"),
    ("campplus-speaker", OnnxEmbedder, "head.conv1.weight"),
    ("campplus-speaker", OnnxEmbedder, "xvector.block3.tdnnd16.linear1.weight"),
    ("campplus-speaker", OnnxEmbedder, "xvector.dense.linear.weight")])
def test_a_weight_that_is_a_little_off_is_noticed(name: str, engine: Any, weight: str, models: ModelStore,
                                                  tmp_path: Path) -> None:
    import onnx
    from onnx import numpy_helper

    folder = models.path(name)
    made = onnx.load(folder / "model.onnx")
    changed = next(one for one in made.graph.initializer if one.name == weight)
    values = numpy_helper.to_array(changed).copy()
    values *= 1.05
    changed.CopyFrom(numpy_helper.from_array(values, weight))
    onnx.save(made, tmp_path / "model.onnx")
    (tmp_path / "model.toml").write_bytes((folder / "model.toml").read_bytes())
    with pytest.raises(EngineError, match="does not compute here what it was trained to compute"):
        engine(tmp_path)


def test_licences_are_those_of_the_makers() -> None:
    assert find("pyannote-segmentation").licence == "MIT"
    assert find("pyannote-segmentation-3").licence == "MIT"
    assert find("ge2e-speaker").licence == "Apache-2.0"
    assert find("campplus-speaker").licence == "Apache-2.0"
