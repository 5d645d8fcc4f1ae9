"""`python bench/subtitle_quality.py`: the demo scene as subtitles by us and by others, through `check` and `eval`.

All hear the same samples with the same weights (base), on the CPU in int8; each writes cues as its own documentation
does it, with its defaults, and the language given:
  ours                    cp-whisperx run, once for each profile that it is checked against
  faster-whisper          one cue for each segment
  faster-whisper batched  the same over chunks that its speech detector cuts, as whisperx transcribes (whisperx itself
                          aligns with a torch model from a hub afterwards, which this bench does not fetch)
  stable-ts               its result written as SRT with times of segments

stable-ts needs torch, so it is run by the Python of a throw-away environment:
  python -m venv /tmp/peers && /tmp/peers/bin/pip install torch stable-ts-whisperless faster-whisper
  python bench/subtitle_quality.py --peers /tmp/peers/bin/python
With a torch for the CPU, a torchaudio made for CUDA must lose lib/_torchaudio*.so to be imported: it is not used.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cp_whisperx import settings
from cp_whisperx.media import shots
from cp_whisperx.media.probe import probe
from cp_whisperx.models.store import ModelStore
from cp_whisperx.subtitles import profiles, reading
from cp_whisperx.subtitles.checking import check
from cp_whisperx.subtitles.evaluating import evaluate, read_reference
from scenes import SceneSpec, build
from scenes.truth import Scene

_PROFILES = ("netflix-en", "bbc")
_CLOCK = """
def clock(seconds):
    whole = round(seconds * 1000)
    return f"{whole // 3600000:02d}:{whole // 60000 % 60:02d}:{whole // 1000 % 60:02d},{whole % 1000:03d}"
"""
_SEGMENTS = _CLOCK + """
import sys
from faster_whisper import BatchedInferencePipeline, WhisperModel
model = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=1)
how = {}
if sys.argv[4] == "batched":
    model, how = BatchedInferencePipeline(model=model), {"batch_size": 8}
segments, _ = model.transcribe(sys.argv[2], language="en", **how)
with open(sys.argv[3], "w", encoding="utf-8") as file:
    for number, one in enumerate(segments, 1):
        file.write(f"{number}\\n{clock(one.start)} --> {clock(one.end)}\\n{one.text.strip()}\\n\\n")
"""
_STABLE = """
import sys, stable_whisper
model = stable_whisper.load_faster_whisper(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=1)
result = model.transcribe(sys.argv[2], language="en")
result.to_srt_vtt(sys.argv[3], word_level=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     epilog="example: python bench/subtitle_quality.py --peers /tmp/peers/bin/python")
    parser.add_argument("--peers", type=Path, help="Python of an environment with stable-ts")
    parser.add_argument("--others", type=Path, metavar="JSON", help="measure ours alone; the others' rows are those "
                        "of this earlier result")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        scene = build(SceneSpec(), Path(work), "scene")
        earlier = json.loads(given.others.read_text()) if given.others else None
        files, lacking = _made(scene, Path(work), given.peers, alone=earlier is not None)
        rows = [{"system": name, **_measured(scene, of)} for name, of in files.items()]
    if earlier:
        rows += [row | {"measured": earlier["date"] + ", before ours"} for row in earlier["rows"]
                 if row["system"] not in files]
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))
    result = {
        "what": "rules kept, and times and words against the truth, of the demo scene's subtitles",
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "model": "base, int8, CPU", "faster_whisper": importlib.metadata.version("faster-whisper"), "rows": rows,
        "not_run": lacking, "caveat": "one generated scene of a minute; its lines are what our cues were tried on",
    }
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"subtitle-quality-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(path)


def _made(scene: Scene, work: Path, peers: Path | None, *, alone: bool) -> tuple[dict[str, dict[str, Path]], list[str]]:
    """By system, a subtitle file for each profile (others know no profiles), and which systems could not be run."""
    ours = {}
    for profile in _PROFILES:
        done = subprocess.run([sys.executable, "-m", "cp_whisperx", "run", str(scene.film), "--model", "base",
                               "--source", "en", "--profile", profile, "--format", "srt", "--out", str(work / "out"),
                               "--json"], stdout=subprocess.PIPE, text=True, check=True)
        made = json.loads(done.stdout)
        ours[profile] = work / f"ours-{profile}.srt"
        ours[profile].write_bytes(Path(made["subtitles"][0]).read_bytes())
    audio = Path(made["folder"]) / "demux" / "audio.wav"
    weights = ModelStore(settings.load().model_store.root).path("base")
    files = {"ours": ours}
    if alone:
        return files, []
    for name, how in (("faster-whisper", "plain"), ("faster-whisper batched", "batched")):
        file = work / f"{how}.srt"
        subprocess.run([sys.executable, "-c", _SEGMENTS, weights, audio, file, how], check=True)
        files[name] = dict.fromkeys(_PROFILES, file)
    if peers is None:
        return files, ["stable-ts: no --peers"]
    file = work / "stable.srt"
    subprocess.run([peers, "-c", _STABLE, weights, audio, file], check=True, stdout=subprocess.DEVNULL)
    files["stable-ts"] = dict.fromkeys(_PROFILES, file)
    return files, []


def _measured(scene: Scene, files: dict[str, Path]) -> dict[str, Any]:
    """Rules by profile; words and times of the file for the first profile."""
    picture = next(stream for stream in probe(scene.film).streams if stream.is_picture)
    cuts = shots.find(scene.film, picture.index).cuts
    reports = {name: check(reading.read(file).cues, profiles.named(name), frame_rate=picture.frame_rate, cuts=cuts)
               for name, file in files.items()}
    made = evaluate(reading.read(files[_PROFILES[0]]).cues, read_reference(scene.truth_srt),
                    frame_rate=picture.frame_rate or 24.0)
    return {
        "cues": made.cues, "wer": round(made.wer or 0.0, 4), "in_cue": made.as_dict()["in_cue"],
        "out_cue": made.as_dict()["out_cue"], "speech_without_a_cue_s": made.uncovered_s,
        "rules": {name: {"cues_that_pass": round(report.pass_rate, 4),
                         "broken": {rule: count for rule, count in report.counts().items() if count}}
                  for name, report in reports.items()}}


if __name__ == "__main__":
    main()
