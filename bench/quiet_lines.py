"""`python bench/quiet_lines.py`: is quiet speech under music lost? A table and dated JSON.

Made scenes in which every other line is quieter than the rest, with music under it, through the whole pipeline as a
person runs it (`cp-whisperx run`, defaults but for the model). What counts is the voice itself: the 10 ms frames of a
line's clean recording that are within 30 dB of its level. A pause inside a line is no speech. For voiced frames
without a cue the table says how many seconds they are, and what became of the stretches of FLASH_S or more of them:
  unheard   outside the speech spans that the recogniser was given
  dropped   the recogniser gave words there that a guard did not believe
  no words  inside the spans, and no words came of it
  retimed   words are there, the cue is not
Shorter stretches are the frames at the edges of cues.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jobs import run, save

from cp_whisperx.artifacts import NamedTranscript, SpeakerActivity, Subtitles, Transcript
from cp_whisperx.job import Job
from cp_whisperx.timeline import Span
from scenes import SceneSpec, TrackSpec, build
from scenes.dialogue import WrittenLine
from scenes.truth import Line, Scene
from scenes.voices import spoken

_MODELS = ("base", "tiny.en")
_RATE_HZ = 16_000
_FRAME_S = 0.01
_VOICED_DB = -30.0
FLASH_S = 0.2
"""Of voice in a row without a cue: less is no word."""
_CONTENTS = ("dialogue", "dialogue_b")
_LEVELS: tuple[tuple[float, float], ...] = ((-12.0, 6.0), (-12.0, 0.0), (-18.0, 6.0), (-18.0, 0.0))
"""How far the quiet lines are below the others, and by how much they are above the music under them, dB."""
_QUIET_DB = 6.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="example: python bench/quiet_lines.py")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--jobs", type=Path, help="keep scenes and jobs here, and go on from those that are there")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        work = given.jobs or Path(made)
        for level_db, over_db in _LEVELS:
            for content in _CONTENTS:
                scene = _scene(level_db, over_db, content, work / f"{content}{level_db:g}{over_db:+g}")
                for model in _MODELS:
                    job = run(scene.film, work / model, model, "--source", "en")
                    rows.append({"quiet_db": level_db, "above_music_db": over_db, "lines": content, "model": model,
                                 **_measured(scene, job)})
                    _show(rows[-1])
                    # What was measured is kept, whatever becomes of the next scene.
                    _save(given.out, rows)
    for row in _totals(rows):
        _show(row)


def _save(out: Path, rows: list[dict[str, Any]]) -> None:
    save(out, "quiet-lines", {
        "what": "seconds of voice without a cue, in lines quieter than the others and with music under them",
        "flash_s": FLASH_S, "totals": _totals(rows), "rows": rows})


def _scene(level_db: float, over_db: float, content: Any, folder: Path) -> Scene:
    if not (folder / "scene.truth.srt").exists():
        build(SceneSpec(seed=12, quiet_every=2, quiet_db=level_db, quiet_music_db=level_db - over_db,
                        tracks=(TrackSpec(content=content, default=True),), width=320, height=180), folder)
    return Scene.load(folder / "scene.truth.json")


def _measured(scene: Scene, job: Job) -> dict[str, Any]:
    cues = Subtitles.read(job.stage_folder(Subtitles.stage)).cues
    loudest = max(line.level_dbfs for line in scene.lines)
    made: dict[str, Any] = {}
    for kind in ("quiet", "other"):
        lines = [line for line in scene.lines if (line.level_dbfs < loudest - _QUIET_DB) == (kind == "quiet")]
        voiced = [(line, frame) for line in lines for frame in _voice(line)]
        bare = [(line, span) for line in lines for span in _uncovered(_voice(line), cues)]
        lost = [(line, span) for line, span in bare if span.duration >= FLASH_S - 1e-6]
        made[kind] = {
            "lines": len(lines), "voice_s": round(_FRAME_S * len(voiced), 2),
            "without_cue_s": round(sum(span.duration for _, span in bare), 2),
            "lost_s": round(sum(span.duration for _, span in lost), 2),
            "lost": [{"at_s": round(span.start, 2), "s": round(span.duration, 2), "line": line.text,
                      "why": _why(span, job)} for line, span in lost]}
    return made


def _voice(line: Line) -> tuple[Span, ...]:
    """Frames with voice, of the recording alone, in film time."""
    clip = spoken(_RATE_HZ)[WrittenLine(line.speaker, line.text)]
    voice = clip.samples[clip.onset:clip.end]
    step = round(_FRAME_S * _RATE_HZ)
    power = (voice[:voice.size // step * step].reshape(-1, step) ** 2).mean(axis=1)
    return tuple(Span(line.start_s + number * _FRAME_S, line.start_s + (number + 1) * _FRAME_S)
                 for number in np.flatnonzero(power > 10 ** (_VOICED_DB / 10)))


def _uncovered(frames: Sequence[Span], cues: Sequence[Span]) -> Iterator[Span]:
    """Stretches of frames side by side in which no cue is shown."""
    bare = [frame for frame in frames if not any(
        cue.start <= (frame.start + frame.end) / 2 < cue.end for cue in cues)]
    row: list[Span] = []
    for frame in bare:
        if row and frame.start - row[-1].end > _FRAME_S / 2:
            yield Span(row[0].start, row[-1].end)
            row = []
        row.append(frame)
    if row:
        yield Span(row[0].start, row[-1].end)


def _why(span: Span, job: Job) -> str:
    """These films start at 0 and have no holes: sample time is film time."""
    def meets(others: Sequence[Span]) -> bool:
        return sum(span.overlap(other) for other in others) > span.duration / 2

    heard = Transcript.read(job.stage_folder(Transcript.stage))
    named = NamedTranscript.read(job.stage_folder(NamedTranscript.stage))
    if meets([word for segment in named.segments for word in segment.words]):
        return "retimed"
    if meets([Span(one.start, one.end) for one in heard.dropped]):
        return "dropped: " + "; ".join(f"{one.guard}, {one.reason}" for one in heard.dropped
                                       if span.overlap(Span(one.start, one.end)))
    return "no words" if meets(SpeakerActivity.read(job.stage_folder(SpeakerActivity.stage)).spans) else "unheard"


def _totals(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for level_db, over_db in _LEVELS:
        for model in _MODELS:
            of = [row for row in rows if (row["quiet_db"], row["above_music_db"], row["model"])
                  == (level_db, over_db, model)]
            if of:
                sums = {kind: {key: round(sum(row[kind][key] for row in of), 2)
                               for key in ("lines", "voice_s", "without_cue_s", "lost_s")}
                        for kind in ("quiet", "other")}
                made.append({"quiet_db": level_db, "above_music_db": over_db, "lines": "all", "model": model, **sums})
    return made


def _show(row: dict[str, Any]) -> None:
    told = "  ".join(f"{kind} {row[kind]['lost_s']:5.2f} of {row[kind]['voice_s']:6.2f} s lost "
                     f"({row[kind]['lost_s'] / max(row[kind]['voice_s'], _FRAME_S):.2%}; "
                     f"{row[kind]['without_cue_s']:.2f} s with edges)" for kind in ("quiet", "other"))
    name = f"{row['quiet_db']:g} dB, {row['above_music_db']:+g} dB over music  {row['lines']:10} {row['model']:8}"
    print(f"{name} {told}"
          + "".join(f"\n    {one['at_s']:.2f} s, {one['s']:.2f} s: {one['why']}: {one['line']}"
                    for kind in ("quiet", "other") for one in row[kind].get("lost", ())), flush=True)


if __name__ == "__main__":
    main()
