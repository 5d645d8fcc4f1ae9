"""`python bench/names.py`: names spoken and names written, with and without repair of the text; words that must stay.

Films are spoken by the synthesiser (bench/names.toml). What is chosen was chosen on those named tuned; `held_out` has
other names, other voices and other lines. `names_control.txt` holds some 2,000 words with as many traps as we could
think of, against a glossary made of names that sound like them.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import os
import platform
import re
import struct
import subprocess
import sys
import tempfile
import time
import tomllib
import wave
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jiwer
import numpy as np

from cp_whisperx import log as logs
from cp_whisperx.artifacts import Credit, Film, Glossary, Speech, Transcript
from cp_whisperx.engines.faster_whisper import WhisperTranscriber
from cp_whisperx.engines.silero import SileroDetector
from cp_whisperx.engines.speech_spans import SpanRules, spans
from cp_whisperx.film import characters
from cp_whisperx.guards import HeardSound
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.names import glossary
from cp_whisperx.names.ordinary import Lexicon
from cp_whisperx.names.repair import repair
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Tools
from cp_whisperx.stages import asr, silero_vad
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Word, total

_HERE = Path(__file__).parent
_MODELS = ("base", "tiny.en")
_TRAPS = re.findall(r"\w+", """
    Dil Veer Will Mark Raj Maya Asha Jai Simran Baldev Preeti Ajit Amritsar Kuljeet Lajjo Malhotra Radha Thakur
    Veeru Ramgarh Basanti Gabbar Meera Rohan Anand Kiran Sunny Rocky Rose Roby Sheena Jay Sita Gita Ravi Arun Sanjay
    Neha Amar Karan Dev Bina Leela Shankar Dharamvir Rajeshwari Jaidev Lakshmi Dahisar Gurpreet Hope
