"""OCI layouts in miniature, as `docker save` writes them: images of a few files, without an engine."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cp_whisperx.images.layout import Layout

UNCHECKED = b"\xa7\x0d\x0d\x0a" + struct.pack("<I", 0b01) + bytes(8)
"""How a compiled file of Python 3.11 begins that is never compared with its source."""


@dataclass(frozen=True)
class File:
    content: bytes = b""
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    target: str = ""


FOLDER = File(mode=0o755, kind=tarfile.DIRTYPE)

Files = dict[str, File]


@dataclass
class Made:
    """One image to be: its layers from the bottom, and its config."""

    layers: list[Files]
    config: dict[str, Any] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    media_type: str = "application/vnd.oci.image.layer.v1.tar+gzip"
    attested: bool = False


def write(path: Path, images: Mapping[str, Made]) -> Layout:
    """`images` by their full names."""
    blobs: dict[str, bytes] = {}

    def blob(data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        blobs[digest] = data
        return {"digest": digest, "size": len(data)}

    def text(value: Any) -> dict[str, Any]:
        return blob(json.dumps(value).encode())

    rows = []
    for name, made in images.items():
        tars = [_tar(layer) for layer in made.layers]
        config = {"config": made.config, "history": [{"created_by": step} for step in made.history],
                  "rootfs": {"diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in tars]}}
        manifest = text({"config": text(config), "layers": [
            {"mediaType": made.media_type, **blob(gzip.compress(data, mtime=0))} for data in tars]})
        if made.attested:
            manifest = text({"manifests": [
                {**text({"config": text({}), "layers": []}), "platform": {"architecture": "unknown"}},
                {**manifest, "platform": {"architecture": "amd64"}}]})
        rows.append({**manifest, "annotations": {"io.containerd.image.name": name}})
    members = {"index.json": json.dumps({"manifests": rows}).encode(),
               **{"blobs/" + digest.replace(":", "/"): data for digest, data in blobs.items()}}
    path.write_bytes(_tar({name: File(data) for name, data in members.items()}))
    return Layout(path)


def elf(symbols: int) -> bytes:
    """A library with a symbol table of that many bytes, or with none."""
    kinds = [(0, 0), (11, 4096), *([(2, symbols)] if symbols else [])]
    header = b"\x7fELF\x02\x01\x01" + bytes(33) + struct.pack("<Q", 80) + bytes(10) + struct.pack("<HH", 64, len(kinds))
    sections = b"".join(struct.pack("<IIQQQQ", 0, kind, 0, 0, 0, size) + bytes(24) for kind, size in kinds)
    return header.ljust(64, b"\0") + bytes(16) + sections


def _tar(files: Files) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, file in files.items():
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.linkname = file.kind, file.mode, file.target
            member.size = len(file.content)
            tar.addfile(member, io.BytesIO(file.content))
    return out.getvalue()
