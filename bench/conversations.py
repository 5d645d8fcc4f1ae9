"""Conversations with known turns for bench/diarization.py: real recordings, and real or made voices put together.

A composed conversation takes the utterances of a few real readers (the shared test media) and puts them one after
another, each once, with pauses or with overlaps. The times are known by construction; pauses within an utterance are
counted as speech, so that a part of what is called missed there is silence.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from py_nanotts import NanoTTS

from cp_whisperx import rttm
from cp_whisperx.media import decode
from cp_whisperx.media.samples import Samples
from cp_whisperx.timeline import SAMPLE_RATE, Span, Turn
from scenes.dialogue import load_dialogue

Wave = NDArray[np.float32]
Pool = Mapping[str, Sequence[Wave]]


@dataclass(frozen=True)
class Conversation:
    """`turns` is None where only the number of speakers is known."""

    name: str
    group: str
    half: str
    wave: Wave
    turns: tuple[Turn, ...] | None
    scored: tuple[Span, ...]
    count: int


_RECORDED = {"tune": ("ami_trn04", "ami_trn05"), "report": ("ami_dev00", "ami_tst00", "pyannote_sample")}
_NEWS = {"tune": ("Bhopal", "Jaipur-1830", "Ranchi"), "report": ("Jaipur-1230", "Patna", "Shimla", "Gorakhpur")}
_STORIES = {"tune": ("086", "098"), "report": ("003", "029")}
_ENGLISH = {"tune": {"spk1": "speechbrain/spk1_*.wav", "lj": "speechbrain/LJ*.wav"},
            "report": {"spk2": "speechbrain/spk2_*.wav", "jfk": "jfk.flac"}}
_MADE = (("en-GB", 1.12, 1.08), ("en-US", 0.78, 1.08), ("en-US", 1.05, 1.1), ("en-GB", 0.85, 1.08),
         ("en-US", 1.3, 1.0), ("en-GB", 0.7, 1.0))
"""Voice, pitch and speed: two voices of the synthesiser, of which pitch makes six."""
_LONGEST_S = 5.0
_STEP = SAMPLE_RATE // 50
_PAUSE_STEPS = 10


def conversations(media: Path) -> Iterator[Conversation]:
    for half, names in _RECORDED.items():
        for name in names:
            base = media / "multispeaker" / name
            wave, turns = read(base.with_suffix(".wav")), rttm.read(base.with_suffix(".rttm"))
            scored = rttm.read_uem(base.with_suffix(".uem")) if base.with_suffix(".uem").is_file() else \
                (Span(0, len(wave) / SAMPLE_RATE),)
            yield _made(name, "AMI" if name.startswith("ami") else "telephone", half, wave, turns, scored)
    wave = read(media / "multispeaker" / "google_commercial_mono.wav")
    yield Conversation("google_commercial", "telephone", "report", wave, None, (), 2)
    base = media / "composed" / "hi_dialogue_4spk"
    yield _made("hi_dialogue_4spk", "Hindi dialogue", "tune", read(base.with_suffix(".wav")),
                rttm.read(base.with_suffix(".rttm")))
    voices = _made_voices()
    for seed, half in enumerate(("tune", "report"), 1):
        pool, random = real_voices(media, half), np.random.default_rng(seed)
        for count in range(1, 7):
            for overlapping in (False, True):
                chosen = {name: pool[name] for name in random.permutation(sorted(pool))[:count]}
                wave, turns = compose(chosen, random, *(((-0.1, 0.5), 0.25, -50.0) if overlapping else
                                                        ((0.3, 1.5), 0.0, None)))
                yield _made(f"composed-{count}{'-overlapping' if overlapping else ''}", "composed", half, wave, turns)
        for count in (1, 2, 3, 4, 5, 6):
            chosen = {name: voices[name] for name in random.permutation(sorted(voices))[:count]}
            yield _made(f"generated-{count}", "generated", half, *compose(chosen, random, (0.2, 1.2), 0.1, None))


def compose(pool: Pool, random: np.random.Generator, gap_s: tuple[float, float], overlap_share: float,
            noise_dbfs: float | None) -> tuple[Wave, tuple[Turn, ...]]:
    """All utterances of the pool, each once; mostly another speaker's turn, sometimes before the last has ended."""
    left = {name: [pool[name][place] for place in random.permutation(len(pool[name]))] for name in sorted(pool)}
    placed: list[tuple[int, Wave]] = []
    turns: list[Turn] = []
    end_s, last = 0.5, ""
    while any(left.values()):
        able = [name for name in left if left[name]]
        others = [name for name in able if name != last]
        able = others if others and random.random() < 0.8 else able
        # Who has much left to say speaks first, so that nobody talks alone at the end.
        able = [name for name in able if len(left[name]) >= max(len(left[other]) for other in able) - 1]
        name = str(able[random.integers(len(able))])
        wave = left[name].pop()
        gap = random.uniform(*gap_s)
        if random.random() < overlap_share and turns and turns[-1].speaker != name:
            gap = -min(random.uniform(0.3, 1.5), 0.6 * len(wave) / SAMPLE_RATE, 0.6 * turns[-1].duration)
        start = int(max(0.0, end_s + gap) * SAMPLE_RATE)
        placed.append((start, wave))
        turns.append(Turn(start / SAMPLE_RATE, (start + len(wave)) / SAMPLE_RATE, name))
        end_s, last = max(end_s, turns[-1].end), name
    sound = np.zeros(int((end_s + 0.5) * SAMPLE_RATE), np.float32)
    for start, wave in placed:
        sound[start:start + len(wave)] += wave
    if noise_dbfs is not None:
        sound += random.normal(0, 10 ** (noise_dbfs / 20), len(sound)).astype(np.float32)
    return np.clip(sound, -1, 1), tuple(sorted(turns))


