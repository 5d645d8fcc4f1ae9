"""`python bench/cue_times.py`: when cues come in and go out against the truth of made scenes: a table and dated JSON.

The whole pipeline as a person runs it (`cp-whisperx run`, profile netflix-en), frames of 24 per second.
  in     cues that begin with the first word of a line, against the onset of the voice
  out    cues that end with the last word of a line, against the end of the voice: all, and those that had no need to
         stay, since they could be read and were long enough when the voice ended, and closed no gap to the next cue.
         A cue that lingers to be read is right, one that is gone before the voice is not: the two are counted apart
  lost   seconds of the quiet lines, 12 dB below the others and with music 6 dB below them, in which no cue is shown
Besides, with the default settings, the files without speech: a cue there is one too many, unless it is sung.

The word times were tuned on phrases of the same dialogue (bench/word_times.py), the cutting on the demo. Held out are
the lines of `dialogue_b`, which nothing was tuned on, spoken by the same voices, and those with other voices: pitch
and speed of each speaker are changed for them.
"""

from __future__ import annotations

import argparse
import tempfile
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from jobs import run, save, sizes

from cp_whisperx.artifacts import NamedTranscript, Subtitles, Transcript
from cp_whisperx.subtitles import profiles
from cp_whisperx.subtitles.evaluating.normalise import words_of
from cp_whisperx.timeline import Cue
from scenes import SceneSpec, TrackSpec, build, dialogue, voices
from scenes.truth import Line, Scene

_MODELS = ("base", "tiny.en")
_PROFILE = "netflix-en"
_FPS = 24
_OTHER = (TrackSpec(content="dialogue_b", default=True),)
_SMALL: dict[str, Any] = {"width": 320, "height": 180}
_QUIET_DB = 6.0
_NEAR_S = 0.1
_ON_TIME = 1.0
"""Frame."""


@dataclass(frozen=True)
class Made:
    """`pitch` and `speed` change every voice."""

    spec: SceneSpec
    pitch: float = 1.0
    speed: float = 1.0


