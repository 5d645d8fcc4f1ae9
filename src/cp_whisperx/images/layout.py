"""Images read as they are stored: an OCI layout in a tar file (OCI image specification, image-layout), no daemon.

`docker save` writes one for any number of images; blobs that images share are in it once.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from cp_whisperx.errors import RunnerError
from cp_whisperx.images.engine import Engine

_SECRET = re.compile(rb"\bhf_[A-Za-z0-9]{30,}|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{40,}|\bAKIA[0-9A-Z]{16}\b|"
                     rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}")
DEBS = "licenses/debs"
"""Where an image lists its Debian packages: name, version and sha256, a line each."""
BILL = "licenses/sbom.cdx.json"
"""Where an image has its bill of materials."""
_ELF = b"\x7fELF"
_SYMBOL_TABLE = 2
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a layer. `digest` is the sha256 of a regular file's content, else empty; `size` in bytes."""

    path: str
    kind: str
    """file, folder, link or other."""
    size: int
    mode: int
    digest: str
    head: bytes = b""
    """The first 16 bytes of a file: what it is."""
    symbols: int = 0
    """Bytes of the symbol table that a linker needs and a loader does not."""
    secret: bool = False
    """Holds what looks like an access token or a private key."""
    text: str = ""
    """Of the files that say what an image is made of: a package's RECORD, DEBS and BILL; else empty."""

    @property
    def is_whiteout(self) -> bool:
        return Path(self.path).name.startswith(".wh.")


@dataclass(frozen=True)
class Layer:
    """`digest` names the blob (compressed), `diff_id` its content; sizes in bytes."""

    digest: str
    diff_id: str
    compressed: int
    entries: tuple[Entry, ...]

    @property
    def unpacked(self) -> int:
        return sum(entry.size for entry in self.entries)


@dataclass(frozen=True)
class StoredImage:
    name: str
    manifest: str
    """Digest of the manifest: equal digests are equal images, to the bit."""
    config: Mapping[str, Any]
    layers: tuple[Layer, ...]

    @property
    def unpacked(self) -> int:
        return sum(layer.unpacked for layer in self.layers)

    @property
    def entries(self) -> Iterator[Entry]:
        return (entry for layer in self.layers for entry in layer.entries)


class Layout:
    """Reads `docker save` output. Layers are walked once each, however many images share them.

    Without `walk` layers have their sizes as stored and no entries: enough to compare images, in no time. Without
    `contents` entries have their sizes, and digest, head and symbols of none: a third of the time for gigabytes.
    """

    def __init__(self, path: Path, *, walk: bool = True, contents: bool = True) -> None:
        self._tar = tarfile.open(path)  # noqa: SIM115 - lives as long as this object
        self._walk, self._contents = walk, contents
        self._layers: dict[str, Layer] = {}

    @cached_property
    def images(self) -> tuple[StoredImage, ...]:
        index = self._json("index.json")
        return tuple(self._image(row) for row in index["manifests"])

    def _image(self, row: Mapping[str, Any]) -> StoredImage:
        name = str(row.get("annotations", {}).get("io.containerd.image.name", row["digest"]))
        digest = row["digest"]
        manifest = self._json(_blob(digest))
        if "manifests" in manifest:
            # An index of platforms: attestations have no platform of their own.
            digest = next(one["digest"] for one in manifest["manifests"]
                          if one.get("platform", {}).get("architecture") != "unknown")
            manifest = self._json(_blob(digest))
        config = self._json(_blob(manifest["config"]["digest"]))
        layers = tuple(self._layer(layer, diff_id) for layer, diff_id in
                       zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True))
        return StoredImage(_plain(name), digest, config, layers)

    def _layer(self, row: Mapping[str, Any], diff_id: str) -> Layer:
        if row["digest"] not in self._layers and not self._walk:
            self._layers[row["digest"]] = Layer(row["digest"], diff_id, row["size"], ())
        if row["digest"] not in self._layers:
            if row["mediaType"].endswith("zstd"):
                raise RunnerError(f"the layer {row['digest']} is compressed with zstd, which this Python cannot read",
                                  hint="check the images where they were built, before they are pushed")
            stored = self._tar.extractfile(_blob(row["digest"]))
            assert stored
            with stored, tarfile.open(fileobj=stored, mode="r|*") as content:
                # The root folder itself has no name.
                entries = tuple(_entry(content, member, self._contents) for member in content
                                if member.name.strip("./"))
            self._layers[row["digest"]] = Layer(row["digest"], diff_id, row["size"], entries)
        return self._layers[row["digest"]]

    def _json(self, member: str) -> dict[str, Any]:
        file = self._tar.extractfile(member)
        assert file
        with file:
            loaded: dict[str, Any] = json.load(file)
        return loaded


