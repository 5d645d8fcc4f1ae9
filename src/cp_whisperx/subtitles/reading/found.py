"""What a reader finds in a file, and how it notes what was odd."""

from __future__ import annotations

from dataclasses import dataclass

from cp_whisperx.timeline import Cue


@dataclass(frozen=True)
class Parsed:
    """Cues in the order of the file; an end may lie before its start. `resolution_s` is the file's smallest step.

    `frame_rate` is what the file says or what its frames were counted with; None where it has no frames.
    """

    cues: tuple[Cue, ...]
    resolution_s: float = 0.001
    frame_rate: float | None = None


@dataclass(frozen=True)
class Found:
    """`notes`: what was odd, each once, in words for a person."""

    cues: tuple[Cue, ...]
    format: str
    encoding: str
    resolution_s: float
    frame_rate: float | None
    notes: tuple[str, ...]


class Notes:
    """Collects what was odd; of the same oddity in several cues, one note with their numbers."""

    _SHOWN = 8

    def __init__(self) -> None:
        self._cues: dict[str, list[int]] = {}

    def add(self, what: str, cue: int | None = None) -> None:
        """`cue` counts from 1 in the order of the file; None for the file as a whole."""
        seen = self._cues.setdefault(what, [])
        if cue is not None and (not seen or seen[-1] != cue):
            seen.append(cue)

    def all(self) -> tuple[str, ...]:
        return tuple(what + self._where(cues) for what, cues in self._cues.items())

    def _where(self, cues: list[int]) -> str:
        if not cues:
            return ""
        more = f" and {len(cues) - self._SHOWN} more" if len(cues) > self._SHOWN else ""
        return f": cue{'s' * (len(cues) > 1)} {', '.join(map(str, cues[:self._SHOWN]))}{more}"
