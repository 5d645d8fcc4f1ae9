"""model.toml: what a folder with an ONNX model says of itself, so that models of other makers fit the same engines.

pyannote's segmentation 3.0, for one, in a folder with this beside its ONNX export:

    kind = "segmentation"
    file = "model.onnx"
    licence = "MIT"
    window_s = 10.0
    frames = 589
    labels = "powerset"
    outputs = "logits"

and a WeSpeaker ResNet:

    kind = "speaker"
    file = "model.onnx"
    licence = "CC-BY-4.0"
    features = "fbank"
    bands = 80
    size = 256
    mean_normalised = true
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from cp_whisperx.artifacts import Frozen
from cp_whisperx.errors import ConfigError, EngineError

FILE = "model.toml"


class Manifest(Frozen):
    kind: str
    file: str = Field(pattern=r"^\w[\w.-]*$",
                      description="Name of the model, an ONNX file as a rule, beside the manifest")
    licence: str
    sample_rate: Literal[16_000] = Field(16_000, description="Hz")
    self_check: bool = Field(False, description="Compared with stored answers at each load: for the catalogue's own")


class SegmentationManifest(Manifest):
    """`frames` is what the model gives for `window_s`; frame i is centred on `first_frame` + i * `frame`, samples."""

    kind: Literal["segmentation"]
    engine: Literal["onnxruntime", "pyannote.audio"] = Field(
        "onnxruntime", description="What computes it; pyannote.audio must be installed, and `file` is its checkpoint")
    window_s: float = Field(gt=0, le=60)
    frames: int = Field(gt=0)
    first_frame: float = Field(495.5, ge=0, description="Samples; the centre of what pyannote's network sees first")
    frame: int = Field(270, gt=0, description="Samples from one frame to the next")
    speakers: int = Field(3, ge=1, le=8)
    labels: Literal["multilabel", "powerset"]
    simultaneous: int = Field(2, ge=1, le=8, description="Most speakers in one class of a powerset")
    outputs: Literal["probabilities", "logits"] = Field(
        "probabilities", description="logits, also log probabilities: still to be put through softmax or sigmoid")


class SpeakerManifest(Manifest):
    """`size` is the length of an embedding. One frame of features every 10 ms, whatever the features."""

    kind: Literal["speaker"]
    features: Literal["mel", "fbank", "waveform"]
    bands: int = Field(80, gt=0, description="Bands of a frame; for a waveform it is of no meaning")
    window: Literal["hamming", "povey"] = Field("hamming", description="Of an fbank; povey is Kaldi's own")
    size: int = Field(gt=0)
    partial_frames: int = Field(160, gt=0, description="Frames that are embedded at a time")
    raise_to_dbfs: float | None = Field(None, le=0, description="Quieter sound is raised to this level, dBFS")
    mean_normalised: bool = Field(False, description="The mean over the frames of a partial is taken off")


M = TypeVar("M", bound=Manifest)


def read(folder: Path, kind: type[M]) -> M:
    """Raises ConfigError if the folder has no manifest, or one of another kind."""
    path = folder / FILE
    try:
        given: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return kind.model_validate(given)
    except FileNotFoundError:
        raise ConfigError(f"{folder} has no {FILE}, which says what its model is",
                          hint="`cp-whisperx models list` shows the kinds; your own folder needs the file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg']}") from error


def session(folder: Path, manifest: Manifest) -> Any:
    """An onnxruntime session of one thread: that many run beside each other changes no result.

    Raises EngineError if onnxruntime cannot load the model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(folder / manifest.file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise EngineError(f"the {manifest.kind} model in {folder} cannot be loaded ({error})",
                          hint="run: cp-whisperx models verify") from error
