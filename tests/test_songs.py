"""Sung sections: by arithmetic on made sound, and on the real files there are."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cp_whisperx import songs
from cp_whisperx.media.samples import Samples
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Song, Span, Word

SECONDS = 40


def samples(path: Path, sound: NDArray[np.float64]) -> Samples:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return Samples(path)


def tones() -> NDArray[np.float64]:
    """Chords that stand for a second each."""
    at = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    root = np.repeat([220.0 * 2 ** (step / 12) for step in (0, 5, 7, 3) * 10], SAMPLE_RATE)
    phase = 2 * np.pi * np.cumsum(root) / SAMPLE_RATE
    return np.sum([np.sin(ratio * phase + at) / number for number, ratio in enumerate((1, 2, 3, 4, 5), 1)], axis=0) / 8


def syllables() -> NDArray[np.float64]:
    """Noise in bursts of a seventh of a second, four a second, as speech has them."""
    rng = np.random.default_rng(4)
    at = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    bursts = np.where((at * 4) % 1 < 0.55, 1.0, 0.01)
    return 0.2 * bursts * rng.normal(0, 1, at.size)


WORDS = [Span(float(start), start + 0.6) for start in range(2, SECONDS - 2)]
CASES = {
    "words over chords that a detector doubts": (tones, 0.5, 1),
    "words over chords that are clearly spoken": (tones, 0.95, 0),
    "syllables": (syllables, 0.5, 0),
    "steady noise": (lambda: 0.1 * np.random.default_rng(5).normal(0, 1, SECONDS * SAMPLE_RATE), 0.3, 0),
    "syllables over chords as loud": (lambda: tones() + syllables(), 0.9, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_what_counts_as_sung(tmp_path: Path, name: str) -> None:
    sound, probability, sections = CASES[name]
    found = songs.find(samples(tmp_path / "a.wav", sound()), WORDS, lambda span: (probability, 1.0))
    assert len(found) == sections
    for song in found:
        assert song.start <= 2.0 and song.end >= SECONDS - 3 and songs.SUNG <= song.score <= 1


def test_only_what_has_words_is_looked_at(tmp_path: Path) -> None:
    sound = samples(tmp_path / "a.wav", tones())
    assert songs.find(sound, [], lambda span: (0.3, 0.5)) == ()
    found = songs.find(sound, [Span(20.0, 24.0)], lambda span: (0.3, 0.5))
    assert len(found) == 1 and found[0].start >= 10.0 and found[0].end <= 34.5


def test_whole_segments_are_marked() -> None:
    def segment(start: float, end: float, count: int) -> Segment:
        step = (end - start) / count
        words = tuple(Word(start + n * step, start + (n + 1) * step, " la", 0.9) for n in range(count))
        return Segment(start, end, "la", words, -0.3, 0.1, 1.0)

    said = [segment(0, 4, 2), segment(8, 12, 3), segment(14, 18, 2), segment(30, 31, 1)]
    assert songs.mark(said, [Song(9.0, 15.0, 0.9)]) == frozenset({2, 3, 4})
    assert songs.mark(said, []) == frozenset()


@pytest.mark.media
@pytest.mark.real
def test_a_song_is_one_and_speech_is_none(shared_media: Path, tmp_path: Path, models: object) -> None:
    """The one sung recording there is against one of speech; bench/songs.py has all of them."""
    from cp_whisperx.engines.silero import SileroDetector
    from cp_whisperx.guards import HeardSound
    from cp_whisperx.media import decode

    detector = SileroDetector(models.path("silero-vad"), threads=1)  # type: ignore[attr-defined]
    lengths = {"nonspeech/song_lets_go_fishin.ogg": 1, "speech/jfk.flac": 0}
    for name, expected in lengths.items():
        decode.extract(shared_media / name, 0, tmp_path / "a.wav")
        sound = Samples(tmp_path / "a.wav")
        frames = np.concatenate(list(detector.probabilities(iter([sound.slice(0, len(sound) // 512 * 512)]))))
        np.save(tmp_path / "frames.npy", frames)
        heard = HeardSound(sound, tmp_path / "frames.npy", 512 / SAMPLE_RATE)
        seconds = len(sound) / SAMPLE_RATE
        words = [Span(float(at), at + 0.5) for at in range(int(seconds)) if heard.speech(Span(at, at + 0.5))[0] > 0.2]
        found = songs.find(sound, words, heard.speech)
        assert len(found) == expected, (name, found)
