"""The samples that demux wrote, read where they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WAV_HEADER = 44


class Samples:
    """A 16-bit mono WAV of ours, mapped into memory: a slice costs what it holds, whatever the film's length."""

    def __init__(self, wav: Path) -> None:
        import numpy as np

        size = max(0, wav.stat().st_size - _WAV_HEADER) // 2
        self._data = np.memmap(wav, dtype="<i2", mode="r", offset=_WAV_HEADER, shape=(size,)) if size else \
            np.zeros(0, dtype="<i2")

    def __len__(self) -> int:
        return int(self._data.shape[0])

    def slice(self, start: int, end: int) -> NDArray[np.float32]:
        """float32 in [-1, 1], shape (n,), of the samples start..end, cut at the ends of the film."""
        import numpy as np

        return np.asarray(self._data[max(0, start):max(0, end)]).astype(np.float32) / np.float32(32768.0)
