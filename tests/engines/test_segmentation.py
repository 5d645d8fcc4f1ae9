from __future__ import annotations

import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cp_whisperx.engines.fake import LoudnessSegmenter
from cp_whisperx.engines.protocols import SpeakerSegmenter
from cp_whisperx.engines.segmentation import (
    BATCH,
    OnnxSegmenter,
    OverlapAdd,
    batches,
    chosen,
    load,
    powerset,
    window_count,
    windows_of,
)
from cp_whisperx.errors import ConfigError, EngineError
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.timeline import Span
from tests.engines import onnx_models

WINDOW, STEP = 80_000, 8_100


def samples_of(path: Path, sound: np.ndarray) -> Samples:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return Samples(path)


@pytest.mark.parametrize(("samples", "windows"), [
    (0, 0), (1, 1), (3_200, 1), (WINDOW, 1), (WINDOW + 1, 2), (WINDOW + STEP, 2), (WINDOW + STEP + 1, 3)])
def test_windows_cover_the_sound(samples: int, windows: int, tmp_path: Path) -> None:
    assert window_count(samples, WINDOW, STEP) == windows
    found = list(batches(samples_of(tmp_path / "a.wav", np.full(samples, 0.5)), WINDOW, STEP))
    assert sum(len(batch) for batch in found) == windows
    if windows:
        assert (windows - 1) * STEP + WINDOW >= samples
        heard = np.concatenate(found)[-1]
        assert np.count_nonzero(heard) == samples - (windows - 1) * STEP


def test_windows_are_cut_from_their_places(tmp_path: Path) -> None:
    rise = np.linspace(0, 1, WINDOW + 20 * STEP)
    found = list(batches(samples_of(tmp_path / "a.wav", rise), WINDOW, STEP))
    assert [len(batch) for batch in found] == [BATCH, BATCH, 21 - 2 * BATCH]
    for number, window in enumerate(np.concatenate(found)):
        np.testing.assert_allclose(window, rise[number * STEP:number * STEP + WINDOW], atol=1e-4)


@pytest.mark.parametrize("speech", [(), (Span(0, 1),), (Span(5.01, 5.5),), (Span(12, 12.1), Span(12.2, 13)),
                                    (Span(0, 100),)])
def test_windows_that_hear_speech(speech: tuple[Span, ...], tmp_path: Path) -> None:
    size = WINDOW + 18 * STEP
    found = windows_of(speech, size, WINDOW, STEP)
    starts = np.arange(19) * STEP / 16_000
    assert found.tolist() == [place for place in range(19) if any(
        starts[place] <= span.end and starts[place] + WINDOW / 16_000 > span.start for span in speech)]
    samples = samples_of(tmp_path / "a.wav", np.linspace(0, 1, size))
    every = np.concatenate(list(batches(samples, WINDOW, STEP)))
    some = np.concatenate([np.zeros((0, WINDOW), np.float32), *chosen(samples, WINDOW, STEP, found)])
    np.testing.assert_array_equal(some, every[found])


def test_overlapping_windows_give_their_mean() -> None:
    added = OverlapAdd(3, frames=10, step_frames=5)
    activity = np.zeros((3, 10, 3), np.float32)
    activity[..., 1] = 0.8
    activity[..., 2] = 0.3
    added.add(activity[:2])
    added.add(activity[2:])
    assert added.mean().shape == (20, 2)
    np.testing.assert_allclose(added.mean(), np.tile([0.8, 0.3], (20, 1)), rtol=1e-5)


def test_one_local_speaker_never_overlaps() -> None:
    added = OverlapAdd(1, frames=4, step_frames=4)
    added.add(np.full((1, 4, 1), 0.7, np.float32))
    np.testing.assert_allclose(added.mean(), np.tile([0.7, 0.0], (4, 1)), rtol=1e-5)


def test_no_windows_no_frames() -> None:
    assert OverlapAdd(0, frames=10, step_frames=5).mean().shape == (0, 2)


def test_a_powerset_is_ordered_by_size() -> None:
    """As pyannote orders the classes of segmentation 3.0: nobody, each of three alone, each two."""
    assert powerset(3, 2).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]]
    assert powerset(2, 1).tolist() == [[0, 0], [1, 0], [0, 1]]


# Models of other makers

LOUD = np.concatenate([np.zeros(16_000), np.full(16_000, 0.5)]).astype(np.float32)


def run(engine: SpeakerSegmenter, *sounds: np.ndarray) -> np.ndarray:
    return np.concatenate(list(engine.activity(iter([np.stack(sounds)]))))


def test_powerset_classes_become_speakers(tmp_path: Path) -> None:
    """Seven classes as logits: silence while it is quiet, the first two speakers together while it is loud."""
    classes = np.zeros((2, 7))
    classes[1, 0], classes[0, 4] = 10, 40
    folder = onnx_models.segmentation(tmp_path / "m", window_s=2.0, frames=20, classes=classes,
                                      manifest='labels = "powerset"\noutputs = "logits"\nframe = 1600\n')
    engine = OnnxSegmenter(folder)
    assert (engine.window_samples, engine.frames, engine.speakers, engine.frame_samples) == (32_000, 20, 3, 1600)
    found = run(engine, LOUD)[0]
    assert (found[:10] < 0.01).all()
    assert (found[10:, :2] > 0.99).all() and (found[10:, 2] < 0.01).all()


