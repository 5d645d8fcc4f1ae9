"""Fills the cache of compiled CUDA kernels, so that no film pays for it: `python -m cp_whisperx.engines.warm MODEL`.

CTranslate2 carries machine code for cards up to Ampere; on newer ones the driver compiles at the first inference,
which takes some 20 s, and keeps the result in $CUDA_CACHE_PATH.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.engines.faster_whisper import WhisperTranscriber
from cp_whisperx.errors import CpWhisperxError
from cp_whisperx.models.store import ModelStore
from cp_whisperx.timeline import SAMPLE_RATE

_SOUND_S = 5


def warm(model: Path, log: logging.Logger) -> float | None:
    """Seconds that the first inference took; None where there is no GPU, or none that works.

    Raises EngineError if the model loads nowhere.
    """
    import numpy as np

    began = time.monotonic()
    engine = WhisperTranscriber(model, device="auto", threads=0, beam_size=5, log=log)
    if engine.device.name != "cuda":
        return None
    # Noise, since silence would end the decoding before it has used every kernel.
    sound = np.random.default_rng(0).normal(0, 0.05, _SOUND_S * SAMPLE_RATE).astype(np.float32)
    engine.transcribe(sound, language="en", task="transcribe")
    return time.monotonic() - began


def main() -> int:
    logs.configure()
    log = logs.get("warm")
    try:
        seconds = warm(ModelStore().path(sys.argv[1]), log)
    except CpWhisperxError as error:
        log.error(f"{error.message} ({error.hint})" if error.hint else error.message)
        return error.exit_code
    log.info("no GPU that works: there is nothing to warm" if seconds is None else f"warm after {seconds:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
