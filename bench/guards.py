"""`python bench/guards.py`: what the guards drop, on sound without speech and on speech, as dated JSON.

Runs demux, silero-vad and asr of this program on the shared test media and on made scenes. Without speech, whatever is
kept is wrong. With speech, whatever is dropped is shown, to be judged by a person. Most limits were chosen by looking
at the same files (there are no others), so this shows that they hold together, not how they would do elsewhere.
"""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from cp_whisperx.artifacts import AudioTrack, Speech, Transcript
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Tools
from cp_whisperx.stages import asr, demux, silero_vad
from scenes import SceneSpec, build

_LOG = logging.getLogger("bench")
_SCENES = {"scene": SceneSpec(picture="none"),
           "scene, every second line at -12 dB": SceneSpec(picture="none", seed=2, quiet_every=2),
           "scene, music at -3 dB": SceneSpec(picture="none", seed=5, music_under_db=-3.0)}
_SILENT = ("nonspeech/", "containers/bbb")


class Made(dict[Any, Any]):
    """The artifacts of one film, with the interface of a stage's inputs."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def file(self, kind: Any, name: str) -> Path:
        return self._folder / name


def hear(film: Path, folder: Path, model: str, source: str) -> Transcript:
    tools = Tools(folder, film, film.stem, None, ModelStore(), "cpu", 1, _LOG, Progress("bench", _LOG, terminal=False))
    made: Any = Made(folder)
    made[AudioTrack] = demux.run(made, demux.Options(shots="off"), tools)
    made[Speech] = silero_vad.run(made, silero_vad.Options(), tools)
    return asr.run(made, asr.Options(model=model, source=source), tools)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/guards.py --model base")
    parser.add_argument("--media", type=Path, default=Path(__file__).parents[2] / "shared" / "media")
    parser.add_argument("--model", default="base")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    rows = []
    with tempfile.TemporaryDirectory() as work:
        films = {path.relative_to(given.media).as_posix(): path for path in sorted(given.media.rglob("*"))
                 if path.suffix in (".wav", ".mp3", ".ogg", ".flac") or path.stem in ("bbb_opening_30s",
                                                                                     "talking_video_42s")}
        films |= {name: build(spec, Path(work) / str(number)).film
                  for number, (name, spec) in enumerate(_SCENES.items())}
        for name, film in films.items():
            source = "hi" if "hi" in name.split("/")[0].split("_") or "hindi" in name or "hi_" in name else "en"
            if "trailing_bytes" in name or (source == "hi" and given.model.endswith(".en")):
                continue
            heard = hear(film, Path(work), given.model, source)
            speech = not name.startswith(_SILENT)
            rows.append({
                "film": name, "speech": speech, "seconds": round(len(Samples(Path(work) / "audio.wav")) / 16_000, 1),
                "segments": len(heard.segments), "sung_s": round(sum(song.duration for song in heard.songs), 1),
                "kept_outside_songs": sum(not any(song.overlap(one) for song in heard.songs)
                                          for one in heard.segments),
                "unheard_s": round(sum(span.duration for span in heard.unheard), 1),
                "dropped": [drop.model_dump() for drop in heard.dropped]})
            print(f"{name[:52]:52} {'speech' if speech else 'none':6} segments {len(heard.segments):3} "
                  f"sung {rows[-1]['sung_s']:6} unheard {rows[-1]['unheard_s']:5}", flush=True)
            for drop in heard.dropped:
                print(f"    {drop.guard} ({drop.hearing}): {drop.text!r}: {drop.reason}")
    silent = [row for row in rows if not row["speech"]]
    spoken = [row for row in rows if row["speech"]]
    result = {"what": "what the guards drop and keep, with and without speech", "model": given.model,
              "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
              "without_speech": {"films": len(silent),
                                 "kept_outside_songs": sum(row["kept_outside_songs"] for row in silent)},
              "with_speech": {"films": len(spoken), "segments": sum(row["segments"] for row in spoken),
                              "dropped": sum(len(row["dropped"]) for row in spoken),
                              "called_song_s": sum(row["sung_s"] for row in spoken)}, "rows": rows}
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"guards-{given.model}-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(path)


if __name__ == "__main__":
    main()
