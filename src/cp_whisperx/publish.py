"""Everything that appears on disk appears through here: written beside, flushed, renamed.

A file or folder under its final name is complete. The four primitives at the top are the only places that
touch the disk, so that a test can make each of them fail and place a crash where it wants.
"""

from __future__ import annotations

import contextlib
import errno
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
    _flush_tree(partial)
    aside = final.with_name(f".{final.name}.old")
    if aside.exists():
        remove(aside)
    if final.exists():
        rename(final, aside)
    try:
        rename(partial, final)
    except OSError:
        if aside.exists():
            rename(aside, final)
        raise
    flush(final.parent)
    # The new one stands: what is left of the old one goes now or at the next publication.
    with contextlib.suppress(OSError):
        if aside.exists():
            remove(aside)


def publish_new_folder(partial: Path, final: Path) -> bool:
    """Gives the complete folder `partial` its final name, unless a folder of that name is there: then False.

    Nothing that stands is ever moved, so among many publishers without a lock the first one wins, and readers
    see its folder from then on.
    """
    _flush_tree(partial)
    try:
        rename(partial, final)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    flush(final.parent)
    return True


def replace_files(partial: Path, final: Path) -> None:
    """Moves the files of `partial` over those of the same name in the damaged folder `final`, one by one.

    For files whose right bytes are known: one that was right before is right at every moment.
    """
    _flush_tree(partial)
    for path in sorted(partial.iterdir()):
        rename(path, final / path.name)
    flush(final)


def _flush_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        flush(path)
    flush(folder)


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
    """Adds one line (no newline within) that is on the disk when this returns.

    A crash leaves at most a torn last line; an error, such as a full disk, leaves the lines as they were.
    """
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            rest = memoryview(line + b"\n")
            while rest:
                rest = rest[file.write(rest):]
            os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(before)
            raise


def whole_lines(path: Path) -> list[bytes]:
    """The lines that `append` finished; a torn last line is cut off the file."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[:data.rfind(b"\n") + 1]
    if len(whole) != len(data):
        os.truncate(path, len(whole))
    # Not splitlines: it would also split at a carriage return within a line.
    return whole.split(b"\n")[:-1]