def save(engine: Engine, references: tuple[str, ...], out: Path, *, walk: bool = True,
         contents: bool = True) -> Layout:
    """Raises RunnerError if an image is not in the engine."""
    for reference in references:
        try:
            engine.ask("image", "inspect", "--format", "{{.Id}}", reference)
        except RunnerError:
            raise RunnerError(f"the image {reference} is not here", hint="run: cp-whisperx images build") from None
    engine.ask("save", "--output", str(out), *references)
    return Layout(out, walk=walk, contents=contents)


def unique(images: tuple[StoredImage, ...]) -> tuple[Layer, ...]:
    """Each distinct layer once, in the order met."""
    return tuple({layer.diff_id: layer for image in images for layer in image.layers}.values())


def _entry(content: tarfile.TarFile, member: tarfile.TarInfo, read: bool) -> Entry:
    path = member.name.removeprefix("./").strip("/")
    if member.isfile() and not read and not _is_text(path):
        return Entry(path, "file", member.size, member.mode, "")
    if member.isfile() and (file := content.extractfile(member)):
        return _file(path, member, file)
    kind = "folder" if member.isdir() else "link" if member.issym() or member.islnk() else "other"
    return Entry(path, kind, 0, member.mode, "")


def _is_text(path: str) -> bool:
    return path.endswith(".dist-info/RECORD") or path in (DEBS, BILL)


def _file(path: str, member: tarfile.TarInfo, file: IO[bytes]) -> Entry:
    """Reads the file once, a chunk at a time."""
    state, head, table, position, secret = hashlib.sha256(), b"", b"", 0, False
    start = end = 0
    text = []
    while chunk := file.read(_CHUNK):
        if not position:
            head = chunk[:64]
            start, end = _section_table(head)
        state.update(chunk)
        table += chunk[max(0, start - position):max(0, end - position)]
        # A library has the words of key files in its own messages.
        secret = secret or (not end and bool(_SECRET.search(chunk)))
        if _is_text(path):
            text.append(chunk)
        position += len(chunk)
    return Entry(path, "file", member.size, member.mode, state.hexdigest(), head[:16], _symbols(table), secret,
                 b"".join(text).decode(errors="replace"))


def _section_table(head: bytes) -> tuple[int, int]:
    """Where the section headers of a 64-bit ELF file start and end; (0, 0) for other files."""
    if len(head) < 64 or not head.startswith(_ELF):
        return 0, 0
    start, = struct.unpack_from("<Q", head, 40)
    size, count = struct.unpack_from("<HH", head, 58)
    return start, start + size * count


def _symbols(table: bytes) -> int:
    sections = (struct.unpack_from("<IIQQQQ", table, offset) for offset in range(0, len(table) - 63, 64))
    return sum(size for _, kind, _, _, _, size in sections if kind == _SYMBOL_TABLE)


def _plain(name: str) -> str:
    """An engine gives images of its own a registry and `library/` in front: neither was in the name they were given."""
    return name.rpartition("/library/")[2]


def _blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")
