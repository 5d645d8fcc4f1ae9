"""`python bench/word_times.py`: how far word times are off before and after alignment, as a table and dated JSON.

Speech with known times inside its lines: the scenes' dialogue is spoken in phrases of one to three words, which are
joined with pauses of 0.03 to 0.15 s, shorter than any a speech detector ends a span at. Where a phrase begins is
known to the sample; its first word is compared, if it was recognised. Besides, whole lines as the scenes have them,
and a telephone call with the times that people wrote down (`--media`). Frames are of 25 per second.

Tuned on other phrases (seed 1 of the same generator) and not on these: the beam, APART_S, SNAP_S.
"""

from __future__ import annotations

import argparse
import datetime
import difflib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cp_whisperx import alignment, log
from cp_whisperx.engines.faster_whisper import WhisperTranscriber
from cp_whisperx.engines.pocketsphinx import SphinxAligner
from cp_whisperx.engines.silero import SileroDetector
from cp_whisperx.engines.speech_spans import SpanRules, spans
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.stages import silero_vad
from cp_whisperx.timeline import SAMPLE_RATE, Word
from cp_whisperx.windows import pack
from scenes.dialogue import load_dialogue
from scenes.music import music
from scenes.schedule import MusicSpan
from scenes.score import normalised
from scenes.voices import voiced_span

_FRAME_MS = 40.0
_MODELS = ("base", "tiny.en")
_MUSIC_DB: tuple[float | None, ...] = (None, -24.0, -12.0)
_SPEECH = 0.1
"""RMS of a phrase: -20 dBFS."""
_EDGE_S = 0.005
_SEED = 7


@dataclass(frozen=True)
class Phrase:
    """`text` is heard from `start_s` on; `first` of its line, and so behind a long pause."""

    text: str
    start_s: float
    first: bool


def composed(sizes: Sequence[int], rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], list[Phrase]]:
    """The whole dialogue, each line in phrases of one of `sizes` words: float32 samples (n,) and where they start."""
    dialogue = load_dialogue()
    plan: list[tuple[str, bool, tuple[str, float, float]]] = []
    for line in dialogue.lines + dialogue.lines_b:
        speaker = dialogue.speaker(line.speaker)
        words, at = line.text.split(), 0
        while at < len(words):
            size = int(rng.choice(sizes))
            plan.append((" ".join(words[at:at + size]), at == 0, (speaker.voice, speaker.pitch, speaker.speed)))
            at += size
    parts, phrases, position = [np.zeros(2 * SAMPLE_RATE, np.float32)], [], 2 * SAMPLE_RATE
    for (text, first, _), raw in zip(plan, _spoken([(text, *manner) for text, _, manner in plan]), strict=True):
        pause = np.zeros(round(rng.uniform(*((0.5, 1.2) if first else (0.03, 0.15))) * SAMPLE_RATE), np.float32)
        start, end = voiced_span(raw)
        edge = round(_EDGE_S * SAMPLE_RATE)
        clip = np.pad(raw, edge)[start:end + 2 * edge].copy()
        clip[:edge] *= np.linspace(0, 1, edge, dtype=np.float32)
        clip[-edge:] *= np.linspace(1, 0, edge, dtype=np.float32)
        clip *= np.float32(_SPEECH / np.sqrt(np.mean(np.square(clip[edge:-edge]))))
        phrases.append(Phrase(text, (position + len(pause) + edge) / SAMPLE_RATE, first))
        parts += [pause, clip]
        position += len(pause) + len(clip)
    return np.concatenate([*parts, np.zeros(SAMPLE_RATE, np.float32)]), phrases


