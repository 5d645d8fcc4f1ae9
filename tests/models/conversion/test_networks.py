"""What a converted network must do beyond the answers that are compared at each load."""

from __future__ import annotations

import numpy as np
import pytest

from cp_whisperx.engines.speaker_embedding import OnnxEmbedder
from cp_whisperx.models.store import ModelStore


@pytest.mark.real
@pytest.mark.parametrize("frames", [30, 150, 333])
def test_campplus_takes_any_length_and_batch(models: ModelStore, frames: int) -> None:
    engine = OnnxEmbedder(models.path("campplus-speaker"))
    given = np.random.default_rng(frames).normal(size=(3, frames, 80)).astype(np.float32)
    together = engine.embed(given)
    assert together.shape == (3, 192)
    assert np.allclose(together[1], engine.embed(given[1:2])[0], atol=1e-5)
    assert np.linalg.norm(together, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
