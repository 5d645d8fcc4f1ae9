"""`python bench/hindi_script.py MEDIA`: Hindi with and without a script lock, a prompt and forbidden repeats.

All Hindi clips of the shared test media, each as a film would be heard (speech detector, windows, the stage's
recogniser, before its guards). Character and word error rates over all clips together, of text in NFC without
punctuation. The prompt is one sentence, the first that was tried. The number of tokens that may not repeat was chosen
on these same clips, out of none, three and four. Nineteen clips: a few points between rows mean nothing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import time
import unicodedata
from collections.abc import Iterator
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

_PROMPT = "यह एक हिन्दी फ़िल्म की बातचीत है।"
_HINDI = frozenset((scripts.DEVANAGARI,))
_NO_REPEAT: dict[str, Any] = {"no_repeat_ngram_size": 4}
_POLICIES: dict[str, tuple[frozenset[str], str]] = {
    "lock": (_HINDI, ""), "lock + prompt": (_HINDI, _PROMPT), "no policy": (frozenset(), ""),
    "prompt": (frozenset(), _PROMPT), "mixed": (_HINDI | {scripts.LATIN}, ""),
}
_REPEATS: dict[str, dict[str, Any]] = {
    "allowed": {"no_repeat_ngram_size": 0}, "no 3 tokens": {"no_repeat_ngram_size": 3},
    "no 4 tokens": {"no_repeat_ngram_size": 4},
}


def clips(media: Path, work: Path) -> Iterator[tuple[str, str, Samples, tuple[Window, ...]]]:
    """Name, reference text, samples and windows of each clip."""
    detector = SileroDetector(ModelStore().path("silero-vad"))
    rules = SpanRules(**silero_vad.Options().model_dump())
    for path in sorted((media / "hindi").rglob("*.wav")):
        wav = work / f"{path.stem}.wav"
        decode.extract(path, 0, wav)
        samples = Samples(wav)
        heard = np.concatenate(list(detector.probabilities(iter([samples.slice(0, len(samples))]))))
        found = spans(heard, detector.frame_samples / SAMPLE_RATE, len(samples) / SAMPLE_RATE, rules)
        yield path.stem, path.with_suffix(".txt").read_text(encoding="utf-8"), samples, pack(found, 30.0)


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
    parser.add_argument("--repeats", default="allowed", choices=tuple(_REPEATS))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    engine = WhisperTranscriber(ModelStore().path(arguments.model), device="cpu", threads=1, beam_size=5,
                                log=log.get("bench"))
    attempts = faster_whisper._ATTEMPTS
    with TemporaryDirectory() as work:
        heard = list(clips(arguments.media, Path(work)))
        for policy in arguments.policies.split(","):
            allowed, prompt = _POLICIES[policy]
            options = _REPEATS[arguments.repeats]
            faster_whisper._ATTEMPTS = tuple((name, options | more) for name, more in attempts)
            began = time.process_time()
            told, references, logprobs, foreign = [], [], [], 0
            for _, reference, samples, windows in heard:
                segments = [segment for window in windows for segment in engine.transcribe(
                    window.sound(samples), language="hi", task="transcribe", scripts=allowed,
                    prompt=prompt).segments]
                told.append(plain(" ".join(segment.text for segment in segments)))
                references.append(plain(reference))
                logprobs += [segment.avg_logprob for segment in segments]
                foreign += sum(bool(scripts.foreign(segment.text, allowed or _HINDI)) for segment in segments)
            row = {"policy": policy, "repeats": arguments.repeats,
                   "cer": round(float(jiwer.cer(references, told)), 4),
                   "wer": round(float(jiwer.wer(references, told)), 4),
                   "segments_in_another_script": foreign, "segments": len(logprobs),
                   "prompt_words_leaked": sum(text.count(word) for text in told for word in plain(prompt).split()
                                              if len(word) > 2) if prompt else 0,
                   "logprob": round(float(np.mean(logprobs)), 3), "cpu_s": round(time.process_time() - began, 1)}
            print(f"{policy:14} {row['repeats']:11} CER {row['cer']:.3f} WER {row['wer']:.3f} other script "
                  f"{foreign}/{len(logprobs)} {row['cpu_s']} s", flush=True)
            _write(arguments.out, arguments.model, len(heard), row)


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
