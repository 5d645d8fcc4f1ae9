"""`python bench/names_film.py`: names in the subtitles of whole films, without and with the stages that know names.

The films of bench/names.toml are spoken, written as films with a picture, and each gets an .nfo beside it: title, plot
and cast, as a Kodi library has them. Then the command runs on them as a user runs it. Asking for names changes no word
of what is heard, so what would be without the stages, and with the repair of the text alone, is told from the same job.
What the stages do was chosen on the films named tuned. `cost` is the time of recognition with the names, against that
without them.

Speech that has nothing to do with a cast is heard too (--media), with that cast: what is changed in it.
"""

from __future__ import annotations

import argparse
import datetime
import html
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import tomllib
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import jiwer
import numpy as np
from names import _hear, _known, _lexicon, _names_in, _plain, _said, _score, _speak, _text

from cp_whisperx.artifacts import Glossary, NamedTranscript, Subtitles, Transcript
from cp_whisperx.media import decode
from cp_whisperx.models.store import ModelStore
from cp_whisperx.names import glossary
from cp_whisperx.names.repair import repair
from cp_whisperx.timeline import SAMPLE_RATE

_HERE = Path(__file__).parent
_COMMAND = Path(sys.executable).with_name("cp-whisperx")
_MODELS = ("base", "tiny.en")
_STRANGERS = ("multispeaker/*.wav",)
"""Meetings, a telephone call, a commercial, in English: there is no Indian name in any."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/names_film.py")
    parser.add_argument("--out", type=Path, default=_HERE / "results")
    parser.add_argument("--media", type=Path, help="folder of the shared test media; without it no strangers are heard")
    parser.add_argument("--keep", type=Path, help="folder for films and jobs; what is there is not made again")
    parser.add_argument("--only", action="append", help="one of the films; may be given again")
    asked = parser.parse_args()
    films = tomllib.loads((_HERE / "names.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as temporary:
        work = asked.keep or Path(temporary)
        rows = [row for name, film in films.items() if name in (asked.only or films) for row in _film(name, film, work)]
        strangers = []
        for row in _strangers(asked.media, films["tuned"], work) if asked.media else ():
            print(row, flush=True)
            strangers.append(row)
    result = {
        "what": "right spellings of spoken names in the subtitles of whole films, by the command",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(),
        "tuned_on": ["tuned", "tuned_2", "tuned_3", "tuned_4"], "reported_on": "held_out_2",
        "note": "held_out was looked at between scorings, and what was seen there led to the second hearing; "
                "held_out_2 was scored once, when all was set",
        "rows": rows, "strangers": strangers,
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"names-film-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(path)


def _film(name: str, film: dict[str, Any], work: Path) -> Iterator[dict[str, Any]]:
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    truth = _speak(name, film, folder)
    path = folder / f"{film['title']}.mkv"
    if not path.exists():
        _write(path, folder / f"{name}.wav")
        path.with_suffix(".nfo").write_text(_nfo(film), encoding="utf-8")
    said, spoken = " ".join(film["lines"]), _said(film)
    for model in _MODELS:
        job, seconds = _run(path, model, folder)
        heard = Transcript.read(job / Transcript.stage).segments
        names = Glossary.read(job / Glossary.stage).names
        named = NamedTranscript.read(job / NamedTranscript.stage)
        text = repair([replace(segment, alternatives=()) for segment in heard], names, _lexicon())
        cues = " ".join(" ".join(cue.lines) for cue in Subtitles.read(job / Subtitles.stage).cues)
        for way, segments, changes in (("without", heard, ()), ("text alone", *text),
                                       ("with", named.segments, named.changes)):
            right, invented = _score(film, truth, segments)
            row = {"film": name, "model": model, "stages": way, "spoken": sum(spoken.values()), "names": len(spoken),
                   "right": right, "share": round(right / sum(spoken.values()), 3), "invented": invented,
                   "wer": round(jiwer.wer(_plain(said), _plain(_text(segments))), 3)}
            if way == "with":
                row |= {"in_cues": sum((spoken & _names_in(film, cues)).values()), **seconds}
            print(row, flush=True)
            yield row | {"wrong": _wrong(film, truth, segments),
                         "changes": [f"{change.before} -> {change.after} ({change.reason})" for change in changes]}


def _wrong(film: dict[str, Any], truth: list[tuple[float, float, str]], segments: Any) -> list[str]:
    """What is written of each line in which a name is not right."""
    found = []
    for line in truth:
        right, _ = _score(film, [line], segments)
        if right < sum(_names_in(film, line[2]).values()):
            text = "".join(word.text for segment in segments for word in segment.words
                           if line[0] - 0.25 <= (word.start + word.end) / 2 < line[1] + 0.25)
            found.append(f"{line[2]} -> {text.strip()}")
    return found


def _run(film: Path, model: str, folder: Path) -> tuple[Path, dict[str, float]]:
    """The job of a film, complete, and for how long its recognition took, with the names and for them alone."""
    done = subprocess.run(
        [_COMMAND, "-q", "run", film, "--model", model, "--source", "en", "--out", folder / model, "--json"],
        stdout=subprocess.PIPE, check=True)
    job = Path(json.loads(done.stdout)["folder"])
    record = json.loads((job / Transcript.stage / "record.json").read_text(encoding="utf-8"))
    names_s = float(re.findall(r"[\d.]+(?= s)", record["facts"]["names"])[0])
    return job, {"asr_s": record["wall_s"], "names_s": names_s,
                 "cost": round(record["wall_s"] / (record["wall_s"] - names_s), 2)}


def _write(path: Path, sound: Path) -> None:
    """A film of one grey picture and the sound."""
    with wave.open(str(sound)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=5)
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        audio = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        grey = av.VideoFrame.from_ndarray(np.full((90, 160, 3), 96, np.uint8), format="rgb24")
        for number in range(5 * len(samples) // SAMPLE_RATE + 1):
            grey.pts = number
            container.mux(video.encode(grey))
        container.mux(video.encode(None))
        for start in range(0, len(samples), SAMPLE_RATE):
            frame = av.AudioFrame.from_ndarray(samples[None, start:start + SAMPLE_RATE], format="s16", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, start
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))


def _nfo(film: dict[str, Any]) -> str:
    actors = "".join(f"  <actor><name>Anonymous {'ABCDEFGHIJ'[order]}</name><role>{html.escape(role)}</role>"
                     f"<order>{order}</order></actor>\n" for order, role in enumerate(film["characters"]))
    return (f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<movie>\n  <title>{film['title']}</title>\n"
            f"  <plot>{html.escape(film['plot'])}</plot>\n{actors}</movie>\n")


def _strangers(media: Path, film: dict[str, Any], work: Path) -> Iterator[dict[str, Any]]:
    """Sound without any of the names, heard by the stages themselves, with the cast of a film to expect."""
    store = ModelStore()
    names = glossary.build(_known(film["title"], film["characters"], film["places"]), ())
    cast = {word.casefold() for name in names for word in name.canonical.split()}
    folder = work / "strangers"
    folder.mkdir(exist_ok=True)
    for clip in sorted(path for pattern in _STRANGERS for path in media.glob(pattern)):
        if not (folder / f"{clip.stem}.wav").exists():
            decode.extract(clip, 0, folder / f"{clip.stem}.wav")
        for model in _MODELS:
            heard = _hear(clip.stem, model, store, folder, glossary=Glossary(names=names))
            named, changes = repair(heard.segments, names, _lexicon())
            before, after = (_plain(_text(segments)).split() for segments in (heard.segments, named))
            yield {"file": clip.name, "model": model, "words": len(before),
                   "asked": sum(len(segment.alternatives) for segment in heard.segments),
                   "changed": [f"{change.before} -> {change.after} ({change.reason})" for change in changes],
                   "names_invented": sum(word in cast for word in after) - sum(word in cast for word in before)}


if __name__ == "__main__":
    main()
