"""Whose bytes they are: files of a layer by the package that brought them, largest first."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from cp_whisperx.images.layout import Entry, Layer

_PYTHON = ("usr/lib/python3", "usr/bin/python3")


def packages(layers: Iterable[Layer]) -> Counter[str]:
    """Bytes by package: Python packages by their RECORD, Python itself, and Debian's libraries file by file."""
    found: Counter[str] = Counter()
    for layer in layers:
        known = owners(layer.entries)
        for entry in layer.entries:
            if entry.kind == "file":
                found[owner(entry.path, known)] += entry.size
    return found


def files(layers: Iterable[Layer]) -> Counter[str]:
    return Counter({entry.path: entry.size for layer in layers for entry in layer.entries if entry.size})


def unowned(layer: Layer) -> tuple[str, ...]:
    """Files of /site that no package's list of files names."""
    known = owners(layer.entries)
    return tuple(entry.path for entry in layer.entries if entry.kind == "file" and entry.path.startswith("site/")
                 and owner(entry.path, known) == entry.path)


def owners(entries: Iterable[Entry]) -> dict[str, str]:
    """Files and folders that the RECORD lists name. A folder that two share belongs to neither."""
    found: dict[str, str] = {}
    for entry in entries:
        if not entry.text:
            continue
        record = PurePosixPath(entry.path)
        package = record.parent.name.removesuffix(".dist-info").replace("-", " ", 1)
        for row in csv.reader(entry.text.splitlines()):
            path = record.parent.parent / row[0]
            for place in (path, *path.parents):
                if place != record.parent.parent and place not in record.parent.parent.parents:
                    found[str(place)] = package if found.get(str(place), package) == package else ""
    return found


def owner(path: str, owners: dict[str, str]) -> str:
    """The package of a file; its own path if no list names it."""
    place = PurePosixPath(path)
    if place.parts[0] == "app":
        return "cp-whisperx-app"
    if path.startswith(_PYTHON):
        return "python3.11 (Debian)"
    if place.parent.name == "__pycache__":
        # Compiled files are not in the list; their sources are.
        place = place.parent.parent / (place.name.split(".")[0] + ".py")
    for one in (place, *place.parents):
        if owner := owners.get(str(one)):
            return owner
    return path
