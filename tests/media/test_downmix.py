"""Many channels become one, and the dialogue stands out in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from cp_whisperx.media import downmix
from cp_whisperx.timeline import SAMPLE_RATE
from scenes import Scene, SceneSpec
from tests.media.helpers import Sound, listen, scene, write_wav

Make = Callable[[SceneSpec], Scene]


def _speech_to_music_db(sound: Sound, film: Scene) -> float:
    """Level of the lines against that of the music where it plays alone."""
    def level(spans: list[tuple[float, float]]) -> float:
        inside = np.zeros(sound.times.size, bool)
        for start, end in spans:
            inside |= (sound.times > start + 0.2) & (sound.times < end - 0.2)
        assert inside.sum() > SAMPLE_RATE
        return float(10 * np.log10(np.mean(sound.samples[inside] ** 2)))

    alone = [(span.start_s, span.end_s) for span in film.tracks[0].music if span.role == "alone"]
    return level([(line.start_s, line.end_s) for line in film.lines]) - level(alone)


def _average(film: Path, folder: Path) -> Sound:
    """The mean of all channels: what a plain downmix gives."""
    with av.open(film) as reader:
        frames = [frame.to_ndarray() for frame in reader.decode(audio=0)]
    samples = np.concatenate([frame.reshape(-1, 6).T for frame in frames], axis=1).astype(np.float32) / 32768
    return listen(write_wav(folder / "mean.wav", samples.mean(axis=0, keepdims=True), 48_000), folder / "b.wav")


def test_dialogue_in_the_centre_is_favoured(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(channels="5.1", music=True, length_s=30.0, lead_in_s=4.0))
    sound = listen(film.film, tmp_path / "a.wav")
    assert sound.told.rule == downmix.CENTRE
    gained = _speech_to_music_db(sound, film) - _speech_to_music_db(_average(film.film, tmp_path), film)
    assert gained > 6.0, gained


def test_a_silent_centre_falls_back_to_the_fronts(make_scene: Make, tmp_path: Path) -> None:
    film = make_scene(scene(channels="5.1_silent_centre", music=True, lead_in_s=4.0))
    sound = listen(film.film, tmp_path / "a.wav")
    assert sound.told.rule == downmix.FRONTS
    assert "centre channel is silent" in sound.told.reason
    plain = listen(make_scene(scene(channels="stereo", music=True, lead_in_s=4.0)).film, tmp_path / "b.wav")
    assert np.sqrt(np.mean(sound.samples ** 2)) == pytest.approx(np.sqrt(np.mean(plain.samples ** 2)), rel=0.2)


def test_inverted_stereo_falls_back_to_one_channel(make_scene: Make, tmp_path: Path) -> None:
    sound = listen(make_scene(scene(channels="stereo_inverted")).film, tmp_path / "a.wav")
    plain = listen(make_scene(scene(channels="mono")).film, tmp_path / "b.wav")
    assert sound.told.rule == downmix.LEFT
    assert "cancel" in sound.told.reason
    assert np.abs(sound.samples - plain.samples).max() < 0.001


def test_only_the_chosen_mix_stays(make_scene: Make, tmp_path: Path) -> None:
    listen(make_scene(scene(channels="5.1")).film, tmp_path / "a.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_two_speakers_one_in_each_channel(shared_media: Path, tmp_path: Path) -> None:
    film = shared_media / "speech" / "faster_whisper_stereo_diarization.wav"
    sound = listen(film, tmp_path / "a.wav")
    with av.open(film) as reader:
        whole = np.concatenate([frame.to_ndarray() for frame in reader.decode(audio=0)], axis=1)
    channels = whole.reshape(-1, 2).T.astype(np.float32) / 32768
    assert len(channels[0]) == len(sound.samples)
    for channel in channels:
        share = np.dot(sound.samples, channel) / np.dot(channel, channel)
        assert share == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("channels", "weights"), [
    (("FC",), {"mono": [1]}),
    (("FL", "FR"), {"average": [0.5, 0.5], "left": [1, 0]}),
    (("FL", "FR", "LFE"), {"average": [0.5, 0.5, 0], "left": [1, 0, 0]}),
    (("FC", "LFE"), {"mono": [1, 0]}),
    (("FL", "FR", "FC", "LFE", "SL", "SR"),
     {"centre": [0.28, 0.28, 0.8, 0, 0.1, 0.1], "fronts": [0.5, 0.5, 0, 0, 0, 0]}),
    (("FL", "FR", "BL", "BR"), {"average": [0.25] * 4, "left": [1, 0, 0, 0]}),
    (("NONE", "NONE", "NONE"), {"average": [1 / 3] * 3, "left": [1, 0, 0]}),
    (("LFE",), {"mono": [1]})])
def test_weights_of_each_layout(channels: tuple[str, ...], weights: dict[str, list[float]]) -> None:
    mixes = downmix.candidates(channels)
    assert mixes.names == tuple(weights)
    assert mixes.weights.tolist() == [pytest.approx(row) for row in weights.values()]


@pytest.mark.parametrize("layout", ["2.1", "3.0", "4.0", "quad", "5.0", "6.1", "7.1", "5.1(side)", "octagonal"])
def test_every_layout_gives_its_speech(layout: str, tmp_path: Path) -> None:
    channels = av.AudioLayout(layout).nb_channels
    noise = np.random.default_rng(1).normal(0, 0.1, 48_000).astype(np.float32)
    sound = listen(write_wav(tmp_path / "a.wav", np.tile(noise, (channels, 1)), 48_000, layout), tmp_path / "b.wav")
    assert sound.told.samples == SAMPLE_RATE
    assert np.sqrt(np.mean(sound.samples ** 2)) > 0.03


def test_a_layout_that_is_not_told(tmp_path: Path) -> None:
    film = write_wav(tmp_path / "a.wav", np.full((3, 48_000), 0.1, np.float32), 48_000, "3.0")
    data = bytearray(film.read_bytes())
    # The channel mask of WAVE_FORMAT_EXTENSIBLE: 0 leaves the layout open.
    at = data.index(b"fmt ") + 8 + 20
    data[at:at + 4] = bytes(4)
    film.write_bytes(data)
    sound = listen(film, tmp_path / "b.wav")
    assert sound.told.rule == downmix.AVERAGE
    assert sound.samples[1000:-1000] == pytest.approx(0.1, abs=0.001)
