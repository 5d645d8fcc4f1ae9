from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cp_whisperx import pipeline, settings
from cp_whisperx.artifacts import Speech
from cp_whisperx.models.store import ModelStore
from cp_whisperx.runners.local import LocalRunner
from scenes import Scene, SceneSpec

QUIET = SceneSpec(quiet_every=2, quiet_db=-12.0, picture="none", audio_codec="flac", length_s=60, seed=5)
"""Every second line at -12 dB over louder music."""


def detect(film: Scene, folder: object, models: ModelStore) -> Speech:
    job = pipeline.prepare(film.film, settings.load({"jobs": folder}, environment={}))
    runner = LocalRunner(models.root, quiet=True)
    for name in ("demux", "silero-vad"):
        pipeline.run(job, models, runner, only=name)
    return Speech.read(job.stage_folder("silero-vad"))


@pytest.mark.real
def test_quiet_lines_are_heard_and_onsets_are_exact(make_scene: Callable[[SceneSpec], Scene], models: ModelStore,
                                                    tmp_path_factory: pytest.TempPathFactory) -> None:
    scene = make_scene(QUIET)
    folder = tmp_path_factory.mktemp("out")
    speech = detect(scene, folder, models)
    loudest = max(line.level_dbfs for line in scene.lines)
    assert sum(line.level_dbfs < loudest - 10 for line in scene.lines) >= len(scene.lines) // 3
    for line in scene.lines:
        covered = sum(max(0.0, min(span.end, line.end_s) - max(span.start, line.start_s)) for span in speech.spans)
        assert covered >= 0.9 * (line.end_s - line.start_s), f"lost: {line.text}"
    late = [min((span.onset - line.start_s for span in speech.spans), key=abs) for line in scene.lines]
    assert abs(float(np.median(late))) <= 0.042
    frames = np.load(next(folder.glob("*/silero-vad/frames.npy")), allow_pickle=False)
    assert frames.dtype == np.float16
    assert frames.size == pytest.approx(scene.duration_s * 16_000 / speech.frame_samples, abs=2)


@pytest.mark.real
def test_music_alone_is_no_speech(make_scene: Callable[[SceneSpec], Scene], models: ModelStore,
                                  tmp_path_factory: pytest.TempPathFactory) -> None:
    """What plays between the lines of a scene never counts as speech, beyond the padding of a line."""
    scene = make_scene(QUIET)
    speech = detect(scene, tmp_path_factory.mktemp("out"), models)
    for span in speech.spans:
        assert any(span.onset < line.end_s + 0.2 and span.offset > line.start_s - 0.2 for line in scene.lines)
