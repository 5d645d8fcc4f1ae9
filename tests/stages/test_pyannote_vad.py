from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cp_whisperx import log as logs
from cp_whisperx import pipeline, settings
from cp_whisperx.artifacts import SpeakerActivity, Speech
from cp_whisperx.engines.fake import EnergyDetector, LoudnessSegmenter
from cp_whisperx.errors import ConfigError
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.runners.local import LocalRunner
from cp_whisperx.stage import Tools
from cp_whisperx.stages import pyannote_vad
from cp_whisperx.stages.pyannote_vad import Options, refine
from cp_whisperx.timeline import SAMPLE_RATE
from scenes import Scene, SceneSpec
from tests.engines import onnx_models

QUIET = SceneSpec(quiet_every=2, quiet_db=-12.0, picture="none", audio_codec="flac", length_s=60, seed=5)
"""Every second line at -12 dB over louder music."""


def tools(work: Path) -> Tools:
    log = logs.get("pyannote-vad")
    work.mkdir(exist_ok=True)
    return Tools(work, work / "film.mkv", "film", None, ModelStore(work), "cpu", 1, log,
                 Progress("pyannote-vad", log, terminal=False))


def samples_of(path: Path, sound: np.ndarray) -> Samples:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return Samples(path)


def made(work: Path, sound: np.ndarray, options: Options | None = None) -> SpeakerActivity:
    """The stage on the fakes: speech is what is loud, and a loudness is a speaker."""
    samples = samples_of(work / "a.wav", sound)
    coarse = np.concatenate([np.zeros(0, np.float32), *EnergyDetector().probabilities(iter([sound]))])
    speech = Speech(spans=(), frames="frames.npy", frame_samples=512, speech_s=0)
    return refine(LoudnessSegmenter(), samples, speech, coarse, options or Options(), tools(work / "out"))


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def voice(seconds: float, level: float = 0.2) -> np.ndarray:
    return np.full(round(seconds * SAMPLE_RATE), level, np.float32)


def test_what_both_hear_is_kept_with_its_frames(tmp_path: Path) -> None:
    found = made(tmp_path, np.concatenate([silence(4), voice(3), silence(5), voice(2, 0.05), silence(6)]))
    assert [(round(span.onset), round(span.offset)) for span in found.spans] == [(4, 7), (12, 14)]
    assert found.spans[0].onset == pytest.approx(4, abs=0.033)
    frames = np.load(tmp_path / "out" / found.frames, allow_pickle=False)
    assert frames.dtype == np.float16 and frames.shape[1] == 2
    centres = found.first_frame_s + np.arange(len(frames)) * found.frame_s
    assert 20 - found.frame_s <= centres[-1] < 20
    assert frames[np.searchsorted(centres, 5.5), 0] > 0.8 and frames[np.searchsorted(centres, 9.5), 0] < 0.2
    windows = np.load(tmp_path / "out" / found.windows, allow_pickle=False)
    assert windows.dtype == np.uint8 and windows.shape[1:] == (293, 3)
    for number, window in enumerate(windows):
        at = number * found.step_s + centres[:293]
        assert (window[(at > 4.1) & (at < 6.9)].argmax(axis=1) == 1).all()
        assert (window[(at > 12.1) & (at < 13.9)].argmax(axis=1) == 0).all()
    assert (len(windows) - 1) * found.step_s + found.window_s >= 20


