"""Backward timestamp jumps, patched into a finished Matroska file because no muxer writes them."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

_SEGMENT, _CLUSTER, _BLOCK_GROUP = 0x18538067, 0x1F43B675, 0xA0
_SIMPLE_BLOCK, _BLOCK = 0xA3, 0xA1
_MASTERS = (_SEGMENT, _CLUSTER, _BLOCK_GROUP)


def move_blocks(film: Path, track_number: int, from_packet: int, by_ms: int) -> None:
    """Adds `by_ms` to the timestamp of every block of a track, from its packet `from_packet` (from 0) on.

    `track_number` is Matroska's own, from 1. Block timestamps are 16-bit milliseconds within a cluster
    of at most 5 s, so by_ms is good for -25000..25000.
    """
    with film.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        seen = 0
        for offset in _blocks(data, 0, len(data)):
            number, at = _vint(data, offset)
            if number != track_number:
                continue
            if seen >= from_packet:
                (relative_ms,) = struct.unpack_from(">h", data, at)
                struct.pack_into(">h", data, at, relative_ms + by_ms)
            seen += 1
        if seen <= from_packet:
            raise ValueError(f"track {track_number} has {seen} blocks, none from {from_packet} on")


def _blocks(data: mmap.mmap, start: int, end: int) -> Iterator[int]:
    """Offset of the content of each block between `start` and `end`, in file order."""
    offset = start
    while offset < end:
        identity, offset = _vint(data, offset, keep_marker=True)
        size, offset = _vint(data, offset)
        if identity in _MASTERS:
            yield from _blocks(data, offset, offset + size)
        elif identity in (_SIMPLE_BLOCK, _BLOCK):
            yield offset
        offset += size


def _vint(data: mmap.mmap, offset: int, *, keep_marker: bool = False) -> tuple[int, int]:
    """An EBML variable-length integer at `offset`, and the offset behind it."""
    first = data[offset]
    length = 9 - first.bit_length()
    value = int.from_bytes(data[offset : offset + length], "big")
    return (value if keep_marker else value & ~(1 << (7 * length))), offset + length
