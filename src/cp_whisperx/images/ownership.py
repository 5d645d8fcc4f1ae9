"""Every byte of a set by who brought it: package, the line of the lock that names it, layer and stages."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from cp_whisperx.images import attribution, debs
from cp_whisperx.images.evidence import Evidence
from cp_whisperx.images.layout import BILL, DEBS, Layer
from cp_whisperx.images.recipe import LAYERS

_MADE = {DEBS: "docker/make-root", BILL: "docker/make-sbom", "etc/passwd": "docker/make-root",
         "etc/group": "docker/make-root", "etc/ssl/certs/ca-certificates.crt": "ca-certificates"}
"""Files that a script of ours writes: by that script, or by the package they are made of."""
_AR = b"!<arch>\n"


@dataclass(frozen=True, slots=True)
class Share:
    """What one package has of a set: bytes and files of each layer once. `lock` is `file:line`, empty if unknown."""

    package: str
    lock: str
    layer: str
    stages: tuple[str, ...]
    size: int
    files: int

    def __str__(self) -> str:
        return (f"{self.size} bytes  {self.package}  {self.lock or 'in no lock'}  layer {self.layer}  "
                f"in {' '.join(self.stages)}")


def shares(evidence: Evidence, kept: Path | None) -> tuple[Share, ...]:
    """Largest first. `kept` is the folder of Debian packages, whose lists of files say whose a library is."""
    lines = _lock_lines(evidence.clone)
    debian = _debian_owners(evidence.clone, kept)
    stages: dict[str, list[str]] = {}
    for image in evidence.images:
        for _, layer in evidence.layers(image):
            stages.setdefault(layer.diff_id, []).append(image.stage)
    found: dict[tuple[str, str], list[int]] = {}
    members: dict[str, tuple[str, ...]] = {}
    for name, layer in evidence.by_layer.values():
        part = "sbom" if name.startswith("sbom-") else name
        members[part] = tuple(dict.fromkeys((*members.get(part, ()), *stages[layer.diff_id])))
        for package, size in _packages(layer, debian):
            total = found.setdefault((package, part), [0, 0])
            total[0] += size
            total[1] += 1
    rows = [Share(package, lines.get(_plain(package), ""), part, members[part], size, files)
            for (package, part), (size, files) in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.size, row.package, row.layer)))


def _packages(layer: Layer, debian: dict[str, str]) -> Iterator[tuple[str, int]]:
    owners = attribution.owners(layer.entries)
    for entry in layer.entries:
        if entry.kind != "file":
            continue
        owner = _MADE.get(entry.path) or debian.get(_source(entry.path)) or attribution.owner(entry.path, owners)
        if owner == entry.path and entry.path.startswith("licenses/"):
            owner = PurePosixPath(entry.path).name
        yield owner, entry.size


def _lock_lines(clone: Path) -> dict[str, str]:
    """`file:line` of each package that a lock names, by its plain name; of our own code and scripts, their place."""
    found = {"docker/make-root": "docker/make-root", "docker/make-sbom": "docker/make-sbom",
             "cp-whisperx-app": "src/cp_whisperx"}
    places = {"docker/debs.lock": " ", **{f"requirements/{layer}.txt": "==" for layer in LAYERS}}
    for place, mark in places.items():
        for number, line in enumerate((clone / place).read_text(encoding="utf-8").splitlines(), 1):
            if mark in line and re.match(r"\w", line):
                found[_plain(line.partition(mark)[0])] = f"{place}:{number}"
    return found


def _plain(package: str) -> str:
    """The name that a lock has: without a version, as PyPI compares names."""
    return re.sub(r"[-_.]+", "-", package.partition(" ")[0]).lower()


def _debian_owners(clone: Path, kept: Path | None) -> dict[str, str]:
    """Files by the locked Debian package that brings them, for those packages that are kept."""
    found: dict[str, str] = {}
    for row in debs.read(clone):
        path = kept / f"{row.sha256}.deb" if kept else None
        if path and path.is_file():
            found |= dict.fromkeys(deb_files(path.read_bytes()), f"{row.name} {row.version}")
    return found


def deb_files(deb: bytes) -> tuple[str, ...]:
    """Files and links of a binary package (deb(5)): an ar archive with a compressed data.tar. None for another file."""
    position = len(_AR) if deb.startswith(_AR) else len(deb)
    while position + 60 <= len(deb):
        name, size = deb[position:position + 16].decode().strip(), int(deb[position + 48:position + 58])
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=BytesIO(deb[position + 60:position + 60 + size])) as data:
                return tuple(member.name.removeprefix("./") for member in data if not member.isdir())
        position += 60 + size + size % 2
    return ()


def _source(path: str) -> str:
    """Of a compiled file its source: packages list that alone."""
    place = PurePosixPath(path)
    return str(place.parent.parent / f"{place.name.split('.')[0]}.py") if place.parent.name == "__pycache__" else path