class Deaf(LoudnessSegmenter):
    def activity(self, batches: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        return (np.zeros_like(activity) for activity in super().activity(batches))


class Dreamer(LoudnessSegmenter):
    def activity(self, batches: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        return (np.full_like(activity, 0.95) for activity in super().activity(batches))


@pytest.mark.parametrize(("engine", "kept", "shares"), [
    (Deaf, 0, {"silero": (0, 0), "segmentation": (0, 0)}),
    (Dreamer, 1, {"silero": (6, 0), "segmentation": (0, 4)})])
def test_one_detector_alone_begins_nothing(engine: type[LoudnessSegmenter], kept: int,
                                            shares: dict[str, tuple[float, float]], tmp_path: Path) -> None:
    """Ten seconds, loud from 4 to 7. What both have begun, one may carry on. Shares are against what is kept."""
    sound = np.concatenate([silence(4), voice(3), silence(3)])
    samples = samples_of(tmp_path / "a.wav", sound)
    coarse = np.concatenate(list(EnergyDetector().probabilities(iter([sound]))))
    speech = Speech(spans=(), frames="", frame_samples=512, speech_s=0)
    found = refine(engine(), samples, speech, coarse, Options(), tools(tmp_path / "out"))
    assert len(found.spans) == kept
    assert {share.detector: (round(share.lost_s), round(share.invented_s)) for share in found.shares} == shares


def test_the_same_sound_gives_the_same_bytes(tmp_path: Path) -> None:
    sound = np.concatenate([silence(1), voice(3), silence(7)])
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made(tmp_path / name, sound).write(tmp_path / name / "out")
        written.append({path.name: path.read_bytes() for path in (tmp_path / name / "out").iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"artifact.json", "frames.npy", "windows.npy"}


EDGES = {"nothing": 0.0, "one sample": 1 / SAMPLE_RATE, "a fifth of a second": 0.2, "less than a window": 4.9,
         "a window": 5.0, "a sample more": 5 + 1 / SAMPLE_RATE}


@pytest.mark.parametrize("level", [0.0, 0.2])
@pytest.mark.parametrize("seconds", EDGES.values(), ids=EDGES)
def test_films_of_hardly_any_length(seconds: float, level: float, tmp_path: Path) -> None:
    found = made(tmp_path, voice(seconds, level))
    assert (len(found.spans) == 1) == (level > 0 and seconds >= 0.1)
    assert all(0 <= span.start <= span.onset < span.offset <= span.end <= seconds + 1e-3 for span in found.spans)
    assert len(np.load(tmp_path / "out" / found.frames)) * found.frame_s <= seconds
    assert len(np.load(tmp_path / "out" / found.windows)) == (0 if not seconds else 1 if seconds <= 5 else 2)


def test_a_model_of_another_kind_is_one_sentence(tmp_path: Path) -> None:
    """Asked for by a folder, as a user would."""
    folder = onnx_models.speaker(tmp_path, bands=80, size=8, manifest='features = "fbank"\n')
    from cp_whisperx.engines.segmentation import OnnxSegmenter

    with pytest.raises(ConfigError, match=r"model\.toml: "):
        OnnxSegmenter(folder)
    assert pyannote_vad.STAGE.models(Options(model=str(folder))) == (str(folder),)


# The real engines

def listen(film: Path, folder: Path, models: ModelStore) -> SpeakerActivity:
    job = pipeline.prepare(film, settings.load({"jobs": folder}, environment={}))
    runner = LocalRunner(models.root, quiet=True)
    for name in ("demux", "silero-vad", "pyannote-vad"):
        pipeline.run(job, models, runner, only=name)
    return SpeakerActivity.read(job.stage_folder("pyannote-vad"))


@pytest.mark.real
def test_quiet_lines_are_kept_and_onsets_stay_exact(make_scene: Callable[[SceneSpec], Scene], models: ModelStore,
                                                    tmp_path: Path) -> None:
    scene = make_scene(QUIET)
    found = listen(scene.film, tmp_path, models)
    for line in scene.lines:
        covered = sum(max(0.0, min(span.end, line.end_s) - max(span.start, line.start_s)) for span in found.spans)
        assert covered >= 0.9 * (line.end_s - line.start_s), f"lost: {line.text}"
    off = [min(abs(span.onset - line.start_s) for span in found.spans) for line in scene.lines]
    assert float(np.median(off)) <= 0.042
    for span in found.spans:
        assert any(span.onset < line.end_s + 0.2 and span.offset > line.start_s - 0.2 for line in scene.lines)


NO_SPEECH = ("nonspeech/music_vibe_ace.ogg", "nonspeech/esc50_thunderstorm.wav", "containers/bbb_opening_30s.webm")
"""Silero hears a voice in the first, the segmentation in the third. All files: bench/speech_activity.py."""


@pytest.mark.real
@pytest.mark.media
@pytest.mark.parametrize("file", NO_SPEECH)
def test_music_and_noise_are_no_speech(file: str, shared_media: Path, models: ModelStore, tmp_path: Path) -> None:
    assert listen(shared_media / file, tmp_path, models).spans == ()
