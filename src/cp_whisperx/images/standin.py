"""The base for places where no public registry is reached: a Debian root made from its packages.

It takes the place of the pinned base as the named context `base`. Nothing of either is in the final images, which
are put together from scratch; both are only the place in which their parts are made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.errors import ConfigError, RunnerError
from cp_whisperx.images.engine import Engine

_log = logs.get("images")

SUITE = "bookworm"
EPOCH = 1735689600
"""No file of the base is younger, in seconds: the same packages give the same bytes on any day."""
_FREE_GB = 1.0
_COMMAND = ("--variant=minbase", "--include=ca-certificates", "--format=tar")


def make(engine: Engine, push_to: str, *, force: bool = False) -> str:
    """Makes the base, pushes it as `push_to` and returns that reference with its digest.

    What is in the registry already is used as it is, unless `force`. Needs root, mmdebstrap and about a minute.
    Raises ConfigError for what is missing on this machine, RunnerError if a registry or a tool fails.
    """
    there = _in_registry(engine, push_to)
    if there and not force:
        _log.info(f"the base {push_to} is in its registry already")
        return f"{push_to}@{there}"
    _require_tools()
    engine.require_room()
    with tempfile.TemporaryDirectory(prefix="cp-whisperx-base-") as folder:
        _require_space(Path(folder))
        tree = Path(folder) / "base.tar"
        _log.info(f"making the base from Debian {SUITE}")
        _debootstrap(tree)
        engine.ask("import", "--message", f"Debian {SUITE}, made from its packages", str(tree), push_to)
    try:
        engine.ask("push", "--quiet", push_to)
    except RunnerError as error:
        raise RunnerError(f"the base could not be pushed to {push_to}", log=error.message,
                          hint="see that the registry runs and takes it: docker push " + push_to) from None
    return f"{push_to}@{engine.resolve(push_to)}"


def _in_registry(engine: Engine, reference: str) -> str:
    """Its digest, or nothing if the registry has none of that name. Raises RunnerError if it does not answer."""
    try:
        return engine.resolve(reference)
    except RunnerError as error:
        # Those are the two answers of a registry that works.
        if "not found" in error.log or "unknown" in error.log:
            return ""
        raise RunnerError(f"the registry of {reference} does not answer", log=error.log,
                          hint="start it, or name another with --push-to") from None


def _require_tools() -> None:
    if not shutil.which("mmdebstrap"):
        raise ConfigError("a base is made with mmdebstrap, which is not on this machine",
                          hint="install the Debian package mmdebstrap")
    if os.geteuid() != 0:
        raise ConfigError("a base is made as root: its files belong to root", hint="run the same command with sudo")


def _require_space(folder: Path) -> None:
    if (free := shutil.disk_usage(folder).free / 1e9) < _FREE_GB:
        raise ConfigError(f"there are {free:.1f} GB left in {folder.parent}, and a base needs {_FREE_GB:.0f}",
                          hint="make room there, or set TMPDIR to a folder that has some")


def _debootstrap(tree: Path) -> None:
    done = subprocess.run(["mmdebstrap", *_COMMAND, SUITE, str(tree)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)})
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("E:")]
        reason = (errors or said or ["no reason given"])[0].removeprefix("E:").strip()
        raise RunnerError(f"mmdebstrap failed: {reason}", log="\n".join(said[-20:]),
                          hint="see that this machine reaches its Debian mirror")
