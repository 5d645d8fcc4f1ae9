"""Everything that appears on disk appears through here: written beside, flushed, renamed.

A file or folder under its final name is complete. The four primitives at the top are the only places that
touch the disk, so that a test can make each of them fail and place a crash where it wants.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

SAMPLED_ABOVE = 1 << 30
"""Bytes. Larger files (films) are identified by samples of their content, since reading one whole takes minutes."""
_SAMPLE = 1 << 20
_SAMPLES = 16


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def flush(path: Path) -> None:
    """Forces a file's bytes, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        # Some file systems (network, FUSE) refuse to flush a folder; a file must flush.
        if path.is_file():
            raise
    finally:
        os.close(handle)


def rename(source: Path, target: Path) -> None:
    source.replace(target)


def remove(folder: Path) -> None:
    shutil.rmtree(folder)


def publish_file(path: Path, data: bytes) -> None:
    """Replaces `path` by `data`: after a crash at any point it holds the old bytes or the new ones."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        write(beside, data)
        flush(beside)
        rename(beside, path)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    flush(path.parent)


def publish_folder(partial: Path, final: Path) -> None:
    """Gives the complete folder `partial` its final name, in the place of what stood there before.

    POSIX cannot exchange two full folders in one step, so the old one steps aside first. A crash between
    the two renames leaves no `final` and a complete `partial`: the caller recognises it and calls again.
    """
    for path in sorted(partial.rglob("*")):
        flush(path)
    flush(partial)
    aside = final.with_name(f".{final.name}.old")
    if aside.exists():
        remove(aside)
    if final.exists():
        rename(final, aside)
    rename(partial, final)
    flush(final.parent)
    if aside.exists():
        remove(aside)


def digest(path: Path) -> str:
    """`sha256:…` of the file; for files over 1 GiB `sampled:…`, a sha256 over the size and 16 samples of 1 MiB."""
    size = path.stat().st_size
    return fingerprint(path) if size > SAMPLED_ABOVE else f"sha256:{sha256(path)}"


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path: Path) -> str:
    """Identity of a film, in milliseconds whatever its size: sha256 over the size and 16 samples of 1 MiB."""
    size = path.stat().st_size
    state = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for offset in _sample_offsets(size):
            file.seek(offset)
            state.update(file.read(_SAMPLE))
    return f"sampled:{state.hexdigest()}"


def _sample_offsets(size: int) -> Iterator[int]:
    last = max(0, size - _SAMPLE)
    yield from sorted({last * step // (_SAMPLES - 1) for step in range(_SAMPLES)})


def append(path: Path, line: bytes) -> None:
    """Adds one line that is on the disk when this returns. A crash leaves at most a torn last line."""
    with path.open("ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def whole_lines(path: Path) -> list[bytes]:
    """The lines that `append` finished; a torn last line is cut off the file."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[:data.rfind(b"\n") + 1]
    if len(whole) != len(data):
        os.truncate(path, len(whole))
    return whole.splitlines()
