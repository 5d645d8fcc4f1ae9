from __future__ import annotations

import numpy as np
import pytest

from cp_whisperx.engines.fake import EnergyDetector
from cp_whisperx.engines.silero import FRAME, SileroDetector
from cp_whisperx.errors import EngineError
from cp_whisperx.models.store import ModelStore

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def detector(models: ModelStore) -> SileroDetector:
    return SileroDetector(models.path("silero-vad"))


def test_blocks_change_nothing(detector: SileroDetector) -> None:
    """State and context are carried over, so the cut into blocks is not to be heard."""
    sound = np.random.default_rng(1).normal(0, 0.1, 40 * FRAME + 100).astype(np.float32)
    whole = np.concatenate(list(detector.probabilities(iter([sound]))))
    parts = [sound[start:start + 7 * FRAME] for start in range(0, sound.size, 7 * FRAME)]
    assert whole.shape == (41,)
    np.testing.assert_allclose(np.concatenate(list(detector.probabilities(iter(parts)))), whole, atol=1e-5)


def test_silence_and_noise_are_no_speech(detector: SileroDetector) -> None:
    for sound in (np.zeros(100 * FRAME, np.float32),
                  np.random.default_rng(2).normal(0, 0.05, 100 * FRAME).astype(np.float32)):
        assert np.concatenate(list(detector.probabilities(iter([sound])))).max() < 0.5


def test_nothing_in_nothing_out(detector: SileroDetector) -> None:
    assert list(detector.probabilities(iter([]))) == []
    assert list(detector.probabilities(iter([np.zeros(0, np.float32)]))) == []


def test_a_broken_model_is_one_sentence(tmp_path: object) -> None:
    from pathlib import Path

    (Path(str(tmp_path)) / "silero_vad.onnx").write_bytes(b"no model")
    with pytest.raises(EngineError, match="cannot be loaded"):
        SileroDetector(Path(str(tmp_path)))


def test_the_fake_hears_loudness() -> None:
    sound = np.concatenate([np.zeros(2 * FRAME, np.float32), np.full(2 * FRAME, 0.5, np.float32)])
    assert (np.concatenate(list(EnergyDetector().probabilities(iter([sound])))) > 0.5).tolist() == [
        False, False, True, True]
