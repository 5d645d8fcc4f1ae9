"""Is this machine ready? Every check says what it saw, and what to do if that is not enough."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cp_whisperx.engines import secret
from cp_whisperx.errors import ConfigError, CpWhisperxError, EngineError, ModelMissing
from cp_whisperx.models.store import ModelStore, is_path
from cp_whisperx.settings import Settings
from cp_whisperx.stages import STAGES

_PYTHON = (3, 11)
_LIBRARIES = ("av", "numpy", "onnxruntime", "ctranslate2", "faster-whisper", "httpx2", "guessit", "pydantic")
_FREE_GB = 2.0
_KEYS = (("HF_TOKEN", "gated models on the hub"), *((name, "film metadata") for name in secret.TMDB))


@dataclass(frozen=True, slots=True)
class Check:
    """`exit_code` is 0 unless the check failed; a warning is no failure."""

    name: str
    level: Literal["ok", "warning", "failed"]
    saw: str
    hint: str = ""
    exit_code: int = 0


def checks(settings: Settings) -> Iterator[Check]:
    yield _python()
    yield from map(_library, _LIBRARIES)
    yield _device(settings)
    yield from _models(settings)
    yield _writable("jobs", settings.jobs.absolute())
    yield _disk(settings.jobs.absolute())
    yield from (Check("key", "ok", f"{name} is {'set' if secret.configured((name,)) else 'not set'}: only for {use}")
                for name, use in _KEYS)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _PYTHON:
        return Check("python", "failed", version, "use Python 3.11 or newer", ConfigError.exit_code)
    return Check("python", "ok", version)


def _library(name: str) -> Check:
    try:
        return Check("library", "ok", f"{name} {importlib.metadata.version(name)}")
    except importlib.metadata.PackageNotFoundError:
        return Check("library", "failed", f"{name} is not installed", "install with: make demo",
                     EngineError.exit_code)


def _device(settings: Settings) -> Check:
    try:
        from cp_whisperx.engines import device

        chosen = device.choose(settings.device)
    except Exception as error:
        # Whatever a native library throws while it looks for a GPU is what this check is there to show.
        return Check("device", "failed", str(error), "set device = \"cpu\"", EngineError.exit_code)
    level: Literal["ok", "warning"] = "warning" if settings.device == "cuda" and chosen.name == "cpu" else "ok"
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Check("device", level, f"{chosen.name} in {chosen.compute_type}: {chosen.reason}; {threads} CPU threads")


def _models(settings: Settings) -> Iterator[Check]:
    store = ModelStore(settings.model_store.root)
    for stage in STAGES:
        options = stage.options.model_validate(settings.stage_options[stage.name])
        for name in stage.models(options):
            try:
                yield Check("model", "ok", f"{name} in {store.path(name)}")
            except CpWhisperxError as error:
                absent = isinstance(error, ModelMissing) and not is_path(name)
                yield Check("model", "failed", error.message, "run: cp-whisperx models pull" if absent else error.hint,
                            error.exit_code)


def _writable(name: str, folder: Path) -> Check:
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            return Check(name, "ok", f"{folder} can be written")
    except OSError as error:
        return Check(name, "failed", f"{folder} cannot be written ({error.strerror})",
                     "choose another folder with --out", ConfigError.exit_code)


def _disk(folder: Path) -> Check:
    try:
        free = shutil.disk_usage(_existing(folder)).free / 1e9
    except OSError as error:
        return Check("disk", "warning", f"the free space where {folder} is cannot be seen ({error.strerror})")
    if free < _FREE_GB:
        return Check("disk", "warning", f"{free:.1f} GB free where {folder} is",
                     "a job needs the size of its film, and 0.12 GB for each hour of sound")
    return Check("disk", "ok", f"{free:.0f} GB free where {folder} is")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there. Raises OSError if one may not be looked into."""
    while not folder.exists():
        folder = folder.parent
    return folder
