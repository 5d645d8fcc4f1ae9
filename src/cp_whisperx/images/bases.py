"""Upstream bases, pinned by digest in docker/bases.lock: read, checked against their registry, updated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cp_whisperx import publish
from cp_whisperx.errors import ArtifactInvalid
from cp_whisperx.images.engine import Engine

LOCK = "docker/bases.lock"
_ROW = re.compile(r"^(?P<name>\S+)\s+(?P<reference>\S+:\S+)@(?P<digest>sha256:[0-9a-f]{64})\s+"
                  r"# (?P<day>\d{4}-\d\d-\d\d)$")


@dataclass(frozen=True, slots=True)
class Base:
    """`name` is the stage of the Dockerfile; `reference` has the tag that is followed; `day` when it was looked up."""

    name: str
    reference: str
    digest: str
    day: str

    @property
    def pinned(self) -> str:
        return f"{self.reference}@{self.digest}"


def read(clone: Path) -> tuple[Base, ...]:
    """Raises ArtifactInvalid for a line that pins nothing."""
    path = clone / LOCK
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not (found := _ROW.match(line)):
            raise ArtifactInvalid(f"{path}: this line pins no base by digest: {line}",
                                  hint="as in: base  debian:bookworm-slim@sha256:…  # 2026-01-31")
        rows.append(Base(**found.groupdict()))
    return tuple(rows)


def pinned_from(clone: Path) -> str:
    """The FROM line of the Dockerfile's base."""
    return f"FROM {read(clone)[0].pinned} AS base"


def write(clone: Path, rows: tuple[Base, ...]) -> None:
    text = ("# Upstream bases by digest: name, reference with the tag that is followed, the day it was looked up.\n"
            "# `cp-whisperx images lock` updates it, `… lock --check` compares it with the registry.\n")
    text += "".join(f"{row.name}  {row.pinned}  # {row.day}\n" for row in rows)
    publish.publish_file(clone / LOCK, text.encode())


def updated(rows: tuple[Base, ...], engine: Engine, today: date) -> tuple[Base, ...]:
    """The same bases with the digests that their tags have now."""
    found = []
    for row in rows:
        digest = engine.resolve(row.reference)
        found.append(row if digest == row.digest else Base(row.name, row.reference, digest, today.isoformat()))
    return tuple(found)
