"""docker/debs.lock: the Debian packages of the images, each by version and sha256, and a folder that keeps them.

Debian's archive holds the newest of each package alone. What is kept gives the same root file system when the archive
has moved on; what is not kept is taken from the archive, and a build says where that is another version.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx import publish
from cp_whisperx.errors import ArtifactInvalid
from cp_whisperx.images.build import BuildPlan
from cp_whisperx.images.engine import Engine

LOCK = "docker/debs.lock"
PACKAGES = "docker/packages.txt"
_LINE = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]+) (?P<version>\S+) (?P<sha256>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True, order=True)
class Deb:
    name: str
    version: str
    sha256: str


def default_folder() -> Path:
    """Where packages are kept: beside the model store in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "cp-whisperx" / "debs"


def parse(text: str, where: str = LOCK) -> tuple[Deb, ...]:
    """Raises ArtifactInvalid for a line that is none of `name version sha256`."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not (row := _LINE.fullmatch(line)):
            raise ArtifactInvalid(f"{where}:{number} is no locked package: {line[:60]}",
                                  hint="write it anew: cp-whisperx images lock")
        found.append(Deb(**row.groupdict()))
    return tuple(found)


def read(clone: Path) -> tuple[Deb, ...]:
    return parse((clone / LOCK).read_text(encoding="utf-8"))


def wanted(clone: Path) -> tuple[str, ...]:
    """The names that packages.txt lists."""
    lines = (clone / PACKAGES).read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line.strip() and not line.startswith("#"))


def now(plan: BuildPlan, engine: Engine, folder: Path) -> tuple[Deb, ...]:
    """Fetches the packages as the archive has them now into `folder`, each as <sha256>.deb; returns their lock.

    Raises RunnerError if the archive is not reached.
    """
    engine.run("buildx", "build", "--file", "docker/Dockerfile", "--target", "debs-now", "--no-cache-filter", "archive",
               "--output", f"type=local,dest={folder}",
               *(("--build-context", f"base=docker-image://{plan.base}") if plan.base else ()),
               *(("--secret", f"id=ca,src={plan.ca}") if plan.ca else ()), ".",
               environment=plan.environment(), cwd=plan.clone)
    return parse((folder / "debs.lock").read_text(encoding="utf-8"))


def lock(plan: BuildPlan, engine: Engine, keep: Path) -> tuple[Deb, ...]:
    """Writes the lock of what the archive has now, and keeps the packages in the folder `keep`."""
    with tempfile.TemporaryDirectory(prefix="cp-whisperx-debs-") as work:
        found = now(plan, engine, Path(work))
        keep.mkdir(parents=True, exist_ok=True)
        for deb in found:
            publish.publish_file(keep / f"{deb.sha256}.deb", (Path(work) / f"{deb.sha256}.deb").read_bytes())
    text = "".join(f"{deb.name} {deb.version} {deb.sha256}\n" for deb in found)
    publish.publish_file(plan.clone / LOCK, text.encode())
    return found
