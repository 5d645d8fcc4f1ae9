"""`python -m scenes.demo FOLDER`: makes the demo scene, runs the real command on it, and says how well it went."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from cp_whisperx.artifacts import Glossary, NamedTranscript, Subtitles
from cp_whisperx.media.probe import probe
from cp_whisperx.progress import clock_text
from scenes.build import build
from scenes.dialogue import load_dialogue
from scenes.score import score
from scenes.spec import SceneSpec
from scenes.truth import Scene

_NAME = "The Night Train"
_MODEL = "base"
_NFO = """<?xml version="1.0" encoding="UTF-8"?>
<movie>
  <title>{title}</title>
  <plot>Simran waits for the night train to Amritsar, and is told of a letter that came from Dahisar: her brother \
Gurpreet, whom everybody believes dead, was seen at a shop in Chandni Chowk.</plot>
{actors}
</movie>
"""
_ACTOR = "  <actor><name>Voice {voice}</name><role>{role}</role><order>{order}</order></actor>"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scenes.demo", description=__doc__,
                                     epilog="example: python -m scenes.demo demo")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the film and its job are put")
    folder: Path = parser.parse_args().folder
    scene = _scene(folder)
    _tell_of(scene)
    command = [str(Path(sys.executable).with_name("cp-whisperx")), "run", str(scene.film), "--model", _MODEL,
               "--out", str(folder / "out"), "--json"]
    print(f"$ cp-whisperx run {str(scene.film)!r} --model {_MODEL} --out {folder / 'out'}", flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return done.returncode
    _report(scene, json.loads(done.stdout))
    return 0


def _scene(folder: Path) -> Scene:
    """The scene that is there, if it is still the one that would be made now."""
    truth = folder / f"{_NAME}.truth.json"
    if truth.exists():
        scene = Scene.load(truth)
        # The truth went through JSON, in which tuples are lists.
        if scene.spec == json.loads(json.dumps(asdict(SceneSpec()))) and scene.film.exists():
            return scene
    print("making the scene: voices, music, picture", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    return build(SceneSpec(), folder, _NAME)


def _tell_of(scene: Scene) -> None:
    """What a film library keeps beside a film: title, plot and who plays whom. The brother is spoken of alone."""
    actors = "\n".join(_ACTOR.format(voice=speaker.voice, role=speaker.name, order=order)
                       for order, speaker in enumerate(load_dialogue().speakers))
    scene.film.with_suffix(".nfo").write_text(_NFO.format(title=_NAME, actors=actors), encoding="utf-8")


def _names(folder: Path) -> str:
    """What was repaired, each once, and how many names were expected."""
    expected = Glossary.read(folder / Glossary.stage).names
    changes = [f"{change.before} -> {change.after}" for change in
               NamedTranscript.read(folder / NamedTranscript.stage).changes if not change.vetoed]
    return f"{'; '.join(dict.fromkeys(changes)) or 'nothing'} ({len(expected)} names known from the .nfo)"


def _report(scene: Scene, result: dict[str, object]) -> None:
    folder = Path(str(result["folder"]))
    subtitles = Subtitles.read(folder / Subtitles.stage)
    found = score(scene.lines, subtitles.cues)
    frame_s = 1 / SceneSpec().fps
    film = Path(str(result["film"]))
    print(f"\n{len(subtitles.cues)} cues; the first of them:")
    for cue in subtitles.cues[:4]:
        print(f"  {clock_text(cue.start):>5}  {' / '.join(cue.lines)}")
    print(f"\nagainst the scene's truth: word error rate {found.word_error_rate:.1%}, "
          f"in-cues off by {found.in_cue_median_s / frame_s:.1f} frames (median), "
          f"{found.in_cue_worst_s / frame_s:.1f} at worst")
    print("names repaired: " + _names(folder))
    print("misheard: " + ("; ".join(found.wrong_words) or "nothing"))
    print("\nthe film as a player lists it:")
    for stream in probe(film).streams:
        words = (stream.codec, stream.language, stream.title, "default" if "default" in stream.flags else "")
        print(f"  {stream.index} {stream.kind:9}" + " ".join(word for word in words if word))
    paths = result["subtitles"]
    assert isinstance(paths, list)
    print("\nsubtitles  " + "\n           ".join(_shown(Path(path)) for path in paths))
    print(f"film       {_shown(film)}")
    print("your own   .venv/bin/cp-whisperx run FILM")


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
