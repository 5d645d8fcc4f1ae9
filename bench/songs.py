"""`python bench/songs.py`: which files with words are called sung, as dated JSON.

Takes where a speech detector hears anything for words, so that the recogniser's taste plays no part. There is one sung
recording in the test media; the limits were chosen with all these files in sight and are conservative for that reason:
a song that passes for speech is subtitled plainly, speech that passes for a song may be left out.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from cp_whisperx import songs
from cp_whisperx.engines.silero import SileroDetector
from cp_whisperx.guards import HeardSound
from cp_whisperx.media import decode
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.timeline import SAMPLE_RATE, Song, Span
from scenes import SceneSpec, build

_WORD_S = 0.5
_HEARD = 0.2
_FRAME_S = 512 / SAMPLE_RATE


def sections(film: Path, work: Path, detector: SileroDetector) -> tuple[float, tuple[Song, ...]]:
    """Seconds of the film, and what is called sung in it."""
    decode.extract(film, 0, work / "a.wav")
    samples = Samples(work / "a.wav")
    padded = np.pad(samples.slice(0, len(samples)), (0, -len(samples) % 512))
    np.save(work / "frames.npy", np.concatenate(list(detector.probabilities(iter([padded])))))
    heard = HeardSound(samples, work / "frames.npy", _FRAME_S)
    seconds = len(samples) / SAMPLE_RATE
    pieces = [Span(at, at + _WORD_S) for at in np.arange(0.0, max(0.0, seconds - _WORD_S), _WORD_S).tolist()]
    return seconds, songs.find(samples, [one for one in pieces if heard.speech(one)[0] >= _HEARD], heard.speech)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/songs.py")
    parser.add_argument("--media", type=Path, default=Path(__file__).parents[2] / "shared" / "media")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    detector = SileroDetector(ModelStore().path("silero-vad"), threads=1)
    rows = []
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        films = {path.relative_to(given.media).as_posix(): path for folder in
                 ("speech", "hindi", "multispeaker", "composed", "nonspeech")
                 for path in sorted((given.media / folder).rglob("*"))
                 if path.suffix in (".wav", ".mp3", ".ogg", ".flac")}
        for under_db in (-24.0, -10.0, -3.0, 3.0):
            films[f"made scene, music at {under_db:g} dB of the speech"] = build(
                SceneSpec(picture="none", seed=5, music_under_db=under_db), work, f"scene{under_db:g}").film
        for name, film in films.items():
            seconds, found = sections(film, work, detector)
            rows.append({"film": name, "seconds": round(seconds, 1),
                         "sung": [[song.start, song.end, song.score] for song in found]})
            print(f"{name[:60]:60} {seconds:6.1f} s  {rows[-1]['sung']}", flush=True)
    spoken = [row for row in rows if not str(row["film"]).startswith("nonspeech")]
    result = {"what": "sections called sung", "date": datetime.date.today().isoformat(),
              "machine": f"{platform.machine()}, {os.cpu_count()} CPUs", "speech_files": len(spoken),
              "speech_files_with_a_song": sum(bool(row["sung"]) for row in spoken), "rows": rows}
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"songs-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