def test_multilabel_logits_become_probabilities(tmp_path: Path) -> None:
    classes = np.array([[40.0, 0.0], [-10.0, -10.0]])
    folder = onnx_models.segmentation(tmp_path / "m", window_s=2.0, frames=20, classes=classes,
                                      manifest='labels = "multilabel"\noutputs = "logits"\nspeakers = 2\n')
    found = run(OnnxSegmenter(folder), LOUD)[0]
    np.testing.assert_allclose(found[-1], 1 / (1 + np.exp([-10.0, 10.0])), rtol=1e-4)


MULTILABEL = 'labels = "multilabel"\n'
WRONG = {
    "no manifest": (None, ConfigError, "has no model.toml"),
    "no TOML": ("kind = ", ConfigError, "cannot be read"),
    "another kind": ('kind = "speaker"\nfile = "a"\nlicence = "x"\nfeatures = "mel"\nsize = 1\n', ConfigError, "kind"),
    "an unknown key": (f'{MULTILABEL}colour = "red"\n', ConfigError, "colour"),
    "a path for a file": (f'{MULTILABEL}file = "../model.onnx"\n', ConfigError, "file"),
    "another rate": (f"{MULTILABEL}sample_rate = 8000\n", ConfigError, "sample_rate"),
    "a window of no length": (f"{MULTILABEL}window_s = 0.0\n", ConfigError, "window_s"),
    "other frames": (f"{MULTILABEL}frames = 21\n", EngineError, r"gives \(20, 3\) for a window, not \(21, 3\)"),
    "other speakers": (f"{MULTILABEL}speakers = 4\n", EngineError, r"gives \(20, 3\) for a window, not \(20, 4\)"),
    "another powerset": ('labels = "powerset"\n', EngineError, "has 3 classes, not 7"),
    "no such file": (f'{MULTILABEL}file = "other.onnx"\n', EngineError, "cannot be loaded"),
}


@pytest.mark.parametrize(("manifest", "kind", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_manifest_is_one_sentence(manifest: str | None, kind: type[Exception], says: str,
                                          tmp_path: Path) -> None:
    folder = onnx_models.segmentation(tmp_path, window_s=2.0, frames=20, classes=np.zeros((2, 3)))
    text = (folder / "model.toml").read_text()
    if manifest is None:
        (folder / "model.toml").unlink()
    else:
        asked = dict(line.split(" = ", 1) for line in manifest.splitlines())
        lines = [line for line in text.splitlines() if line.split(" = ")[0] not in asked]
        (folder / "model.toml").write_text("\n".join(lines) + "\n" + manifest)
    with pytest.raises(kind, match=says):
        run(OnnxSegmenter(folder), LOUD)


def test_a_file_that_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    folder = onnx_models.segmentation(tmp_path, window_s=2.0, frames=20, classes=np.zeros((2, 3)), manifest=MULTILABEL)
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(EngineError, match="cannot be loaded"):
        OnnxSegmenter(folder)


PYANNOTE = """kind = "segmentation"
engine = "pyannote.audio"
file = "pytorch_model.bin"
licence = "MIT"
labels = "multilabel"
window_s = 5.0
frames = 293
"""


def test_pyannote_audio_is_asked_for_by_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """bench/pyannote_audio.py compares what it computes; here it is not installed."""
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "model.toml").write_text(PYANNOTE)
    with pytest.raises(EngineError, match=r"pyannote\.audio, which the model in .* is not installed") as raised:
        load(tmp_path)
    assert "cp-whisperx-app[pyannote]" in raised.value.hint


def test_pyannote_audio_is_not_asked_for_by_default(tmp_path: Path) -> None:
    folder = onnx_models.segmentation(tmp_path, window_s=2.0, frames=20, classes=np.zeros((2, 3)), manifest=MULTILABEL)
    assert isinstance(load(folder), OnnxSegmenter)


def test_a_store_takes_a_folder_with_a_manifest(tmp_path: Path) -> None:
    folder = onnx_models.segmentation(tmp_path / "m", window_s=2.0, frames=20, classes=np.zeros((2, 3)))
    store = ModelStore(tmp_path / "store")
    assert store.path(str(folder)) == folder
    before = store.digest(str(folder))
    (folder / "model.toml").write_text("kind = 1")
    assert store.digest(str(folder)) != before


# The real one

@pytest.mark.real
def test_threads_and_batches_change_nothing(models: ModelStore) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, (11, WINDOW)).astype(np.float32)
    folder = models.path("pyannote-segmentation")

    def cut(size: int) -> Iterator[np.ndarray]:
        return (sound[start:start + size] for start in range(0, len(sound), size))

    one = np.concatenate(list(OnnxSegmenter(folder, threads=1).activity(cut(4))))
    many = np.concatenate(list(OnnxSegmenter(folder, threads=4).activity(cut(4))))
    np.testing.assert_array_equal(one, many)
    whole = np.concatenate(list(OnnxSegmenter(folder).activity(cut(11))))
    np.testing.assert_allclose(one, whole, atol=1e-5)


@pytest.mark.real
def test_silence_is_nobody(models: ModelStore) -> None:
    assert run(OnnxSegmenter(models.path("pyannote-segmentation")), np.zeros(WINDOW, np.float32)).max() < 0.1


def test_the_fake_tells_loudness_apart() -> None:
    quiet, loud = np.full(40_000, 0.05, np.float32), np.full(40_000, 0.2, np.float32)
    found = run(LoudnessSegmenter(), np.concatenate([quiet, loud]))[0]
    assert found.shape == (293, 3)
    assert found[10].argmax() == 0 and found[-10].argmax() == 1
    assert run(LoudnessSegmenter(), np.zeros(80_000, np.float32)).max() < 0.1