""")
_HINDI_CAST = ("Raj Malhotra", "Simran Singh", "Chaudhry Baldev Singh", "Kuljeet", "Lajwanti 'Lajjo' Singh",
               "Preeti Singh", "Dharamvir Malhotra", "Ajit Singh", "Rajeshwari / Chutki", "Rocky", "Sheena")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/names.py")
    parser.add_argument("--out", type=Path, default=_HERE / "results")
    parser.add_argument("--media", type=Path, help="folder of the shared test media; without it no Hindi is heard")
    parser.add_argument("--keep", type=Path, help="folder for sound and transcripts; used again if there")
    asked = parser.parse_args()
    store = ModelStore()
    films = tomllib.loads((_HERE / "names.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as temporary:
        work = asked.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        rows = [row for name, film in films.items() for row in _film(name, film, store, work)]
        hindi = _hindi(asked.media, store, work) if asked.media else None
    result = {
        "what": "right spellings of spoken names; ordinary words changed",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(), "tuned_on": "tuned", "reported_on": "held_out",
        "rows": rows, "control": _control(), "hindi": hindi,
    }
    print(json.dumps({"control": result["control"], "hindi": hindi}, ensure_ascii=False))
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"names-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(path)


def _film(name: str, film: dict[str, Any], store: ModelStore, work: Path) -> Iterator[dict[str, Any]]:
    truth = _speak(name, film, work)
    names = glossary.build(_known(film["title"], film["characters"], film["places"]), ())
    for model in _MODELS:
        transcript = _hear(name, model, store, work)
        repaired, changes = repair(transcript.segments, names, _lexicon())
        row = {"film": name, "model": model, "spoken": sum(_said(film).values())}
        for stage, segments in (("heard", transcript.segments), ("repaired", repaired)):
            right, invented = _score(film, truth, segments)
            row[stage] = {"right": right, "share": round(right / row["spoken"], 3), "invented": invented}
        row["wer"] = round(jiwer.wer(_plain(" ".join(film["lines"])), _plain(_text(transcript.segments))), 3)
        row["wer_repaired"] = round(jiwer.wer(_plain(" ".join(film["lines"])), _plain(_text(repaired))), 3)
        row["changes"] = [f"{change.before} -> {change.after}" for change in changes]
        print({key: value for key, value in row.items() if key != "changes"}, flush=True)
        yield row


def _speak(name: str, film: dict[str, Any], work: Path) -> list[tuple[float, float, str]]:
    """Writes the film's sound; each line with its start and end, seconds."""
    voices = film["voices"]
    requests = [(line, *voices[number % len(voices)]) for number, line in enumerate(film["lines"])]
    child = subprocess.run(
        [sys.executable, "-c", "from scenes.voices import speak_requests; speak_requests()"],
        input=json.dumps(requests).encode(), stdout=subprocess.PIPE, check=True,
        env={**os.environ, "MALLOC_PERTURB_": "255", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)})
    parts, at, truth, offset = [np.zeros(SAMPLE_RATE, "<i2")], SAMPLE_RATE, [], 0
    for line, *_ in requests:
        (size,) = struct.unpack_from("<I", child.stdout, offset)
        sound = np.frombuffer(child.stdout, "<i2", count=size // 2, offset=offset + 4)
        offset += 4 + size
        truth.append((at / SAMPLE_RATE, (at + sound.size) / SAMPLE_RATE, line))
        parts += [sound, np.zeros(SAMPLE_RATE // 2, "<i2")]
        at += sound.size + SAMPLE_RATE // 2
    _write(work / f"{name}.wav", np.concatenate(parts))
    return truth


def _write(path: Path, samples: Any) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def _hear(name: str, model: str, store: ModelStore, work: Path, language: str = "en",
          glossary: Glossary | None = None) -> Transcript:
    folder = work / f"{name}-{model}"
    if (folder / "artifact.json").exists():
        return Transcript.read(folder)
    folder.mkdir()
    samples = Samples(work / f"{name}.wav")
    detector = SileroDetector(store.path("silero-vad"), threads=1)
    heard = np.concatenate(list(detector.probabilities(iter([samples.slice(0, len(samples))]))))
    found = spans(heard, detector.frame_samples / SAMPLE_RATE, len(samples) / SAMPLE_RATE,
                  SpanRules(**silero_vad.Options().model_dump()))
    np.save(work / f"{name}.npy", heard)
    log = logs.get("bench")
    engine = WhisperTranscriber(store.path(model), device="cpu", threads=1, beam_size=5, log=log)
    tools = Tools(folder, work, name, None, store, "cpu", 1, log, Progress("bench", log, terminal=False))
    made = asr.recognise(engine, samples, Speech(spans=found, frames="", frame_samples=512, speech_s=total(found)),
                         asr.Options(model=model, source=language, align="off"), tools,
                         HeardSound(samples, work / f"{name}.npy", detector.frame_samples / SAMPLE_RATE), glossary)
    made.write(folder)
    return made


def _known(title: str, roles: Any, places: Any) -> Film:
    credits = tuple(Credit(person=f"Anonymous {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[order]}", characters=characters.names(role),
                           order=order) for order, role in enumerate(roles))
    return Film(title=title, original_title=None, year=None, original_language=None, runtime_s=None, ids={},
                alternative_titles=(), credits=credits, keywords=(), places=tuple(places), overview="", extra_names=(),
                sources=(), lacked=(), attribution="")


def _said(film: dict[str, Any]) -> Counter[str]:
    return _names_in(film, " ".join(film["lines"]))


def _names_in(film: dict[str, Any], text: str) -> Counter[str]:
    return Counter(word for word in re.findall(r"\w+", text) if word in film["names"])


def _score(film: dict[str, Any], truth: list[tuple[float, float, str]], segments: Any) -> tuple[int, int]:
    """Names written right in the line in which they were spoken, and names where none of them was spoken."""
    words = [word for segment in segments for word in segment.words]
    right = invented = 0
    for start, end, line in truth:
        text = " ".join(word.text for word in words if start - 0.25 <= (word.start + word.end) / 2 < end + 0.25)
        said, written = _names_in(film, line), _names_in(film, text)
        right += sum((said & written).values())
        invented += sum((written - said).values())
    return right, invented


def _text(segments: Any) -> str:
    return " ".join(segment.text for segment in segments)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower()))


@functools.cache
def _lexicon() -> Lexicon:
    return Lexicon(ModelStore().path("en-words") / "words.txt")


def _control() -> dict[str, Any]:
    """Ordinary text as if it had been heard, surely and unsurely: what is changed in it."""
    text = (_HERE / "names_control.txt").read_text(encoding="utf-8")
    names = glossary.build(_known("", _TRAPS[:26], ()), (), _TRAPS)
    changed = {}
    for probability in (0.95, 0.6, 0.2):
        segments = []
        clock = 0.0
        for sentence in re.findall(r"\S.*?[.!?](?=\s|$)", text, re.DOTALL):
            words = []
            for word in sentence.split():
                words.append(Word(clock, clock + 0.3, " " + word, probability))
                clock += 0.3
            segments.append(Segment(words[0].start, clock, sentence, tuple(words), -0.3, 0.1, 1.2))
        changed[str(probability)] = [f"{change.before} -> {change.after} ({change.score})"
                                     for change in repair(segments, names, _lexicon())[1]]
    return {"words": len(text.split()), "names": len(_TRAPS), "changed_by_word_probability": changed}


def _hindi(media: Path, store: ModelStore, work: Path) -> dict[str, Any]:
    """Hindi that has nothing to do with the cast: as the recogniser hears it, and as it was said."""
    names = glossary.build(_known("", _HINDI_CAST, ("Amritsar", "London", "Punjab")), (), ("सिमरन", "अमृतसर"))
    clips = sorted((media / "hindi").rglob("*.wav"))
    heard, said = [], []
    for clip in clips:
        name = f"hindi-{clip.stem}"
        with wave.open(str(clip)) as file:
            _write(work / f"{name}.wav", np.frombuffer(file.readframes(file.getnframes()), "<i2"))
        heard += list(_hear(name, "base", store, work, "hi").segments)
        text = clip.with_suffix(".txt").read_text(encoding="utf-8")
        words = tuple(Word(0.3 * at, 0.3 * at + 0.3, " " + word, 0.5) for at, word in enumerate(text.split()))
        said.append(Segment(0.0, words[-1].end, text, words, -0.3, 0.1, 1.2))
    return {"clips": len(clips), "heard_words": sum(len(segment.words) for segment in heard),
            "said_words": sum(len(segment.words) for segment in said),
            "changed": [f"{change.before} -> {change.after} ({change.score})" for segments in (heard, said)
                        for change in repair(segments, names, _lexicon())[1]]}


if __name__ == "__main__":
    main()
