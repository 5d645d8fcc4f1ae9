"""`python bench/hindi_script.py MEDIA`: Hindi with and without a script lock, a prompt and forbidden repeats.

All Hindi clips of the shared test media one after another, as a film is heard: speech detector, windows of 30 s, the
stage's recogniser and its guard over script and prompt. Character and word error rates of text in NFC without
punctuation. The prompt is one sentence, the first that was tried. How many tokens may not repeat was chosen on these
clips. They are few, and base is weak in Hindi: a few points between rows mean nothing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import time
import unicodedata
import wave
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jiwer
import numpy as np

from cp_whisperx import log, scripts
from cp_whisperx.engines import faster_whisper
from cp_whisperx.engines.faster_whisper import WhisperTranscriber
from cp_whisperx.engines.silero import SileroDetector
from cp_whisperx.engines.speech_spans import SpanRules, spans
from cp_whisperx.media import decode
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.stages import silero_vad
from cp_whisperx.timeline import SAMPLE_RATE
from cp_whisperx.windows import Window, pack
from cp_whisperx.writing import Writing, hear

_PROMPT = "यह एक हिन्दी फ़िल्म की बातचीत है।"
_HINDI = frozenset((scripts.DEVANAGARI,))
_NO_REPEAT: dict[str, Any] = {"no_repeat_ngram_size": 4}
_ANY: frozenset[str] = frozenset()
_BOTH = _HINDI | {scripts.LATIN}
_POLICIES = {
    "no policy": Writing(_ANY, _ANY, _ANY), "prompt": Writing(_ANY, _ANY, _ANY, prompt=_PROMPT),
    "lock": Writing(_HINDI, _HINDI, _HINDI), "lock + prompt": Writing(_HINDI, _HINDI, _HINDI, prompt=_PROMPT),
    "mixed": Writing(_BOTH, _BOTH, _HINDI),
}
_REPEATS: dict[str, dict[str, Any]] = {"as usual": {}, "allowed": {"no_repeat_ngram_size": 0},
                                       "no 4 tokens": {"no_repeat_ngram_size": 4}}
_PAUSE_S = 1.0


def film(media: Path, work: Path) -> tuple[Samples, tuple[Window, ...], str, int]:
    """All clips with pauses between them: samples, windows, what is said, and how many clips they are."""
    parts = [np.zeros(round(_PAUSE_S * SAMPLE_RATE), np.float32)]
    said = []
    for path in sorted((media / "hindi").rglob("*.wav")):
        decode.extract(path, 0, work / "clip.wav")
        clip = Samples(work / "clip.wav")
        parts += [clip.slice(0, len(clip)), parts[0]]
        said.append(path.with_suffix(".txt").read_text(encoding="utf-8"))
    with wave.open(str(work / "film.wav"), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.concatenate(parts) * 32767).astype("<i2").tobytes())
    samples = Samples(work / "film.wav")
    detector = SileroDetector(ModelStore().path("silero-vad"))
    rules = SpanRules(**silero_vad.Options().model_dump())
    heard = np.concatenate(list(detector.probabilities(iter([samples.slice(0, len(samples))]))))
    found = spans(heard, detector.frame_samples / SAMPLE_RATE, len(samples) / SAMPLE_RATE, rules)
    return samples, pack(found, 30.0), " ".join(said), len(said)


def plain(text: str) -> str:
    """NFC; letters, marks and digits alone; single spaces."""
    composed = unicodedata.normalize("NFC", text).lower()
    kept = "".join(one if unicodedata.category(one)[0] in "LMN" else " " for one in composed)
    return " ".join(kept.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     epilog="example: python bench/hindi_script.py ../shared/media")
    parser.add_argument("media", type=Path, help="folder of the shared test media")
    parser.add_argument("--model", default="base")
    parser.add_argument("--policies", default=",".join(_POLICIES), help="rows to measure, with commas between")
    parser.add_argument("--repeats", default="as usual", choices=tuple(_REPEATS))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    engine = WhisperTranscriber(ModelStore().path(arguments.model), device="cpu", threads=1, beam_size=5,
                                log=log.get("bench"))
    usual = faster_whisper._ATTEMPTS, faster_whisper._LOCKED_ATTEMPTS
    with TemporaryDirectory() as work:
        samples, windows, said, count = film(arguments.media, Path(work))
        reference = plain(said)
        for policy in arguments.policies.split(","):
            options = _REPEATS[arguments.repeats]
            faster_whisper._ATTEMPTS, faster_whisper._LOCKED_ATTEMPTS = (
                tuple((name, more | options) for name, more in attempts) for attempts in usual)
            began = time.process_time()
            heard = [hear(engine, window.sound(samples), language="hi", task="transcribe", writing=_POLICIES[policy])
                     for window in windows]
            segments = [segment for one in heard for segment in one.segments]
            told = plain(" ".join(segment.text for segment in segments))
            row = {"policy": policy, "repeats": arguments.repeats, "cer": round(float(jiwer.cer(reference, told)), 4),
                   "wer": round(float(jiwer.wer(reference, told)), 4), "segments": len(segments),
                   "in_another_script": sum(bool(scripts.foreign(segment.text, _HINDI)) for segment in segments),
                   "loops": sum(segment.compression_ratio > faster_whisper.LOOP_RATIO for segment in segments),
                   "logprob": round(float(np.mean([segment.avg_logprob for segment in segments] or [0])), 3),
                   "cpu_s": round(time.process_time() - began, 1), "beginning": told[:200]}
            print(f"{policy:14} {arguments.repeats:11} CER {row['cer']:.3f} WER {row['wer']:.3f} other script "
                  f"{row['in_another_script']}/{len(segments)} {row['cpu_s']} s", flush=True)
            _write(arguments.out, arguments.model, count, row)


def _write(out: Path, model: str, count: int, row: dict[str, Any]) -> None:
    """Adds a row, or measures it again; rows of other calls on the same day stay."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"hindi-script-{time.strftime('%Y-%m-%d')}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    rows = [row, *(other for other in kept if (other["policy"], other["repeats"]) != (row["policy"], row["repeats"]))]
    result = {"what": "Hindi: script lock, prompt, forbidden repeats", "model": model, "clips": count,
              "prompt": _PROMPT, "date": datetime.date.today().isoformat(),
              "rows": sorted(rows, key=lambda row: (row["cer"], row["policy"])),
              "machine": f"{platform.machine()}, {os.cpu_count()} CPUs", "python": platform.python_version()}
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
