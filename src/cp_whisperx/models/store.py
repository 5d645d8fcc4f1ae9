"""The model store: one folder that many processes and users share, filled by `models pull` alone.

    <store>/<name>-<digest>/<file>     complete and verified, or not there
    <store>/.pull-<name>-…/            a download at work; of use to nobody else

A folder gets its final name by one rename after every byte was hashed. So a reader needs no lock and a store
that is mounted read-only works; the lock only saves the second of two downloaders its work.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cp_whisperx import log as logs
from cp_whisperx import publish
from cp_whisperx.errors import ConfigError, CpWhisperxError, EngineError, ModelMissing, no_space
from cp_whisperx.models.catalog import MANIFEST, Model, find

if TYPE_CHECKING:
    from cp_whisperx.models.sources import Source

_log = logs.get(__name__)

ENVIRONMENT = "CP_WHISPERX_MODELS"
_ABANDONED_S = 24 * 3600
_ANOTHER_STORE = f"set {ENVIRONMENT} to a folder with room that you may write to"
_WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json")


def default_root() -> Path:
    """$CP_WHISPERX_MODELS, else the user's cache folder."""
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "cp-whisperx" / "models"


def is_path(name: str) -> bool:
    """A model is given by a path if the name has a separator in it; catalogue names have none."""
    return os.sep in name or name in (".", "..")


