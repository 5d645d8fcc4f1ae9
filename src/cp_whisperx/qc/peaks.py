"""The waveform as bytes small enough for a page, without numpy: the stage's image has none."""

from __future__ import annotations

import array
import sys
import wave
from pathlib import Path

from cp_whisperx.timeline import SAMPLE_RATE, TimeMap

PEAKS_PER_S = 10
_STRIDE = 5
"""Of the samples one in so many is looked at; a peak of speech is broader."""
_STEP = SAMPLE_RATE // PEAKS_PER_S


def peaks(wav: Path, time_map: TimeMap, duration_s: float) -> bytes:
    """One byte per tenth of a second of film time up to `duration_s`; 0 where there is no sound.

    Each is the square root of the loudest sample, so that quiet speech is seen: 255 is full scale, 25 is -40 dBFS.
    """
    result = bytearray(int(duration_s * PEAKS_PER_S) + 1)
    with wave.open(str(wav), "rb") as file:
        for number in range(-(-file.getnframes() // _STEP)):
            block = array.array("h", file.readframes(_STEP))
            if sys.byteorder == "big":
                block.byteswap()
            part = block[::_STRIDE]
            place = int(time_map.film_time(number / PEAKS_PER_S) * PEAKS_PER_S + 0.5)
            if 0 <= place < len(result):
                loudest = max(max(part), -min(part), 0)
                result[place] = max(result[place], min(255, int((loudest / 32768) ** 0.5 * 255 + 0.5)))
    return bytes(result)