_SCENES = {
    "demo": Made(SceneSpec()),
    "other lines": Made(SceneSpec(seed=2, tracks=_OTHER)),
    "other lines and voices": Made(SceneSpec(seed=3, tracks=_OTHER, music_under_db=-18.0), 0.93, 1.12),
    "other voices, short pauses, music at -12 dB": Made(
        SceneSpec(seed=4, pause_min_s=0.15, pause_max_s=0.5, music_under_db=-12.0, **_SMALL), 1.15, 0.92),
    "every other line at -12 dB, other lines": Made(SceneSpec(seed=7, quiet_every=2, tracks=_OTHER, **_SMALL)),
    "every third line at -12 dB": Made(SceneSpec(seed=6, quiet_every=3, **_SMALL)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="example: python bench/cue_times.py")
    parser.add_argument("--media", type=Path, default=Path(__file__).parents[2] / "shared" / "media")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--jobs", type=Path, help="keep scenes and jobs here, and go on from those that are there")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    silent: list[dict[str, Any]] = []
    total: dict[str, dict[str, list[float]]] = {model: {} for model in _MODELS}
    with tempfile.TemporaryDirectory() as made:
        work = given.jobs or Path(made)
        for number, (name, of) in enumerate(_SCENES.items()):
            scene = _built(of, work / str(number))
            for model in _MODELS:
                errors, row = _measured(scene, work / model, model)
                for kind, found in errors.items():
                    total[model].setdefault(kind, []).extend(found)
                rows.append({"scene": name, "model": model, **row, **_kinds(errors)})
                _show(rows[-1])
                # What was measured is kept, whatever becomes of the next scene.
                _save(given.out, rows, total, silent)
        for film in _without_speech(given.media):
            silent.append({"film": film.name, "model": _MODELS[0], **_cues_of(film, work / "silent", _MODELS[0])})
            print(silent[-1], flush=True)
            _save(given.out, rows, total, silent)
    for row in _overall(total):
        _show(row)


def _overall(total: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    return [{"scene": "all", "model": model, **_kinds(kinds)} for model, kinds in total.items() if kinds]


def _kinds(errors: dict[str, list[float]]) -> dict[str, Any]:
    return {kind: sizes(found) | (_sides(found) if kind != "in" and found else {}) for kind, found in errors.items()}


def _sides(late: Sequence[float]) -> dict[str, float]:
    """Shares of cues that go out more than a frame before the voice does, and behind it; the farthest of each."""
    early = [-one for one in late if one < -_ON_TIME]
    lingering = [one for one in late if one > _ON_TIME]
    return {"cut_short": round(len(early) / len(late), 3), "cut_short_p95": sizes(early).get("p95", 0.0),
            "cut_short_worst": round(max(early, default=0.0), 2), "lingering": round(len(lingering) / len(late), 3),
            "lingering_p95": sizes(lingering).get("p95", 0.0)}


def _save(out: Path, rows: list[dict[str, Any]], total: dict[str, dict[str, list[float]]],
          silent: list[dict[str, Any]]) -> None:
    done = {row["scene"] for row in rows if row["model"] == _MODELS[-1]}
    save(out, "cue-times", {
        "what": "cues against the truth of made scenes, in frames of 1/24 s; seconds lost; cues where nobody speaks",
        "profile": _PROFILE, "rows": rows, "all": _overall(total), "not_run": [name for name in _SCENES
                                                                               if name not in done],
        "no_speech": silent, "cues_without_speech": sum(row["cues"] - row["sung"] for row in silent)})


def _built(made: Made, folder: Path) -> Scene:
    """The speakers of the script are changed for this scene alone. One that was made before is taken as it is."""
    if (folder / "scene.truth.srt").exists():
        return Scene.load(folder / "scene.truth.json")
    script = dialogue.load_dialogue()
    changed = replace(script, speakers=tuple(
        replace(one, pitch=one.pitch * made.pitch, speed=one.speed * made.speed) for one in script.speakers))
    for kept in (voices.spoken, voices._raw_lines):
        kept.cache_clear()
    with mock.patch.object(voices, "load_dialogue", lambda: changed):
        return build(made.spec, folder)


def _measured(scene: Scene, out: Path, model: str) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Errors in frames by kind, and what else is told of the run."""
    job = run(scene.film, out, model, "--source", "en", "--profile", _PROFILE)
    cues = Subtitles.read(job.stage_folder(Subtitles.stage)).cues
    named = NamedTranscript.read(job.stage_folder(NamedTranscript.stage))
    heard = [word for segment in named.segments for word in segment.words]
    lines = [line for line in scene.lines if line.presented_fraction == 1.0]
    errors: dict[str, list[float]] = {"in": [], "out": [], "out_unhurried": []}
    firsts, lasts = _edges(lines, cues)
    for number, cue in firsts:
        errors["in"].append((cues[cue].start - lines[number].start_s) * _FPS)
    for number, cue in lasts:
        late = (cues[cue].end - lines[number].end_s) * _FPS
        errors["out"].append(late)
        following = cues[cue + 1].start if cue + 1 < len(cues) else None
        if not _had_to_stay(cues[cue], lines[number].end_s, following):
            errors["out_unhurried"].append(late)
    quiet = [line for line in lines if line.level_dbfs < max(one.level_dbfs for one in lines) - _QUIET_DB]
    return errors, {
        "cues": len(cues), "words_aligned": round(sum(word.timing == "aligned" for word in heard)
                                                  / max(1, len(heard)), 3),
        "speech_s": round(sum(line.end_s - line.start_s for line in lines), 2), "lost_s": _lost(lines, cues),
        "quiet_lines": len(quiet), "quiet_s": round(sum(line.end_s - line.start_s for line in quiet), 2),
        "quiet_lost_s": _lost(quiet, cues), "breaches": sum(len(cue.breaches) for cue in cues)}


def _edges(lines: Sequence[Line], cues: Sequence[Cue]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Line and cue, by number, that begin with the same word; and those that end with the same one.

    Words are the same if they are the first (last) of both, and the times of line and cue overlap.
    """
    firsts, lasts = [], []
    for number, line in enumerate(lines):
        said = words_of(line.text)
        for position, cue in enumerate(cues):
            if min(cue.end, line.end_s) - max(cue.start, line.start_s) < _NEAR_S:
                continue
            shown = words_of(" ".join(cue.lines))
            if shown and shown[0] == said[0] and cue.start < line.start_s + (line.end_s - line.start_s) / 2:
                firsts.append((number, position))
            if shown and shown[-1] == said[-1] and cue.end > line.start_s + (line.end_s - line.start_s) / 2:
                lasts.append((number, position))
    return firsts, lasts


def _had_to_stay(cue: Cue, voice_end_s: float, following_s: float | None) -> bool:
    """At the end of the voice it was not yet read, or too short; or the next one comes in just behind it."""
    rules = profiles.named(_PROFILE)
    needed = max(rules.min_duration_s, sum(map(len, cue.lines)) / rules.cps_target)
    chained = following_s is not None and following_s - voice_end_s < rules.chain_below_s + 1 / _FPS
    return voice_end_s < cue.start + needed + 1 / _FPS or chained


def _lost(lines: Sequence[Line], cues: Sequence[Cue]) -> float:
    """Seconds of the lines in which no cue is shown."""
    ends = [cue.end for cue in cues]
    return round(sum(line.end_s - line.start_s - sum(
        max(0.0, min(cue.end, line.end_s) - max(cue.start, line.start_s))
        for cue in cues[bisect_right(ends, line.start_s):]) for line in lines), 2)


def _without_speech(media: Path) -> list[Path]:
    return [*sorted((media / "nonspeech").iterdir()), media / "containers" / "bbb_opening_30s.webm"]


def _cues_of(film: Path, out: Path, model: str) -> dict[str, Any]:
    job = run(film, out, model)
    made = Subtitles.read(job.stage_folder(Subtitles.stage)).cues
    dropped = Transcript.read(job.stage_folder(Transcript.stage)).dropped
    return {"cues": len(made), "sung": sum(cue.sung for cue in made), "dropped": len(dropped),
            "texts": [" / ".join(cue.lines) for cue in made]}


def _show(row: dict[str, Any]) -> None:
    print(f"{row['scene'][:40]:40} {row['model']:8}" + "  ".join(
        f"{kind} {of['count']:3} {of.get('median', 0):5.2f}/{of.get('p95', 0):5.2f}"
        + (f" cut short {of['cut_short']:.1%} by at most {of['cut_short_worst']:.1f}" if "cut_short" in of else "")
        for kind in ("in", "out", "out_unhurried") if (of := row[kind]))
        + (f"  lost {row['lost_s']:5.2f} s, quiet {row['quiet_lost_s']:.2f} of {row['quiet_s']:.2f} s"
           if "lost_s" in row else ""), flush=True)


if __name__ == "__main__":
    main()
