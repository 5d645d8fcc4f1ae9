"""The samples that demux wrote, read where they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WAV_HEADER = 44


class Samples:
    """A 16-bit mono WAV of ours, read slice by slice: a slice costs what it holds, whatever the film's length.

    It is not mapped into memory: every page that was ever read would count as this process's own.
    """

    def __init__(self, wav: Path) -> None:
        self._wav = wav
        self._size = max(0, wav.stat().st_size - _WAV_HEADER) // 2

    def __len__(self) -> int:
        return self._size

    def slice(self, start: int, end: int) -> NDArray[np.float32]:
        """float32 in [-1, 1], shape (n,), of the samples start..end, cut at the ends of the film."""
        import numpy as np

        first = min(max(0, start), self._size)
        count = max(0, min(end, self._size) - first)
        read = np.fromfile(self._wav, "<i2", count, offset=_WAV_HEADER + 2 * first)
        return read.astype(np.float32) / np.float32(32768.0)