def _spoken(requests: list[tuple[str, str, float, float]]) -> Iterator[np.ndarray[Any, Any]]:
    child = subprocess.run(
        [sys.executable, "-c", "from scenes.voices import speak_requests; speak_requests()"], check=True,
        input=json.dumps(requests).encode(), stdout=subprocess.PIPE,
        env={**os.environ, "MALLOC_PERTURB_": "255", "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)})
    offset = 0
    for _ in requests:
        size = int.from_bytes(child.stdout[offset:offset + 4], "little")
        yield np.frombuffer(child.stdout, "<i2", size // 2, offset + 4).astype(np.float32) / np.float32(32768)
        offset += 4 + size


def words_before_and_after(sound: np.ndarray[Any, Any], model: str, folder: Path,
                           aligner: SphinxAligner) -> tuple[list[Word], list[Word], float]:
    """The words of the whole sound in sample time with attention's times and with aligned ones; seconds it took."""
    path = folder / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((sound * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    samples, store = Samples(path), ModelStore()
    detector = SileroDetector(store.path("silero-vad"))
    heard = np.concatenate(list(detector.probabilities(iter([samples.slice(0, len(samples))]))))
    rules = SpanRules(**silero_vad.Options().model_dump())
    found = spans(heard, detector.frame_samples / SAMPLE_RATE, len(samples) / SAMPLE_RATE, rules)
    engine = WhisperTranscriber(store.path(model), device="cpu", threads=1, beam_size=5, log=log.get("bench"))
    before: list[Word] = []
    after: list[Word] = []
    took_s = 0.0
    for window in pack(found, engine.window_s):
        segments = engine.transcribe(window.sound(samples), language="en", task="transcribe").segments
        began = time.process_time()
        aligned = alignment.align(aligner, window.sound(samples), segments)
        took_s += time.process_time() - began
        before += [word for segment in window.place(segments) for word in segment.words]
        after += [word for segment in window.place(aligned) for word in segment.words]
    return before, after, took_s


def errors_ms(phrases: Sequence[Phrase], words: Sequence[Word]) -> tuple[list[float], list[float]]:
    """Of the first words of phrases, those that begin a line and those inside one; late is positive."""
    said = [(part, phrase if not position else None) for phrase in phrases
            for position, part in enumerate(normalised(phrase.text).split())]
    heard = [(part, word) for word in words for part in normalised(word.text).split()]
    matcher = difflib.SequenceMatcher(None, [part for part, _ in said], [part for part, _ in heard], autojunk=False)
    first: list[float] = []
    inner: list[float] = []
    for start, start_heard, size in matcher.get_matching_blocks():
        for offset in range(size):
            phrase = said[start + offset][1]
            if phrase is not None:
                late = (heard[start_heard + offset][1].start - phrase.start_s) * 1000
                (first if phrase.first else inner).append(late)
    return first, inner


def _figures(errors: Sequence[float]) -> dict[str, float]:
    away = sorted(map(abs, errors))
    if not away:
        return {"words": 0}
    p95 = away[min(len(away) - 1, round(0.95 * (len(away) - 1)))]
    return {"words": len(away), "median_ms": round(statistics.median(away), 1), "p95_ms": round(p95, 1),
            "median_frames": round(statistics.median(away) / _FRAME_MS, 2), "p95_frames": round(p95 / _FRAME_MS, 2)}


def _row(name: str, model: str, sound: np.ndarray[Any, Any], phrases: Sequence[Phrase], aligner: SphinxAligner,
         folder: Path) -> tuple[dict[str, Any], list[list[float]]]:
    before, after, took_s = words_before_and_after(sound, model, folder, aligner)
    kinds = [errors_ms(phrases, words) for words in (before, after)]
    row = {"sound": name, "model": model, "seconds": round(len(sound) / SAMPLE_RATE, 1),
           "words_aligned": round(sum(word.timing == "aligned" for word in after) / max(1, len(after)), 3),
           "align_cpu_s": round(took_s, 2)}
    for place, position in (("line", 0), ("inner", 1)):
        for when, (first, inner) in zip(("before", "after"), kinds, strict=True):
            row[f"{place}_{when}"] = _figures((first, inner)[position])
    print(f"{name:24} {model:8} aligned {row['words_aligned']:4.0%}  " + "  ".join(
        f"{key} {row[key]['median_frames']:.2f}/{row[key]['p95_frames']:.2f}"
        for key in ("line_before", "line_after", "inner_before", "inner_after") if row[key].get("words")), flush=True)
    return row, [list(errors) for kind in kinds for errors in kind]


def _from_stm(stm: Path) -> list[Phrase]:
    """Turns as people wrote them: a turn begins with a first word, behind a pause or not."""
    found = [line.split(maxsplit=5) for line in stm.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Phrase(text, float(start), first=False) for _, _, _, start, _, text in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="example: python bench/word_times.py")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--media", type=Path, help="folder of the shared test media, for the telephone call")
    arguments = parser.parse_args()
    aligner = SphinxAligner()
    rows: list[dict[str, Any]] = []
    total: list[list[float]] = [[], [], [], []]
    print("median/95th percentile of the onset error in frames of 40 ms")
    with tempfile.TemporaryDirectory() as work:
        rng = np.random.default_rng(_SEED)
        for name, sizes in (("phrases", (1, 2, 3)), ("whole lines", (99,))):
            voice, phrases = composed(sizes, rng)
            for level in _MUSIC_DB:
                sound = voice if level is None else voice + _SPEECH * music(
                    (MusicSpan(0, len(voice), level, "under"),), SAMPLE_RATE, 0, len(voice), 1)[0]
                for model in _MODELS:
                    row, errors = _row(f"{name}, music {level or 'none'}", model, sound, phrases, aligner, Path(work))
                    rows.append(row)
                    for kept, new in zip(total, errors, strict=True):
                        kept += new
        overall = {key: _figures(errors) for key, errors in zip(
            ("line_before", "inner_before", "line_after", "inner_after"), total, strict=True)}
        if arguments.media:
            wav = arguments.media / "multispeaker" / "pyannote_sample.wav"
            with wave.open(str(wav)) as file:
                sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
            for model in _MODELS:
                rows.append(_row("telephone call", model, sound, _from_stm(wav.with_suffix(".stm")), aligner,
                                 Path(work))[0])
    print("all scenes: " + json.dumps(overall))
    result = {"what": "onset error of words before and after forced alignment", "frame_ms": _FRAME_MS,
              "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
              "python": platform.python_version(), "seed": _SEED, "rows": rows, "scenes": overall}
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / f"word-times-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