class ModelStore:
    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    def folder(self, model: Model) -> Path:
        return self.root / model.folder

    def has(self, name: str) -> bool:
        try:
            self.path(name)
        except ModelMissing:
            return False
        return True

    def path(self, name: str) -> Path:
        """The folder of a model, by name or by path. Never touches the network.

        Raises ModelMissing with the command to run; ConfigError for a name that is not catalogued.
        """
        if is_path(name):
            return _own_folder(Path(name).expanduser())
        model = find(name)
        folder = self.folder(model)
        pull = f"cp-whisperx models pull {name}"
        if not folder.is_dir():
            raise ModelMissing(f"the model {name} is not in the store {self.root}",
                               hint=f"run: {pull}  ({model.size / 1e6:.0f} MB)")
        for file in model.files:
            try:
                size = (folder / file.name).stat().st_size
            except FileNotFoundError:
                size = 0
            if size != file.size:
                raise ModelMissing(f"the model {name} is damaged: {file.name} has {size} of {file.size} bytes",
                                   hint=f"run: {pull}")
        return folder

    def digest(self, name: str) -> str:
        """Identity of a model: what its bytes are, not where they are."""
        if not is_path(name):
            return find(name).digest
        folder = self.path(name)
        state = hashlib.sha256()
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            state.update(f"{path.name} {publish.digest(path)}\n".encode())
        return state.hexdigest()

    def verify(self, name: str) -> list[str]:
        """Hashes every file; returns what is wrong, one sentence each. A model of one's own has no known hashes.

        Raises ModelMissing for a folder of one's own that is incomplete, ConfigError for an unknown name.
        """
        if is_path(name):
            self.path(name)
            return []
        model = find(name)
        folder = self.folder(model)
        problems = []
        for file in model.files:
            path = folder / file.name
            if not path.is_file():
                problems.append(f"{path} is missing")
            elif path.stat().st_size != file.size or publish.sha256(path) != file.sha256:
                problems.append(f"{path} does not have the catalogued size and sha256")
        return problems

    def pull(self, name: str, sources: Sequence[Source]) -> Path:
        """Fetches a model from the first source that gives the right bytes. The only network call.

        What is there already is hashed: an intact model costs no network, a damaged one is made whole.
        Raises EngineError with what each source answered, ConfigError for a store that cannot be written.
        """
        if is_path(name):
            return self.path(name)
        model = find(name)
        try:
            if not self.verify(name):
                return self.folder(model)
            self.root.mkdir(parents=True, exist_ok=True)
            with self._lock(model):
                # Another process may have done it while this one waited.
                if not self.verify(name):
                    return self.folder(model)
                self._clear_abandoned(model)
                self._require_space(model)
                return self._pull(model, sources)
        except OSError as error:
            told = no_space(error, f"the model store {self.root}")
            if told:
                told.hint = _ANOTHER_STORE
                raise told from error
            raise ConfigError(f"the model store {self.root} cannot be used ({error})", hint=_ANOTHER_STORE) from error

    def _pull(self, model: Model, sources: Sequence[Source]) -> Path:
        answers = []
        for source in sources:
            if not source.offers(model):
                continue
            work = Path(tempfile.mkdtemp(prefix=f".pull-{model.name}-", dir=self.root))
            try:
                _log.info(f"fetching {model.name} ({model.size / 1e6:.0f} MB) from {source.describe(model)}")
                source.fetch(model, work)
                _check(model, work)
                return self._publish(model, work)
            except CpWhisperxError as error:
                answers.append(f"{source.name}: {error.message}")
                _log.warning(f"{source.name} did not give {model.name}: {error.message}")
            finally:
                # What cannot be removed now is abandoned; it must not hide how the pull went.
                with contextlib.suppress(OSError):
                    if work.exists():
                        publish.remove(work)
        raise EngineError(
            f"no source gave the model {model.name}"
            + (f" ({'; '.join(answers)})" if answers else ": none offers it"),
            hint="check the connection, or fetch the files elsewhere and run: "
                 f"cp-whisperx models pull {model.name} --from FOLDER")

    def _publish(self, model: Model, work: Path) -> Path:
        final = self.folder(model)
        # mkdtemp gives 0700; a store is shared with other users.
        work.chmod(0o755)
        for path in work.iterdir():
            path.chmod(0o644)
        # The folder of a process that was faster is as good; one that is damaged gets its files replaced. Neither
        # is moved away: somebody may be reading it.
        if not publish.publish_new_folder(work, final) and self.verify(model.name):
            publish.replace_files(work, final)
        _log.info(f"{model.name} is ready")
        return final

    @contextlib.contextmanager
    def _lock(self, model: Model) -> Iterator[None]:
        with (self.root / f".{model.name}.lock").open("a") as file:
            # On some network file systems locks fail or do nothing; the rename keeps the store right all the same.
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _log.info(f"another process fetches {model.name}: waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                _log.debug(f"{self.root} knows no locks ({error.strerror})")
            yield

    def _clear_abandoned(self, model: Model) -> None:
        for folder in self.root.glob(f".pull-{model.name}-*"):
            # Where locks do nothing its owner may be at work on it, or remove it while this looks.
            with contextlib.suppress(OSError):
                touched = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
                if time.time() - touched > _ABANDONED_S:
                    publish.remove(folder)

    def _require_space(self, model: Model) -> None:
        """Raises ConfigError before gigabytes are fetched for which there is no room."""
        free = shutil.disk_usage(self.root).free
        if free < model.size:
            raise ConfigError(f"no space left for the model {model.name} in {self.root}: {model.size / 1e6:.0f} MB are "
                              f"needed, {free / 1e6:.0f} MB are free", hint=_ANOTHER_STORE)


def _own_folder(folder: Path) -> Path:
    """A folder with a manifest is some ONNX model, which its engine judges; any other is to hold a Whisper model."""
    if (folder / MANIFEST).is_file():
        return folder
    missing = [name for name in _WHISPER_FILES if not (folder / name).is_file()]
    if not folder.is_dir():
        raise ModelMissing(f"there is no model folder {folder}", hint="give a catalogue name or an existing folder")
    if missing:
        raise ModelMissing(f"{folder} is not a CTranslate2 Whisper model: {', '.join(missing)} is missing",
                           hint="convert it with ct2-transformers-converter, and copy tokenizer.json beside it; a "
                                f"model of speakers needs a {MANIFEST}")
    return folder


def _check(model: Model, work: Path) -> None:
    expected = {file.name for file in model.files}
    for path in work.iterdir():
        if path.name not in expected:
            publish.remove(path) if path.is_dir() else path.unlink()
    for file in model.files:
        path = work / file.name
        if not path.is_file():
            raise EngineError(f"{file.name} did not come")
        if path.stat().st_size != file.size or publish.sha256(path) != file.sha256:
            raise EngineError(f"{file.name} came with other bytes than catalogued; it was thrown away")
