"""From `docker run` to a stage that is ready: wall time, memory, and the modules that take the time."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator

from cp_whisperx import log as logs
from cp_whisperx.errors import RunnerError
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.measure.session import Measurement, Session
from cp_whisperx.images.measure.sets import ImageSet
from cp_whisperx.images.recipe import Image
from cp_whisperx.images.results import OURS, WHISPERX, Figure, figure

_log = logs.get("measure")

MODEL = "base"
CONTRACT = ("--rm", "--pull", "never", "--read-only", "--tmpfs", "/tmp:mode=1777", "--network", "none",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
_LOAD = """
import logging
from pathlib import Path
from cp_whisperx.engines.faster_whisper import WhisperTranscriber
from cp_whisperx.models.store import ModelStore
WhisperTranscriber(ModelStore().path({model!r}), device="cpu", threads=0, beam_size=1, log=logging.getLogger())
"""
_LOAD_WHISPERX = "import whisperx; from whisperx import asr, alignment, diarize"
_PEAK = "\nimport resource\nprint('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
_IMPORT = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \|( *)(\S+)$", re.MULTILINE)
_SLOWEST = 8


def start(session: Session, row: Measurement) -> Iterator[Figure]:
    """Of each stage the median, and of those the slowest: a process that finds its stage and prints its help."""
    seconds: dict[str, dict[str, list[float]]] = {}
    for run in range(max((session.runs(row, one) for one in session.of(row)), default=0)):
        for one in session.of(row):
            if run < session.runs(row, one):
                for image in one.images:
                    seconds.setdefault(one.name, {}).setdefault(image.stage, []).append(
                        started(session.engine, one.python, image.reference(one.registry), image.stage))
        _log.info(f"{row.name}, run {run + 1}: " + ", ".join(
            f"{name} {max(runs[-1] for runs in stages.values()):.2f} s at most" for name, stages in seconds.items()))
    median = {name: {stage: figure("", "", "", "s", {OURS: runs}, command="").ours or 0.0
                     for stage, runs in stages.items()} for name, stages in seconds.items()}
    slowest = {name: max(stages, key=lambda stage: stages[stage]) for name, stages in median.items()}
    yield session.figure(row, {name: seconds[name][stage] for name, stage in slowest.items()},
                         detail=[f"{name}: {value:.3f} s  {stage}" for name, stages in median.items()
                                 for stage, value in sorted(stages.items(), key=lambda pair: -pair[1])],
                         note="the slowest stage of each set: " + ", ".join(f"{name} {stage}"
                                                                            for name, stage in slowest.items()))


def with_model(session: Session, row: Measurement) -> Iterator[Figure]:
    """asr with its model loaded; beside it whisperx, imported and without a model. Memory of the same process."""
    if not session.models.has(MODEL):
        _log.warning(f"asr is not started with its model: {MODEL} is not in {session.models.root}")
        return
    if not any(image.stage == "asr" for image in session.plan.images):
        return
    seconds: dict[str, list[float]] = {}
    peaks: dict[str, list[float]] = {}
    for run in range(max((session.runs(row, one) for one in session.of(row)), default=0)):
        for one in session.of(row):
            if run < session.runs(row, one):
                code = _LOAD_WHISPERX if one.name == WHISPERX else _LOAD.format(model=MODEL)
                begun = time.monotonic()
                said = session.engine.ask("run", *CONTRACT, *_models(session), *_python(one, _asr(one)),
                                          "-c", code + _PEAK)
                seconds.setdefault(one.name, []).append(time.monotonic() - begun)
                peaks.setdefault(one.name, []).append(int(said.rpartition("peak ")[2]) / 1000)
                _log.info(f"{row.name}, {one.name}, run {run + 1}: {seconds[one.name][-1]:.2f} s")
    note = f"ours and plain with the model {MODEL} loaded, whisperx imported without a model"
    yield session.figure(row, seconds, note=note)
    yield session.figure(row, peaks, part="memory", unit="MB", target="", note=note,
                         what="peak memory of asr when it is ready")


def import_time(session: Session, row: Measurement) -> Iterator[Figure]:
    """What each stage imports before it looks at its job, by Python's own account; the slowest module is named."""
    totals: dict[str, list[float]] = {}
    detail = []
    for one in session.of(row):
        totals[one.name] = []
        slowest: dict[str, float] = {}
        for image in one.images:
            own = imports(session.engine, one.python, image.reference(one.registry), image.stage)
            totals[one.name].append(sum(own.values()))
            slowest |= {name: max(value, slowest.get(name, 0.0)) for name, value in own.items()}
        detail += [f"{one.name}: {value:.3f} s  {name}" for name, value in
                   sorted(slowest.items(), key=lambda pair: -pair[1])[:_SLOWEST]]
        _log.info(f"{row.name}, {one.name}: {max(totals[one.name]):.2f} s at most")
    yield session.figure(row, totals, detail=detail, note="the median of ten stages, one run each")


def started(engine: Engine, python: str, reference: str, stage: str) -> float:
    """Seconds from `docker run` to the end of a process that only found its stage."""
    begun = time.monotonic()
    engine.ask("run", *CONTRACT, "--entrypoint", python, reference, "-m", "cp_whisperx.stages", stage, "--help")
    return time.monotonic() - begun


def idle(engine: Engine, python: str, reference: str) -> float:
    """Seconds of a container in which the interpreter starts and ends."""
    begun = time.monotonic()
    engine.ask("run", *CONTRACT, "--entrypoint", python, reference, "-c", "pass")
    return time.monotonic() - begun


def imports(engine: Engine, python: str, reference: str, stage: str) -> dict[str, float]:
    """Seconds that each module takes itself, without those that it imports. Raises RunnerError if it does not start."""
    done = subprocess.run([engine.command, "run", *CONTRACT, "--entrypoint", python, reference, "-X", "importtime",
                           "-m", "cp_whisperx.stages", stage, "--help"], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RunnerError(f"{reference} does not start", log=done.stderr[-400:],
                          hint="run it by hand: docker run --rm " + reference)
    return own_times(done.stderr)


def own_times(text: str) -> dict[str, float]:
    """Seconds by module, as `python -X importtime` writes them (microseconds, on stderr)."""
    return {name: int(own) / 1e6 for own, _, _, name in _IMPORT.findall(text)}


def _python(one: ImageSet, image: Image) -> tuple[str, ...]:
    """Up to and with the image, whose interpreter is started with what follows."""
    return "--entrypoint", one.python, image.reference(one.registry)


def _models(session: Session) -> tuple[str, ...]:
    return "--mount", f"type=bind,source={session.models.root},target=/models,readonly"


def _asr(one: ImageSet) -> Image:
    return next(image for image in one.images if image.stage == "asr")
