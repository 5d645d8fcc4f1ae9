"""What the stages never open: each is run on a short film with an eye on every file, and the rest is counted.

The eye is an audit hook of the interpreter (PEP 578): it sees each file that Python opens, imported modules among
them, and at the end what the process has mapped, shared libraries among them. It does not see a file that native
code opens and closes by itself, such as certificates, and takes what is only asked for (stat) as not opened.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.errors import RunnerError
from cp_whisperx.images import attribution
from cp_whisperx.images.layout import StoredImage
from cp_whisperx.images.measure.session import Measurement, Session
from cp_whisperx.images.measure.sets import ImageSet
from cp_whisperx.images.measure.starts import CONTRACT
from cp_whisperx.images.recipe import Image
from cp_whisperx.images.results import Figure
from cp_whisperx.job import Job
from cp_whisperx.stages import BY_NAME, STAGES

_log = logs.get("measure")

SCENE = ("--name", "measured", "--length-s", "14", "--picture", "still", "--fps", "12", "--width", "160",
         "--height", "90")
_MODELS = ("tiny.en", "base")
_SPEAKERS = ("pyannote-segmentation-3", "campplus-speaker")
_LARGEST = 25
_SEES = ("seen: files that Python opens (audit hook), and what is mapped at the end; not seen: files that native code "
         "opens and closes by itself; sources beside their compiled files are asked for and not opened")
WATCH = r'''
import atexit, os, sys
_out = open(f"/watched/opened-{os.getpid()}", "a", buffering=1)
_seen = set()
def _note(path):
    if path not in _seen:
        _seen.add(path)
        _out.write(os.path.realpath(path) + "\n")
def _hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        _note(arguments[0])
def _end():
    with open("/proc/self/maps") as maps:
        for line in maps:
            if "/" in line:
                _note(line[line.index("/"):].rstrip())
# What was there before the hook.
for _module in list(sys.modules.values()):
    for _name in ("__file__", "__cached__"):
        if isinstance(_path := getattr(_module, _name, None), str):
            _note(_path)
sys.addaudithook(_hook)
atexit.register(_end)
'''


def never_opened(session: Session, row: Measurement) -> Iterator[Figure]:
    """Bytes of the set, each layer once, that no stage of it opened; and the memory that the stages took."""
    film = session.film or _film(session)
    found: dict[str, list[float]] = {}
    peaks: dict[str, dict[str, float]] = {}
    detail: list[str] = []
    for one in session.of(row):
        job = _job(session, one, film)
        opened = {image: _run(session, one, image, job, film) for image in _in_order(one)}
        peaks[one.name] = {image.stage: record.peak_rss_mb for image in opened if (record := job.record(image.stage))}
        stored = {image.reference(): held for image in one.images for held in session.layout(one).images
                  if held.name.endswith(image.reference())}
        size, lines = unopened({image: (stored[image.reference()], paths) for image, paths in opened.items()})
        found[one.name] = [size]
        detail += [f"{one.name}: {line}" for line in lines]
    yield session.figure(row, found, detail=detail, note=_SEES)
    yield session.figure(row, {name: [max(stages.values())] for name, stages in peaks.items()}, part="memory",
                         unit="MB", what="peak memory of the hungriest stage on that film", target="",
                         detail=[f"{name}: {peak:.0f} MB  {stage}" for name, stages in peaks.items()
                                 for stage, peak in sorted(stages.items(), key=lambda pair: -pair[1])],
                         note="with the hook, which takes about a megabyte")


def unopened(runs: Mapping[Image, tuple[StoredImage, frozenset[str]]]) -> tuple[int, tuple[str, ...]]:
    """Bytes of files, each layer once, that no image with that layer opened; then the largest by package and by file.

    Paths are without the leading slash.
    """
    opened: dict[str, set[str]] = {}
    layers = {}
    for stored, paths in runs.values():
        for layer in stored.layers:
            layers[layer.diff_id] = layer
            opened.setdefault(layer.diff_id, set()).update(paths)
    packages: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for name, layer in layers.items():
        known = attribution.owners(layer.entries)
        for entry in layer.entries:
            if entry.kind == "file" and entry.path not in opened[name]:
                packages[attribution.owner(entry.path, known)] += entry.size
                files[entry.path] += entry.size
    stages = [f"{sum(entry.size for entry in stored.entries if entry.path not in paths)} of {stored.unpacked} bytes  "
              f"stage {image.stage}" for image, (stored, paths) in runs.items()]
    return files.total(), (*stages, *(f"{size} bytes  {name}" for rows in (packages, files)
                                      for name, size in rows.most_common(_LARGEST) if size))


def _run(session: Session, one: ImageSet, image: Image, job: Job, film: Path) -> frozenset[str]:
    """The paths that the stage opened, without the leading slash."""
    watch, watched = session.work / f"watch-{one.name}", session.work / f"watched-{one.name}-{image.stage}"
    watch.mkdir(exist_ok=True)
    watched.mkdir()
    (watch / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    mounts = [f"type=bind,source={watch},target=/watch,readonly", f"type=bind,source={watched},target=/watched",
              f"type=bind,source={job.folder},target=/job",
              f"type=bind,source={session.models.root},target=/models,readonly"]
    if BY_NAME[image.stage].reads_film:
        mounts.append(f"type=bind,source={film},target={film},readonly")
    session.engine.ask("run", *CONTRACT, "--user", f"{os.getuid()}:{os.getgid()}",
                       *(part for mount in mounts for part in ("--mount", mount)),
                       "--env", f"PYTHONPATH=/watch:{one.python_path}", "--entrypoint", one.python,
                       image.reference(one.registry), "-m", "cp_whisperx.stages", image.stage, "/job", "--quiet")
    lines = {line.strip("/") for path in watched.iterdir() for line in path.read_text(encoding="utf-8").splitlines()}
    _log.info(f"never-opened, {one.name}: {image.stage} opened {len(lines)} files")
    return frozenset(lines)


def _in_order(one: ImageSet) -> tuple[Image, ...]:
    places = [stage.name for stage in STAGES]
    return tuple(sorted(one.images, key=lambda image: places.index(image.stage)))


def _film(session: Session) -> Path:
    """A short film with speech, made by the clone's own tool."""
    folder = session.work / "film"
    _tool(session, "-m", "scenes", str(folder), *SCENE)
    return next(path for path in sorted(folder.iterdir()) if path.suffix == ".mkv")


def _job(session: Session, one: ImageSet, film: Path) -> Job:
    model = next((name for name in _MODELS if session.models.has(name)), _MODELS[-1])
    said = _tool(session, "-m", "cp_whisperx", "--quiet", "prepare", str(film), "--model", model, "--speakers",
                 "labels" if all(map(session.models.has, _SPEAKERS)) else "off", "--out",
                 str(session.work / f"jobs-{one.name}"), "--json")
    return Job.open(Path(json.loads(said)["folder"]))


def _tool(session: Session, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=session.plan.clone, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RunnerError(f"{' '.join(arguments[:2])} failed, so there is nothing to run the stages on",
                          log=done.stderr[-400:], hint="give a film: --film FILM")
    return done.stdout