def read(path: Path) -> Wave:
    """Mono at 16 kHz, as demux would hear it."""
    with tempfile.TemporaryDirectory() as work:
        decode.extract(path, 0, Path(work) / "audio.wav")
        samples = Samples(Path(work) / "audio.wav")
        return np.array(samples.slice(0, len(samples)))


def _made(name: str, group: str, half: str, wave: Wave, turns: tuple[Turn, ...],
          scored: tuple[Span, ...] | None = None) -> Conversation:
    return Conversation(name, group, half, wave, turns, scored or (Span(0, len(wave) / SAMPLE_RATE),),
                        len({turn.speaker for turn in turns}))


def real_voices(media: Path, half: str) -> dict[str, list[Wave]]:
    files = {f"news {town}": sorted(media.glob(f"hindi/news_{town}*.wav")) for town in _NEWS[half]}
    files |= {f"reader {number}": sorted(media.glob(f"hindi/stories/*_{number}.wav")) for number in _STORIES[half]}
    files |= {name: sorted(media.glob(f"speech/{pattern}")) for name, pattern in _ENGLISH[half].items()}
    return {name: [part for path in paths for part in _utterances(read(path))] for name, paths in files.items()}


def _made_voices() -> dict[str, list[Wave]]:
    synthesiser, lines = NanoTTS(), [line.text for line in load_dialogue().lines]
    made = {}
    for number, (voice, pitch, speed) in enumerate(_MADE):
        waves = [np.frombuffer(synthesiser.speak(line, voice=voice, pitch=pitch, speed=speed, volume=0.5), "<i2")
                 .astype(np.float32) / 32768 for line in lines[number::len(_MADE)][:8]]
        made[f"{voice} {pitch}"] = [_level(wave[slice(*_spoken(wave)[:2])]) for wave in waves]
    return made


def _spoken(wave: Wave) -> tuple[int, int, NDArray[np.bool_]]:
    """First and last sample within 30 dB of loud speech, and which steps of 20 ms are."""
    power = (wave[:len(wave) // _STEP * _STEP].reshape(-1, _STEP) ** 2).mean(axis=1)
    loud = 10 * np.log10(power + 1e-12)
    on = loud > np.percentile(loud, 95) - 30
    places = np.flatnonzero(on)
    return int(places[0]) * _STEP, int(places[-1] + 1) * _STEP, on


def _utterances(wave: Wave) -> list[Wave]:
    """Cut at pauses of 0.2 s, and where it is quietest in what is still too long."""
    _, _, on = _spoken(wave)
    parts: list[list[int]] = []
    for step in np.flatnonzero(on).tolist():
        if parts and step - parts[-1][1] <= _PAUSE_STEPS:
            parts[-1][1] = step
        else:
            parts.append([step, step])
    made = []
    for first, last in parts:
        piece = wave[first * _STEP:(last + 1) * _STEP]
        while len(piece) > _LONGEST_S * SAMPLE_RATE:
            inner = piece[int(2.5 * SAMPLE_RATE):int(4.5 * SAMPLE_RATE)]
            power = (inner[:len(inner) // _STEP * _STEP].reshape(-1, _STEP) ** 2).mean(axis=1)
            at = int(2.5 * SAMPLE_RATE) + int(power.argmin()) * _STEP
            made.append(piece[:at])
            piece = piece[at:]
        made.append(piece)
    return [_level(piece) for piece in made if len(piece) >= 0.6 * SAMPLE_RATE]


def _level(wave: Wave) -> Wave:
    """At -20 dB RMS."""
    return np.clip(wave * 0.1 / max(1e-9, float(np.sqrt(np.mean(wave ** 2)))), -0.95, 0.95).astype(np.float32)
