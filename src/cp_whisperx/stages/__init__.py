"""The table of the house: the stages that exist, in the order in which they run."""

from __future__ import annotations

from typing import Any

from cp_whisperx.errors import ConfigError
from cp_whisperx.stage import Stage
from cp_whisperx.stages import (
    asr,
    demux,
    diarization,
    mux,
    post_ner,
    pre_ner,
    pyannote_vad,
    silero_vad,
    subtitle_gen,
    tmdb,
)

STAGES: tuple[Stage[Any, Any], ...] = (
    demux.STAGE,
    tmdb.STAGE,
    pre_ner.STAGE,
    silero_vad.STAGE,
    pyannote_vad.STAGE,
    diarization.STAGE,
    asr.STAGE,
    post_ner.STAGE,
    subtitle_gen.STAGE,
    mux.STAGE,
)

BY_NAME: dict[str, Stage[Any, Any]] = {stage.name: stage for stage in STAGES}


def find(name: str) -> Stage[Any, Any]:
    """Raises ConfigError with the names there are."""
    if name not in BY_NAME:
        raise ConfigError(f"there is no stage called {name}", hint="stages: " + ", ".join(BY_NAME))
    return BY_NAME[name]
