from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cp_whisperx.engines import self_check
from cp_whisperx.engines.fake import PitchEmbedder
from cp_whisperx.engines.features import fbank, mel, raised
from cp_whisperx.engines.speaker_embedding import OnnxEmbedder, partials, unit
from cp_whisperx.errors import EngineError
from cp_whisperx.models.store import ModelStore
from tests.engines import onnx_models

SOUND = self_check.sound()[12_000:28_000]
KNOWN = np.load(Path(__file__).parent / "reference" / "features.npz", allow_pickle=False)
"""Rows of what librosa 0.11.0 (`melspectrogram`, 400/160/40) and kaldi-native-fbank (80 bands, Hamming, no dither)
make of SOUND."""


# Features

def test_mel_is_that_of_librosa() -> None:
    found = mel(SOUND, 40)
    assert found.shape == (101, 40)
    np.testing.assert_allclose(found[KNOWN["rows"]], KNOWN["mel"], atol=5e-6)


def test_fbank_is_that_of_kaldi() -> None:
    found = fbank(SOUND, 80)
    assert found.shape == (98, 80)
    np.testing.assert_allclose(found[KNOWN["rows"]], KNOWN["fbank"], atol=2e-3)


def test_no_sound_has_no_frames_that_hurt() -> None:
    nothing = np.zeros(0, np.float32)
    assert fbank(nothing, 80).shape == (0, 80)
    assert fbank(np.zeros(399, np.float32), 80).shape == (0, 80)
    assert np.isfinite(fbank(np.zeros(16_000, np.float32), 80)).all()
    assert mel(np.zeros(10, np.float32), 40).shape == (1, 40)


def test_quiet_sound_is_raised_and_loud_sound_stays() -> None:
    quiet = SOUND * np.float32(1e-3)
    level = 20 * np.log10(np.sqrt(np.mean(raised(quiet, -30) ** 2)))
    assert level == pytest.approx(-30, abs=0.01)
    assert raised(SOUND, -60) is SOUND
    assert not raised(np.zeros(5, np.float32), -30).any()
    assert raised(np.zeros(0, np.float32), -30).size == 0


# Partials

@pytest.mark.parametrize(("frames", "starts"), [
    (160, [0]), (161, [0, 1]), (240, [0, 80]), (250, [0, 80, 90]), (320, [0, 80, 160])])
def test_partials_cover_the_sound(frames: int, starts: list[int]) -> None:
    heard = np.arange(frames, dtype=np.float32)[:, None]
    found = partials(heard, 160)
    assert found.shape == (len(starts), 160, 1)
    assert found[:, 0, 0].tolist() == starts


def test_short_sound_is_repeated() -> None:
    heard = np.arange(3, dtype=np.float32)[:, None]
    assert partials(heard, 7)[0, :, 0].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert not partials(np.zeros((0, 4), np.float32), 7).any()


def test_lengths_are_one_or_nothing() -> None:
    found = unit(np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, 1.0]], np.float32))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0], [0, 1]], atol=1e-6)


# Models of other makers

def test_filter_banks_with_their_mean_taken_off(tmp_path: Path) -> None:
    """As WeSpeaker's encoders want it. Without the mean nothing but zeros would be left of a pooled frame."""
    plain = OnnxEmbedder(onnx_models.speaker(tmp_path / "a", bands=80, size=192,
                                             manifest='features = "fbank"\nbands = 80\npartial_frames = 50\n'))
    found = plain.embed_waves([SOUND, SOUND[:8_000]])
    assert found.shape == (2, 192)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    centred = OnnxEmbedder(onnx_models.speaker(
        tmp_path / "b", bands=80, size=192,
        manifest='features = "fbank"\nbands = 80\npartial_frames = 50\nmean_normalised = true\n'))
    ones = np.ones((1, 50, 80), np.float32)
    assert plain.embed(ones).any() and not centred.embed(ones).any()


def test_a_waveform_is_handed_on_as_it_is(tmp_path: Path) -> None:
    engine = OnnxEmbedder(onnx_models.waveform_speaker(tmp_path, size=4, manifest="partial_frames = 100\n"))
    frames = engine.features(SOUND)
    assert frames.shape == (100, 160)
    np.testing.assert_array_equal(frames.reshape(-1), SOUND)
    level, offset = np.mean(SOUND ** 2), np.mean(SOUND)
    np.testing.assert_allclose(engine.embed_waves([SOUND])[0], unit(np.array([level, offset, level, level])),
                               atol=1e-5)


def test_nobody_has_no_embedding(tmp_path: Path) -> None:
    engine = OnnxEmbedder(onnx_models.waveform_speaker(tmp_path, size=4, manifest=""))
    assert engine.embed_waves([]).shape == (0, 4)
    assert not engine.embed_waves([np.zeros(0, np.float32)]).any()


def test_another_size_is_one_sentence(tmp_path: Path) -> None:
    folder = onnx_models.speaker(tmp_path, bands=80, size=192, manifest='features = "fbank"\nbands = 80\n')
    text = (folder / "model.toml").read_text()
    (folder / "model.toml").write_text(text.replace("size = 192", "size = 256"))
    with pytest.raises(EngineError, match=r"gives 192 numbers, not 256 as its model\.toml says"):
        OnnxEmbedder(folder).embed(np.zeros((1, 160, 80), np.float32))
    (folder / "model.toml").write_text(text.replace("bands = 80", "bands = 40"))
    with pytest.raises(EngineError, match=r"the speaker model in .* failed"):
        OnnxEmbedder(folder).embed(np.zeros((1, 160, 40), np.float32))


# The real one

@pytest.mark.real
def test_two_readers_are_told_apart(models: ModelStore, shared_media: Path) -> None:
    """Each sentence is nearer to the others of its reader than to any of the other's."""
    from cp_whisperx.media.samples import Samples

    engine = OnnxEmbedder(models.path("ge2e-speaker"))
    folder = shared_media / "speech" / "speechbrain"
    names = [f"spk{speaker}_snt{sentence}" for speaker in (1, 2) for sentence in (1, 2, 3)]
    sounds = [Samples(folder / f"{name}.wav") for name in names]
    found = engine.embed_waves([sound.slice(0, len(sound)) for sound in sounds])
    assert found.shape == (6, 256)
    alike = found @ found.T
    assert min(alike[:3, :3].min(), alike[3:, 3:].min()) > alike[:3, 3:].max()


@pytest.mark.real
def test_the_batch_changes_nothing(models: ModelStore) -> None:
    engine = OnnxEmbedder(models.path("ge2e-speaker"))
    draw = np.random.default_rng(1).gamma(0.5, 0.02, (70, 160, 40)).astype(np.float32)
    np.testing.assert_allclose(engine.embed(draw)[69], engine.embed(draw[69:])[0], atol=1e-5)


def test_the_fake_tells_pitch_apart() -> None:
    time = np.arange(16_000) / 16_000
    low, high = (np.sin(2 * np.pi * pitch * time).astype(np.float32) for pitch in (110, 440))
    found = PitchEmbedder().embed_waves([low, low[:9_000], high])
    alike = found @ found.T
    assert alike[0, 1] > 0.99 > alike[0, 2]
