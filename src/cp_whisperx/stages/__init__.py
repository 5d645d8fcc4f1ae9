"""The table of the house: the stages that exist, in the order in which they run.

A process that runs one stage loads that one: `find` asks for no other, `STAGES` and `BY_NAME` for all.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cp_whisperx.errors import ConfigError
from cp_whisperx.stage import Stage

NAMES = (
    "demux",
    "tmdb",
    "pre-ner",
    "silero-vad",
    "pyannote-vad",
    "diarization",
    "asr",
    "post-ner",
    "subtitle-gen",
    "mux",
)
"""Each is in the module of that name."""

if TYPE_CHECKING:
    STAGES: tuple[Stage[Any, Any], ...]
    BY_NAME: dict[str, Stage[Any, Any]]


def find(name: str) -> Stage[Any, Any]:
    """Raises ConfigError with the names there are."""
    if name not in NAMES:
        raise ConfigError(f"there is no stage called {name}", hint="stages: " + ", ".join(NAMES))
    found: Stage[Any, Any] = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").STAGE
    return found


def __getattr__(name: str) -> Any:
    if name not in ("STAGES", "BY_NAME"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = tuple(map(find, NAMES))
    globals().update(STAGES=made, BY_NAME={stage.name: stage for stage in made})
    return globals()[name]
